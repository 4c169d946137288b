//! A case in one line, as `cases` prints it and as the journal's projection keeps it.

use super::state::{Case, Outcome, State, StepStatus};
use crate::containment::StepKind;
use crate::detection::Detection;
use crate::policy::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One step in a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepLine {
    /// Which step.
    pub step: StepKind,
    /// How far.
    pub status: StepStatus,
    /// Since when.
    pub at: Timestamp,
}

/// One line of `cases --format json`. Strings that are not known are `""`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The case's id.
    pub case_id: String,
    /// What named it.
    pub detection: Detection,
    /// Where it stands.
    pub state: State,
    /// How it ended; null while it is open.
    pub outcome: Option<Outcome>,
    /// The mapping's account.
    pub account: String,
    /// The mapping's region.
    pub region: String,
    /// The mapping; null while it is not known.
    pub mapping_uuid: Option<String>,
    /// The function it invokes.
    pub function_arn: String,
    /// The source; null for a self-managed cluster.
    pub source_arn: Option<String>,
    /// Who did it; null where the record does not tell for certain.
    pub principal_arn: Option<String>,
    /// What sluicegate does by itself.
    pub response: Response,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What was changed.
    pub steps: Vec<StepLine>,
}

impl Summary {
    /// The summary of `case`.
    pub fn of(case: &Case) -> Self {
        let finding = &case.opened.finding;
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let function = case.latest().map_or(&finding.call.function.arn, |read| &read.function.arn);
        let source = case.latest().map_or(&finding.call.source.arn, |read| &read.source.arn);
        Self {
            case_id: case.id.to_string(),
            detection: finding.detection,
            state: case.state,
            outcome: case.outcome,
            account: finding.account.clone(),
            region: finding.region.clone(),
            mapping_uuid: case.mapping.as_ref().map(|mapping| mapping.uuid.clone()),
            function_arn: function.clone(),
            source_arn: text(source),
            principal_arn: text(&finding.actor.principal_arn),
            response: case.response,
            opened_at: case.opened_at,
            updated_at: case.updated_at,
            steps: case
                .steps
                .iter()
                .filter(|step| step.undoes.is_none())
                .map(|step| StepLine { step: step.kind, status: step.status, at: step.at })
                .collect(),
        }
    }
}
