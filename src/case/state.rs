//! A case as its events left it.

use super::{CaseId, Decision, Mode, Opened, Plan, Provenance, Vote};
use crate::containment::{Call, Prior, StepKind};
use crate::detection::Finding;
use crate::mapping::{Baseline, MappingKey, Snapshot};
use crate::policy::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// sluicegate is at work by itself.
    Containing,
    /// People are asked.
    AwaitingDecision,
    /// What people approved is being done.
    Acting,
    /// It could not be done for now: a person is called, and it is tried again from time to time.
    Stuck,
    /// It is over.
    Closed,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The mapping stays disabled.
    Contained,
    /// The mapping is gone.
    Removed,
    /// People let it run.
    Left,
    /// Mapping and function are as they were.
    Restored,
    /// In `observe`: nothing was changed.
    Observed,
    /// Policy wanted people told, and no more.
    Notified,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the journal's own names")]
pub enum StepStatus {
    Prepared,
    Started,
    Succeeded,
    Failed,
    Undone,
}

/// One change to AWS, or its undo.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its number within the case, from 1.
    pub id: u32,
    /// What it does.
    pub kind: StepKind,
    /// The step it takes back, for an undo.
    pub undoes: Option<u32>,
    /// The exact call.
    pub call: Call,
    /// How far it is.
    pub status: StepStatus,
    /// When that was recorded.
    pub at: Timestamp,
    /// When it was first started.
    pub started_at: Option<Timestamp>,
    /// The AWS identity that makes the call.
    pub identity: String,
    /// How many tries failed so far.
    pub attempts: u32,
    /// A try may have had its effect without telling us its request id.
    pub ambiguous: bool,
    /// The ids of requests that AWS took.
    pub request_ids: Vec<String>,
    /// Why it failed, for people; `""` where it did not.
    pub error: String,
    /// It failed for good: repeating does not help.
    pub refused: bool,
    /// A CloudTrail record without a known request id was already taken for this step's.
    pub own_call_seen: bool,
}

/// An approved decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// What was decided: these steps are done and no others.
    pub plan: Plan,
    /// By whom.
    pub people: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// A case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// How many events it has: what the next append expects.
    pub seq: u64,
    /// What it began with.
    pub opened: Opened,
    /// When it began.
    pub opened_at: Timestamp,
    /// When its last event was.
    pub updated_at: Timestamp,
    /// Findings that joined it.
    pub joined: Vec<Finding>,
    /// Which mapping.
    pub mapping: Option<MappingKey>,
    /// The mapping was looked for and does not exist.
    pub gone: bool,
    /// How far the event is known to be true.
    pub provenance: Provenance,
    /// What sluicegate does by itself: the strongest of all verified findings.
    pub response: Response,
    /// The last accepted configuration.
    pub baseline: Option<Baseline>,
    /// All changes, in order.
    pub steps: Vec<Step>,
    /// What was there before, by kind of step.
    pub priors: Vec<(StepKind, Prior)>,
    /// The mapping as last read.
    pub last_read: Option<Box<Snapshot>>,
    /// Where it stands.
    pub state: State,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What people were last asked, and why.
    pub asked: Option<(String, Vec<Plan>)>,
    /// Votes since people were last asked.
    pub votes: Vec<Vote>,
    /// The ids of all votes that ever counted: none counts twice, whenever it is found again.
    pub counted: Vec<String>,
    /// What was approved and is being done, or was done last.
    pub approved: Option<Tally>,
    /// The number of steps when it was approved: later ones belong to it.
    pub approved_after: u32,
}

impl Case {
    /// The mapping as last read, whatever read it.
    pub fn latest(&self) -> Option<&Snapshot> {
        self.last_read.as_deref()
    }

    /// What was there before the first step of `kind`.
    pub fn prior(&self, kind: StepKind) -> Option<&Prior> {
        self.priors.iter().find(|(of, _)| *of == kind).map(|(_, prior)| prior)
    }

    /// Whether a step's effect is in force: done, and not taken back.
    pub fn holds(&self, step: &Step) -> bool {
        step.undoes.is_none() && step.status == StepStatus::Succeeded
    }

    /// Whether a step of `kind` is in force.
    pub fn in_force(&self, kind: StepKind) -> bool {
        self.steps.iter().any(|step| step.kind == kind && self.holds(step))
    }

    /// Whether anything is.
    pub fn contained(&self) -> bool {
        self.steps.iter().any(|step| self.holds(step))
    }

    /// The number of the step that comes next.
    pub fn next_step(&self) -> u32 {
        self.steps.last().map_or(1, |last| last.id + 1)
    }

    /// The step under way, if any.
    pub fn under_way(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.status, StepStatus::Prepared | StepStatus::Started))
    }

    /// The decisions that fit the case as it stands.
    pub fn decisions(&self) -> Vec<Decision> {
        let known = self.mapping.is_some() && self.last_read.is_some();
        match (self.state, self.outcome) {
            (State::Closed, Some(Outcome::Contained)) => vec![Decision::Restore],
            (State::Closed | State::Containing | State::Acting, _) => Vec::new(),
            (State::AwaitingDecision | State::Stuck, _) if self.contained() => {
                let disabled = self.in_force(StepKind::DisableMapping) || self.gone;
                let disable = (!disabled).then_some(Decision::Disable);
                [Decision::Keep].into_iter().chain(disable).chain([Decision::Restore]).collect()
            }
            (State::AwaitingDecision | State::Stuck, _) if self.gone => vec![Decision::Keep],
            (State::AwaitingDecision | State::Stuck, _) if known => {
                vec![Decision::Leave, Decision::Disable, Decision::Freeze]
            }
            (State::AwaitingDecision | State::Stuck, _) => vec![Decision::Leave],
        }
    }

    /// Whether sluicegate may change anything in this case.
    pub fn acts(&self) -> bool {
        self.opened.mode == Mode::Enforce
    }

    /// Whether the event behind it is known to be true.
    pub fn believed(&self) -> bool {
        matches!(self.provenance, Provenance::Verified | Provenance::Confirmed)
    }

    /// The mapping in words, for errors.
    pub fn subject(&self) -> String {
        self.mapping.as_ref().map_or_else(
            || {
                format!(
                    "a mapping of {} in account {}, region {}",
                    self.opened.finding.call.function.name, self.opened.finding.account, self.opened.finding.region
                )
            },
            ToString::to_string,
        )
    }
}
