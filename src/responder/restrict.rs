//! Restricting credentials: looked at before, read back after, watched for as long as it holds.

use super::Responder;
use super::drivers::Driver;
use crate::approval::ApprovalGrant;
use crate::case::{Case, PlannedStep};
use crate::containment::{Call, Observation};
use crate::ports::{Acknowledged, CallError, JournalError};

impl Responder {
    pub(super) async fn prepare_restriction(
        &self,
        case: &mut Case,
        _grant: &ApprovalGrant,
        _step: PlannedStep,
        _driver: &Driver,
    ) -> Result<(), JournalError> {
        self.ask(case, "credentials cannot be restricted yet").await
    }

    pub(super) async fn observe_principal(&self, _call: &Call) -> Result<Observation, CallError> {
        Err(CallError::NotSent { message: "credentials cannot be restricted yet".into() })
    }

    pub(super) async fn change_principal(&self, _call: &Call) -> Result<Acknowledged, CallError> {
        Err(CallError::NotSent { message: "credentials cannot be restricted yet".into() })
    }
}
