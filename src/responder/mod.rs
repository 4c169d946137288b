//! The responder: what comes in → a verdict → a case, driven step by step to its end. It knows the outside world only
//! through the ports.

mod about;
mod anew;
mod by_itself;
mod decide;
mod drive;
mod drivers;
mod evidence;
mod hold;
mod interact;
mod join;
mod judge;
mod offers;
mod own;
mod perform;
mod policies;
mod restrict;
pub(crate) mod retry;
mod sweep;
mod timers;
mod verify;
mod voter;
mod watching;

pub use by_itself::ByItself;
pub use decide::Refusal;
pub use interact::open_modal;
pub use policies::Policies;
pub use sweep::{Memory as SweepMemory, Sweep, SweepSettings, Swept};

use crate::case::{Case, CaseEvent, CaseId, Evidence, Mode, Schedule};
use crate::ports::{Chat, Clock, Enrichment, Iam, Identity, Journal, JournalError, Lambda, Trail};
use crate::restriction::Means;
use drivers::Drivers;
use evidence::Gathering;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// What the responder works with.
#[derive(Clone)]
pub struct Ports {
    /// Where cases are kept.
    pub journal: Arc<dyn Journal>,
    /// Lambda's control plane.
    pub lambda: Arc<dyn Lambda>,
    /// IAM.
    pub iam: Arc<dyn Iam>,
    /// CloudTrail's own record of events.
    pub trail: Arc<dyn Trail>,
    /// Who AWS says that somebody is.
    pub identity: Arc<dyn Identity>,
    /// Reading for people's sake.
    pub enrichment: Arc<dyn Enrichment>,
    /// Slack, where it is configured.
    pub chat: Option<Arc<dyn Chat>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How it works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether it acts.
    pub mode: Mode,
    /// How long to wait for a change to be read back before the call is repeated.
    pub verify_timeout: Duration,
    /// For how long a step is tried before a person is called.
    pub give_up_after: Duration,
    /// When people are reminded, and when a question lapses.
    pub schedule: Schedule,
    /// The worker's name in the journal.
    pub worker: String,
    /// The ARN of the AWS identity that it has.
    pub identity: String,
    /// The account of that identity: the one account that it can see.
    pub account: String,
    /// How credentials are restricted.
    pub restriction: RestrictionSettings,
}

/// How credentials are restricted.
#[derive(Debug, Clone)]
pub struct RestrictionSettings {
    /// In which form.
    pub means: Means,
    /// When people are reminded that a restriction is still on.
    pub ask_after: Duration,
}

impl Default for RestrictionSettings {
    fn default() -> Self {
        Self { means: Means::default(), ask_after: Duration::from_hours(72) }
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// All in it is settled or durable: it can leave the queue.
    Done,
    /// It could not be read, and that is recorded: the queue's redrive takes it.
    Unreadable,
    /// Something outside failed: it must come again.
    Again(String),
}

/// The responder. Clones share it.
#[derive(Clone)]
pub struct Responder {
    ports: Ports,
    policies: Policies,
    settings: Arc<Settings>,
    drivers: Drivers,
    /// Whose offers are to be gathered.
    wanted: offers::Wanting,
    /// Held while a restriction's stream and IAM are changed together.
    restricting: Arc<tokio::sync::Mutex<()>>,
    gathering: Gathering,
    /// Whose turn it is to take votes.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Somebody voted in Slack.
    votes: Arc<Notify>,
    stopping: watch::Receiver<bool>,
}

impl Responder {
    /// A responder. `stopping` turns true when it has to come to an end.
    pub fn new(ports: Ports, policies: Policies, settings: Settings, stopping: watch::Receiver<bool>) -> Self {
        Self {
            ports,
            policies,
            settings: Arc::new(settings),
            drivers: Drivers::default(),
            wanted: offers::Wanting::default(),
            restricting: Arc::default(),
            gathering: Gathering::default(),
            turn: Arc::default(),
            votes: Arc::default(),
            stopping,
        }
    }

    /// How it works.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes up all that is unfinished in the journal; gives how many cases that are.
    pub async fn resume(&self) -> Result<usize, JournalError> {
        let unfinished = self.ports.journal.unfinished().await?;
        for case in &unfinished {
            self.nudge(case);
        }
        Ok(unfinished.len())
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits, but not longer than until it has to stop.
    async fn pause(&self, wait: Duration) {
        crate::stopping::pause(&self.stopping, wait).await;
    }

    /// Appends what happened, whatever else was appended meanwhile: the fold says whether it can still follow. While the
    /// journal cannot be written it waits, so that nothing further is done without it.
    async fn append(&self, case: &mut Case, events: &[CaseEvent]) -> Result<(), JournalError> {
        while !self.append_next(case, events).await? {}
        Ok(())
    }

    /// Appends what follows from the case as it is known here; where somebody else appended first it writes nothing,
    /// reads the case again and says `false`: what was decided on may be so no more.
    async fn append_next(&self, case: &mut Case, events: &[CaseEvent]) -> Result<bool, JournalError> {
        let mut waited = 0;
        loop {
            match self.ports.journal.append(&case.id, case.seq, events).await {
                Ok(now) => {
                    *case = now;
                    if events.iter().any(matters_for_offers) {
                        self.wants_offers(&case.id);
                    }
                    return Ok(true);
                }
                Err(JournalError::Conflict { .. }) => {
                    *case = self.load(&case.id).await?;
                    return Ok(false);
                }
                Err(JournalError::Unavailable(why)) if !self.is_stopping() => {
                    tracing::error!(case = %case.id, %why, "the journal cannot be written; nothing is changed until it can");
                    waited += 1;
                    self.pause(retry::backoff(waited)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn load(&self, id: &CaseId) -> Result<Case, JournalError> {
        let case = self.ports.journal.case(id).await?;
        case.ok_or_else(|| JournalError::Damaged(format!("{id} is not in the journal")))
    }
}

/// What can be done about credentials is looked at when people are asked, and when the function's maker is known.
fn matters_for_offers(event: &CaseEvent) -> bool {
    match event {
        CaseEvent::ApprovalRequested { .. } => true,
        CaseEvent::Evidence(Evidence::Function(facts)) => facts.made_by_actor,
        _ => false,
    }
}
