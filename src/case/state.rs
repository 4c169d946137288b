//! A case as its events left it.

use super::plan::restricting;
use super::{
    CaseId, CodeKept, Decision, Evidence, FunctionFacts, History, Mode, Opened, Plan, Processed, Reminder, SourceFacts,
    Vote,
};
use crate::containment::{Call, Prior, StepKind};
use crate::detection::Finding;
use crate::mapping::{Baseline, MappingKey, Snapshot};
use crate::policy::Response;
use crate::restriction::{Effect, Offer, Whose};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the event behind a case is known to be true. An event is only a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Provenance {
    /// Not looked at yet, or not to be read yet.
    Pending {
        /// Why, for people.
        why: String,
    },
    /// The mapping, as read from Lambda, is what the event says, and was just changed.
    Verified,
    /// The record was found in CloudTrail itself.
    Confirmed,
    /// Neither: a person is asked, and nothing is changed without one.
    Refuted {
        /// Why, for people.
        why: String,
    },
}

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
    /// The mapping as people were shown it.
    pub shown: Option<Box<Snapshot>>,
    /// How the case had ended before, for what is decided on a closed one.
    pub before: Option<Outcome>,
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
    /// The mapping was made again after the case was closed: it is disabled, and the case closed again, unasked.
    pub unasked: bool,
    /// All changes, in order.
    pub steps: Vec<Step>,
    /// What was there before, by kind of step and target.
    pub priors: Vec<(StepKind, String, Prior)>,
    /// The mapping as last read.
    pub last_read: Option<Box<Snapshot>>,
    /// Where it stands.
    pub state: State,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What people were last asked, and why.
    pub asked: Option<(String, Vec<Plan>)>,
    /// When they were.
    pub asked_at: Option<Timestamp>,
    /// When that question lapsed.
    pub expired_at: Option<Timestamp>,
    /// What people were told again, and when.
    pub reminders: Vec<(Reminder, Timestamp)>,
    /// Votes since people were last asked that wait for a confirmation, by its code.
    pub unconfirmed: Vec<(String, Vote)>,
    /// What was learnt for people to decide on: of each kind the latest.
    pub evidence: Vec<(Evidence, Timestamp)>,
    /// The case's message: channel and timestamp.
    pub card: Option<(String, String)>,
    /// In `observe`: who said that it would have been right, or wrong.
    pub ratings: Vec<(String, bool)>,
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

    /// What was there before the first step of `kind`, on whatever target.
    pub fn prior(&self, kind: StepKind) -> Option<&Prior> {
        self.priors.iter().find(|(of, ..)| *of == kind).map(|(.., prior)| prior)
    }

    /// What was there before the first step of `kind` on this target.
    pub fn prior_of(&self, kind: StepKind, target: &str) -> Option<&Prior> {
        self.priors.iter().find(|(of, on, _)| *of == kind && on == target).map(|(.., prior)| prior)
    }

    /// Whether a step's effect is in force: done, and not taken back.
    pub fn holds(&self, step: &Step) -> bool {
        step.undoes.is_none() && step.status == StepStatus::Succeeded
    }

    /// Whether a step's effect is in force on what the case is about now: a mapping that was made again is another.
    pub fn holds_now(&self, step: &Step) -> bool {
        let mapping = self.mapping.as_ref().map(|mapping| mapping.uuid.as_str());
        let another = matches!(step.kind, StepKind::DisableMapping | StepKind::DeleteMapping)
            && mapping.is_some_and(|uuid| uuid != step.call.target());
        self.holds(step) && !another
    }

    /// Whether a step of `kind` is in force.
    pub fn in_force(&self, kind: StepKind) -> bool {
        self.steps.iter().any(|step| step.kind == kind && self.holds_now(step))
    }

    /// Whether a step of `kind` on this target is in force.
    pub fn in_force_on(&self, kind: StepKind, target: &str) -> bool {
        self.steps.iter().any(|step| step.kind == kind && self.holds(step) && step.call.target() == target)
    }

    /// Whether anything that stops the mapping is.
    pub fn contained(&self) -> bool {
        self.steps.iter().any(|step| step.kind.is_on_mapping() && self.holds_now(step))
    }

    /// The restrictions of credentials in force, in the order in which they were put on.
    pub fn restrictions(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.steps.iter().filter(|step| !step.kind.is_on_mapping() && self.holds(step))
    }

    /// What can be done about somebody's credentials, as last found out.
    pub fn offer(&self, whose: Whose) -> Option<&Offer> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::Credentials { whose: of, offer } if *of == whose => Some(&**offer),
            _ => None,
        })
    }

    /// The function that the mapping invokes, as far as it was looked at.
    pub fn function_facts(&self) -> Option<&FunctionFacts> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::Function(facts) => Some(&**facts),
            _ => None,
        })
    }

    /// The source that it reads, as far as it was looked at.
    pub fn source_facts(&self) -> Option<&SourceFacts> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::Source(facts) => Some(&**facts),
            _ => None,
        })
    }

    /// The function's code, where it was kept.
    pub fn code_kept(&self) -> Option<&CodeKept> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::CodeKept(kept) => Some(kept),
            _ => None,
        })
    }

    /// What the same principal did lately.
    pub fn history(&self) -> Option<&History> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::History(history) => Some(&**history),
            _ => None,
        })
    }

    /// What the mapping processed, as far as can be seen.
    pub fn processed(&self) -> Option<&Processed> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::Processed(processed) => Some(&**processed),
            _ => None,
        })
    }

    /// How far the restriction of a step takes effect, as last seen.
    pub fn effect(&self, step: u32) -> Option<&Effect> {
        self.evidence.iter().find_map(|(evidence, _)| match evidence {
            Evidence::Restricted { step: of, effect } if *of == step => Some(effect),
            _ => None,
        })
    }

    /// Whether its mapping is to stay disabled, as it is: contained by itself or by people, or removed.
    pub fn stays_disabled(&self) -> bool {
        let ended = matches!(self.outcome, Some(Outcome::Contained | Outcome::Removed));
        self.acts() && (ended || self.contained())
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
        if !self.acts() || matches!(self.state, State::Containing | State::Acting) {
            return Vec::new();
        }
        let mut fits = self.about_the_mapping();
        let restricts = || {
            [Whose::Caller, Whose::CallerWhole, Whose::Execution].iter().any(|of| !restricting(self, *of).is_empty())
        };
        if fits.contains(&Decision::DeleteRestrict) && !restricts() {
            fits.retain(|decision| *decision != Decision::DeleteRestrict);
        }
        if self.restrictions().next().is_some() {
            fits.push(Decision::Lift);
        }
        fits
    }

    fn about_the_mapping(&self) -> Vec<Decision> {
        use Decision::{Delete, DeleteRestrict, Disable, Freeze, Keep, Leave, Restore};
        let known = self.mapping.is_some() && self.last_read.is_some();
        match (self.state, self.outcome) {
            (State::Closed, Some(Outcome::Contained)) => vec![Delete, DeleteRestrict, Restore],
            (State::Closed, Some(Outcome::Removed)) if self.in_force(StepKind::DeleteMapping) => {
                vec![DeleteRestrict, Restore]
            }
            (State::Closed, Some(Outcome::Removed)) => vec![DeleteRestrict],
            (State::Closed | State::Containing | State::Acting, _) => Vec::new(),
            (State::AwaitingDecision | State::Stuck, _) if self.in_force(StepKind::DeleteMapping) => {
                vec![Keep, DeleteRestrict, Restore]
            }
            (State::AwaitingDecision | State::Stuck, _) if self.gone => {
                let frozen = self.in_force(StepKind::FreezeFunction).then_some(Restore);
                [Keep, DeleteRestrict].into_iter().chain(frozen).collect()
            }
            (State::AwaitingDecision | State::Stuck, _) if self.contained() => {
                let disable = (!self.in_force(StepKind::DisableMapping)).then_some(Disable);
                [Keep].into_iter().chain(disable).chain([Delete, DeleteRestrict, Restore]).collect()
            }
            (State::AwaitingDecision | State::Stuck, _) if known => {
                vec![Leave, Disable, Freeze, Delete, DeleteRestrict]
            }
            (State::AwaitingDecision | State::Stuck, _) => vec![Leave],
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
