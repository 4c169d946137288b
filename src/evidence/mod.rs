//! What people need to know before they decide, worked out of what was read: pure. What to look at for which kind of
//! source, what records of CloudTrail tell, what a mapping may have processed, and what a wrong containment costs.
//!
//! What is not known is said; what was not found is never called "not processed".

mod cost;
mod due;
mod history;
mod permissions;
mod processed;
mod query;
mod source;

pub use cost::{Cost, cost_of};
pub use due::{Piece, Tried, due, is_ready};
pub use history::{Lately, SINCE, control_plane_of_iam, read_calls};
pub use permissions::invokers;
pub use processed::{Metric, Question, found, metrics_window, questions, window};
pub use query::data_events;
pub use source::{sensitive, shared, tagged_arn, usual_retention};

use crate::case::{Case, Evidence, History, StepStatus};
use crate::containment::StepKind;
use crate::mapping::{FunctionRef, SourceRef};
use jiff::Timestamp;

/// The function that a case is about: as the mapping was first read, else as the event says.
pub fn function_of(case: &Case) -> &FunctionRef {
    let read = case.opened.snapshot.as_deref().or(case.latest());
    read.map_or(&case.opened.finding.call.function, |snapshot| &snapshot.function)
}

/// The source that a case is about.
pub fn source_of(case: &Case) -> &SourceRef {
    let read = case.opened.snapshot.as_deref().or(case.latest());
    read.map_or(&case.opened.finding.call.source, |snapshot| &snapshot.source)
}

/// Whether evidence says something that a case does not know yet. What could not be learnt is news only where nothing is
/// known; that a search was made at another time is none.
pub fn is_news(case: &Case, evidence: &Evidence) -> bool {
    let about = case.evidence.iter().map(|(known, _)| known).filter(|known| known.what() == evidence.what());
    let mut known = about.peekable();
    match evidence {
        Evidence::Unknown { .. } => known.all(|known| matches!(known, Evidence::Unknown { .. }) && known != evidence),
        Evidence::History(new) => !known.any(|known| match known {
            Evidence::History(old) => {
                let same = History { since: old.since, query: old.query.clone(), ..(**new).clone() };
                **old == same
            }
            _ => false,
        }),
        _ => !known.any(|known| known == evidence),
    }
}

/// When the mapping was read back as disabled, or deleted; `None` where it is active, as far as is known.
pub fn disabled_at(case: &Case) -> Option<Timestamp> {
    let stops = |kind| matches!(kind, StepKind::DisableMapping | StepKind::DeleteMapping);
    let done = |status| status == StepStatus::Succeeded;
    let steps = case.steps.iter().filter(|step| step.undoes.is_none() && stops(step.kind) && done(step.status));
    steps.map(|step| step.at).min()
}

#[cfg(test)]
#[path = "tests/fixtures.rs"]
pub(crate) mod fixtures;
