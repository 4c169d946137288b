//! A case: a finding that was not allowed, and all that follows. Pure: events, the fold over them, what to do next.

pub mod baseline;
mod decision;
mod event;
mod fold;
mod id;
mod next;
mod plan;
mod state;
mod summary;

pub use decision::Decision;
pub use event::{CaseEvent, Evidence, Mode, Opened, Provenance, SystemEvent, VERSION, Vote};
pub use fold::Illegal;
pub use id::CaseId;
pub(crate) use next::response_steps;
pub use next::{Next, next};
pub use plan::{Plan, PlannedStep, plan_for, plans_once_asked};
pub use state::{Case, Outcome, State, Step, StepStatus, Tally};
pub use summary::{StepLine, Summary};
