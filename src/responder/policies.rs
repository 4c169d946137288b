//! The policy set in force. A new one replaces it whole or not at all.

use crate::case::SystemEvent;
use crate::policy::PolicySet;
use crate::ports::JournalError;
use std::sync::{Arc, PoisonError, RwLock};

/// The policy set in force. Clones share it.
#[derive(Clone)]
pub struct Policies(Arc<RwLock<Arc<PolicySet>>>);

impl Policies {
    /// Begins with `set`.
    pub fn new(set: PolicySet) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(set))))
    }

    /// The set in force now; what holds it keeps it, whatever comes after.
    pub fn current(&self) -> Arc<PolicySet> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts `set` into force.
    pub fn replace(&self, set: PolicySet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }
}

impl super::Responder {
    /// Writes down that this worker begins.
    pub async fn begun(&self, digest: &str) -> Result<(), JournalError> {
        let settings = self.settings();
        let started = SystemEvent::Started {
            worker: settings.worker.clone(),
            identity: settings.identity.clone(),
            mode: settings.mode,
        };
        self.ports.journal.record(&started).await?;
        self.ports.journal.record(&SystemEvent::PolicyLoaded { digest: digest.to_owned() }).await
    }

    /// Puts a new policy set into force, where it is another.
    pub async fn change_policies(&self, set: PolicySet) -> Result<(), JournalError> {
        let digest = set.digest().to_owned();
        if digest == self.policies.current().digest() {
            return Ok(());
        }
        self.policies.replace(set);
        tracing::info!(digest = digest.get(..12).unwrap_or_default(), "new policies are in force");
        self.ports.journal.record(&SystemEvent::PolicyLoaded { digest }).await
    }

    /// Says that a new policy set is refused; the last good one stays in force.
    pub async fn refuse_policies(&self, problems: Vec<String>) -> Result<(), JournalError> {
        tracing::error!(?problems, "the policies were changed and are refused; the last good ones stay in force");
        self.ports.journal.record(&SystemEvent::PolicyRefused { problems }).await
    }
}
