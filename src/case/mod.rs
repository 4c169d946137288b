//! A case: a finding that was not allowed, and all that follows. Pure: events, the fold over them, what to do next.

pub mod baseline;
mod decision;
mod event;
mod evidence;
mod fold;
mod fold_steps;
mod id;
mod next;
mod plan;
mod state;
mod summary;
mod system;
mod timers;
mod words;

pub use decision::Decision;
pub use event::{CaseEvent, Mode, Opened, Reminder, VERSION, Via, Vote};
pub use evidence::{CallLine, CodeKept, Evidence, FunctionFacts, History, Looked, Processed, SourceFacts};
pub use fold::Illegal;
pub use id::CaseId;
pub(crate) use next::response_steps;
pub use next::{Next, next};
pub use plan::{Plan, PlannedStep, plan_for, plans_for, plans_once_asked};
pub use state::{Case, Outcome, Provenance, State, Step, StepStatus, Tally};
pub use summary::{StepLine, Summary};
pub use system::{FoundMapping, SystemEvent};
pub use timers::{Due, Schedule, due};
