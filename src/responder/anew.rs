//! A mapping that was deleted, made anew.

use super::Responder;
use crate::containment::{Call, Observation};
use crate::mapping::{FunctionRef, Snapshot};
use crate::ports::{Acknowledged, CallError, NewMapping};

impl Responder {
    /// The mapping that such a call made; `MappingGone` where there is none yet. Lambda has one mapping of a function and
    /// a source at most, so another one of that pair than the deleted is it.
    pub(super) async fn observe_anew(&self, call: &Call) -> Result<Observation, CallError> {
        let Call::CreateEventSourceMapping { account, region, deleted, function_arn, source, .. } = call else {
            return Err(CallError::NotSent { message: "it makes no mapping".into() });
        };
        let partition = function_arn.split(':').nth(1).unwrap_or("aws");
        let function = FunctionRef::parse(function_arn, partition, region, account);
        let found = self.ports.lambda.find_mappings(account, region, &function, source).await?;
        let others: Vec<Snapshot> = found.into_iter().filter(|mapping| mapping.uuid != *deleted).collect();
        let seen = |snapshot: Snapshot| Observation::Mapping { snapshot: Box::new(snapshot) };
        let exact = others.iter().find(|other| call.achieved(&seen((*other).clone()))).cloned();
        Ok(exact.or_else(|| others.into_iter().next()).map_or(Observation::MappingGone, seen))
    }

    pub(super) async fn make_anew(&self, call: &Call) -> Result<Acknowledged, CallError> {
        let Call::CreateEventSourceMapping { account, region, function_arn, wiring, enabled, tags, like, .. } = call
        else {
            return Err(CallError::NotSent { message: "it makes no mapping".into() });
        };
        let new = NewMapping { account, region, function_arn, wiring, enabled: *enabled, like, tags };
        self.ports.lambda.create_mapping(&new).await.map(|(acknowledged, _)| acknowledged)
    }
}
