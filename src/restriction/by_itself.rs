//! When sluicegate restricts somebody without being told to.

use crate::case::{Case, Provenance, State};
use crate::policy::Verdict;

/// That policy lets sluicegate restrict the caller of a case by itself. It can be made only here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyGrant {
    why: String,
}

impl PolicyGrant {
    /// The grant of a case, or why there is none. A record that CloudTrail itself has is needed always; a call that a
    /// service made for somebody, and a protected principal, are never answered so.
    /// `verdict`: policy's answer now, for a record that is confirmed.
    pub fn of(case: &Case, verdict: &Verdict, protected: bool) -> Result<Self, String> {
        let actor = &case.opened.finding.actor;
        if !verdict.restrict || verdict.allowed {
            return Err("policy does not permit it".into());
        }
        if !case.acts() {
            return Err("mode is observe".into());
        }
        if case.provenance != Provenance::Confirmed {
            return Err("the record is not confirmed in CloudTrail".into());
        }
        if !actor.invoked_by.is_empty() {
            return Err(format!("{} made the call for somebody", actor.invoked_by));
        }
        if protected {
            return Err(format!("{} is protected", actor.principal_arn));
        }
        if !case.contained() && !case.gone || !matches!(case.state, State::AwaitingDecision | State::Stuck) {
            return Err("containment comes first".into());
        }
        Ok(Self { why: format!("policy permits it: {}", verdict.reasons.join("; ")) })
    }

    /// For the journal.
    pub fn why(&self) -> &str {
        &self.why
    }
}
