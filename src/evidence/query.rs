//! Queries for what `LookupEvents` does not have: data events, such as reads of a stream and invocations of a function.

use super::{disabled_at, function_of, source_of, tagged_arn};
use crate::case::Case;
use jiff::{SignedDuration, Timestamp};

/// The data events that tell what became of records, by the services that write them.
const SERVICES: [&str; 4] =
    ["lambda.amazonaws.com", "sqs.amazonaws.com", "kinesis.amazonaws.com", "dynamodb.amazonaws.com"];
/// A function that was invoked last of all may run for a quarter of an hour.
const AFTER: SignedDuration = SignedDuration::from_mins(16);
const BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// Nothing genuine is longer.
const LONGEST: usize = 2_048;

/// Queries for CloudTrail Lake and for Athena, with times, ARNs and key filled in: who read the source, who invoked the
/// function, and what the key and the execution role did. They answer only where a trail or store keeps data events.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-lake-examples.html>,
/// <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>
pub fn data_events(case: &Case, role_arn: &str, now: Timestamp) -> String {
    let from = case.opened.finding.event.time.checked_sub(BEFORE).unwrap_or(case.opened.finding.event.time);
    let until = disabled_at(case).unwrap_or(now);
    let until = until.checked_add(AFTER).unwrap_or(until);
    let lake = "%Y-%m-%d %H:%M:%S";
    let athena = "%Y-%m-%dT%H:%M:%SZ";
    let query = |table: &str, format: &str| {
        let (from, until) = (from.strftime(format), until.strftime(format));
        let services = SERVICES.map(|service| format!("'{service}'")).join(", ");
        format!(
            "SELECT eventTime, eventSource, eventName, userIdentity.arn, sourceIPAddress, errorCode, requestParameters\n\
             FROM {table}\n\
             WHERE eventTime >= '{from}' AND eventTime <= '{until}'\n  \
             AND eventSource IN ({services})\n  \
             AND ({})\n\
             ORDER BY eventTime",
            conditions(case, role_arn).join("\n    OR ")
        )
    };
    format!(
        "-- CloudTrail Lake; put your event data store's id in place of EVENT_DATA_STORE_ID.\n\
         -- Both answer only where data events of Lambda, SQS, Kinesis and DynamoDB are kept.\n{}\n\n\
         -- Athena; put the name of your table over the trail's bucket in place of CLOUDTRAIL_LOGS.\n{}\n",
        query("EVENT_DATA_STORE_ID", lake),
        query("CLOUDTRAIL_LOGS", athena)
    )
}

fn conditions(case: &Case, role_arn: &str) -> Vec<String> {
    let source = source_of(case);
    let function = function_of(case);
    let unqualified = match function.qualifier.as_str() {
        "" => function.arn.clone(),
        qualifier => function.arn.strip_suffix(&format!(":{qualifier}")).unwrap_or(&function.arn).to_owned(),
    };
    let tagged = tagged_arn(source);
    let mut resources = vec![unqualified, source.arn.clone(), tagged];
    resources.sort_unstable();
    resources.dedup();
    let mut all: Vec<String> = resources
        .iter()
        .filter_map(|arn| literal(arn))
        .map(|arn| format!("strpos(json_format(CAST(resources AS JSON)), {arn}) > 0"))
        .collect();
    let actor = &case.opened.finding.actor;
    all.extend(literal(&actor.access_key_id).map(|key| format!("userIdentity.accessKeyId = {key}")));
    all.extend(literal(role_arn).map(|role| format!("userIdentity.sessionContext.sessionIssuer.arn = {role}")));
    if all.is_empty() {
        // Nothing of it could be named safely: the time alone must do.
        all.push("true".to_owned());
    }
    all
}

/// A text as a literal of SQL; `None` for what no genuine ARN or key is, so that nothing hides in a query that somebody
/// pastes.
fn literal(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (!text.is_empty() && text.len() <= LONGEST && plain).then(|| format!("'{}'", text.replace('\'', "''")))
}

#[cfg(test)]
#[path = "tests/query.rs"]
mod tests;
