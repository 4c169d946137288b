//! `freeze_function`: the emergency brake. Reserved concurrency 0 stops the function whatever invokes it.

use super::{Call, Prior};
use crate::mapping::{FunctionRef, MappingKey, Snapshot};

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "every version, alias and trigger of the function stops, not only this mapping; \
    an SQS queue is still polled, so that valid messages can end in its dead-letter queue";

pub(super) fn call(mapping: &MappingKey, snapshot: &Snapshot) -> Call {
    Call::SetFunctionConcurrency {
        account: mapping.account.clone(),
        region: mapping.region.clone(),
        function_arn: unqualified(&snapshot.function),
        reserved: Some(0),
    }
}

pub(super) fn undo(prior: &Prior, done: &Call) -> Option<Call> {
    let (Prior::Concurrency { reserved }, Call::SetFunctionConcurrency { account, region, function_arn, .. }) =
        (prior, done)
    else {
        return None;
    };
    Some(Call::SetFunctionConcurrency {
        account: account.clone(),
        region: region.clone(),
        function_arn: function_arn.clone(),
        reserved: *reserved,
    })
}

/// Reserved concurrency belongs to the function, not to a version or alias.
fn unqualified(function: &FunctionRef) -> String {
    let suffix = format!(":{}", function.qualifier);
    if function.qualifier.is_empty() {
        &function.arn
    } else {
        function.arn.strip_suffix(&suffix).unwrap_or(&function.arn)
    }
    .to_owned()
}
