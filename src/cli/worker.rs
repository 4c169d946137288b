//! What `run` and `decide` have in common: the ports, wired to the real world.

use super::{Failure, Result};
use crate::aws::{AwsEnrichment, AwsIam, AwsIdentity, AwsLambda, AwsSettings, AwsTrail, Clients, Limits, Packages};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::journal::SqliteJournal;
use crate::policy::PolicySet;
use crate::ports::{Chat, Clock, Identity};
use crate::responder::{Policies, Ports, Responder, RestrictionSettings, Settings, Sweep, SweepSettings};
use crate::restriction::Means;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// CloudTrail answers two look-ups a second; half of that is left to others.
const LOOKUPS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN;
/// IAM does not tell its limits; this is a share that others in the account will not feel.
const IAM_CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// What is read for people's sake, in each account and region: a small share of what Lambda, CloudWatch and the rest allow.
const READS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);
/// For how long a step is tried before a person is called: a mapping on Kafka may be `Creating` for minutes.
const GIVE_UP_AFTER: Duration = Duration::from_mins(15);

/// The outside world.
pub(super) struct World {
    pub(super) aws: AwsSettings,
    pub(super) identity: Arc<AwsIdentity>,
    pub(super) journal: SqliteJournal,
    /// Slack, where it is wanted and configured.
    pub(super) chat: Option<Arc<dyn Chat>>,
    clock: Arc<dyn Clock>,
}

/// Opens the journal that the configuration names.
pub(super) fn open_journal(config: &Config, create: bool) -> Result<SqliteJournal> {
    Ok(SqliteJournal::open(&config.journal_file()?, Arc::new(SystemClock), create)?)
}

impl World {
    pub(super) async fn new(config: &Config, create: bool) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let journal = open_journal(config, create)?;
        let aws = AwsSettings::load().await;
        aws.region().map_err(Failure::Usage)?;
        let identity = Arc::new(AwsIdentity::new(&aws, clock.clone()));
        Ok(Self { aws, identity, journal, chat: None, clock })
    }

    /// A responder with the credentials of the environment.
    pub(super) async fn responder(
        &self,
        config: &Config,
        policies: PolicySet,
        stopping: watch::Receiver<bool>,
    ) -> Result<Responder> {
        let arn = self.identity.own().await.map_err(|error| {
            Failure::Outside(format!("AWS does not say who these credentials are (sts:GetCallerIdentity): {error}"))
        })?;
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        let clients = Clients::new(&self.aws);
        let ports = Ports {
            journal: Arc::new(self.journal.clone()),
            lambda: Arc::new(AwsLambda::new(clients.clone(), Limits::new(config.containment.max_calls_per_second))),
            iam: Arc::new(AwsIam::new(clients.clone(), Limits::new(IAM_CALLS_PER_SECOND))),
            trail: Arc::new(AwsTrail::new(clients.clone(), Limits::new(LOOKUPS_PER_SECOND))),
            enrichment: Arc::new(AwsEnrichment::new(
                clients,
                Limits::new(READS_PER_SECOND),
                Packages::new(config.evidence.keep_code.clone()),
            )),
            identity: self.identity.clone(),
            clock: self.clock.clone(),
            chat: self.chat.clone(),
        };
        let settings = Settings {
            mode: config.mode,
            verify_timeout: config.containment.verify_timeout,
            give_up_after: GIVE_UP_AFTER,
            schedule: config.schedule(),
            worker: format!("{}-{:08x}", std::process::id(), fastrand::u32(..)),
            identity: arn,
            account,
            restriction: RestrictionSettings {
                means: Means { mode: config.restriction.mode, cap_policy: config.restriction.cap_policy.clone() },
                ask_after: config.restriction.ask_after,
            },
        };
        Ok(Responder::new(ports, Policies::new(policies), settings, stopping))
    }

    /// The sweep of this responder, with a budget of its own at Lambda: a fifth beside what containment has.
    pub(super) fn sweep(&self, config: &Config, responder: &Responder) -> Result<Sweep> {
        let home = self.aws.region().map_err(Failure::Usage)?;
        let share = NonZeroU32::new(config.containment.max_calls_per_second.get() / 5).unwrap_or(NonZeroU32::MIN);
        let lambda = AwsLambda::new(Clients::new(&self.aws), Limits::new(share));
        let settings = SweepSettings::new(config.sweep.every, &config.regions, &home);
        Ok(Sweep::new(responder.clone(), Arc::new(lambda), settings))
    }
}
