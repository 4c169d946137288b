//! A case, contained or not, for the tests of evidence.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::case::{Case, CaseEvent, CaseId, Evidence, Mode, Opened, Outcome, Provenance};
use crate::cloudtrail;
use crate::containment::{Observation, StepKind};
use crate::detection::inspect;
use crate::mapping::{FunctionRef, MappingKey, Snapshot, SourceRef, Wiring};
use crate::policy::{Response, Verdict};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:exfil";
pub(crate) const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";
pub(crate) const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/users/stream/2024-05-09T21:05:41.000";
pub(crate) const STREAM: &str = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks";
const UUID: &str = "00000000-0000-4000-8000-000000000001";

pub(crate) fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

pub(crate) fn minutes(n: i64) -> Timestamp {
    start() + SignedDuration::from_mins(n)
}

/// Who created the mapping, as CloudTrail writes it; `session` of the role `people/intern`, with this key.
pub(crate) fn identity(session: &str, key: &str) -> Value {
    json!({
        "type": "AssumedRole", "principalId": format!("AROAEXAMPLEEXAMPLE000:{session}"),
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/intern/{session}"),
        "accountId": ACCOUNT, "accessKeyId": key,
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLEEXAMPLE000",
            "arn": format!("arn:aws:iam::{ACCOUNT}:role/people/intern"), "accountId": ACCOUNT, "userName": "intern"
        }, "attributes": {"creationDate": "2026-11-24T08:00:00Z", "mfaAuthenticated": "false"}}
    })
}

/// One more record by `identity`.
pub(crate) fn record(id: &str, identity: &Value, service: &str, name: &str, more: &Value) -> Value {
    let region = if service == "iam" { "us-east-1" } else { "eu-west-1" };
    let mut record = json!({
        "eventVersion": "1.10", "userIdentity": identity, "eventTime": "2026-11-24T09:59:00Z",
        "eventSource": format!("{service}.amazonaws.com"), "eventName": name, "awsRegion": region,
        "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.31", "requestParameters": null,
        "responseElements": null, "requestID": format!("request-{id}"), "eventID": id, "readOnly": false,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"
    });
    for (key, value) in more.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

fn created(source: &str, whole: &Value) -> Value {
    let position = whole["StartingPosition"].clone();
    record(
        "e-created",
        &identity("mallory", "ASIAEXAMPLEEXAMPLE00"),
        "lambda",
        "CreateEventSourceMapping20150331",
        &json!({
            "eventTime": start().to_string(),
            "requestParameters": {"eventSourceArn": source, "functionName": "exfil", "enabled": true, "startingPosition": position},
            "responseElements": {"uUID": UUID, "functionArn": FUNCTION, "eventSourceArn": source, "state": "Creating",
                "eventSourceMappingArn": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:event-source-mapping:{UUID}")},
        }),
    )
}

pub(crate) fn snapshot(source: &str, state: &str, more: &Value) -> Snapshot {
    let mut whole = json!({"UUID": UUID, "State": state, "FunctionArn": FUNCTION, "EventSourceArn": source});
    for (key, value) in more.as_object().unwrap() {
        whole[key] = value.clone();
    }
    Snapshot {
        uuid: UUID.into(),
        arn: String::new(),
        function: FunctionRef::parse(FUNCTION, "aws", "eu-west-1", ACCOUNT),
        source: SourceRef::from_arn(source),
        state: state.into(),
        last_modified: Some(start()),
        wiring: Wiring::default(),
        whole,
    }
}

/// A case about a mapping of `source`, opened a second after the event; `whole` is more of the mapping as it was read.
pub(crate) fn opened(source: &str, whole: &Value, mode: Mode) -> Case {
    let record = created(source, whole);
    let read = cloudtrail::read(record.to_string().as_bytes());
    let finding = inspect(read.into_iter().next().unwrap().as_ref().unwrap()).unwrap();
    let verdict = Verdict {
        allowed: false,
        response: Response::Disable,
        restrict: false,
        policies: vec![],
        reasons: vec![],
        errors: vec![],
        policy_digest: String::new(),
    };
    let opened = Opened {
        case_id: CaseId::of(&finding),
        mapping: Some(MappingKey { account: ACCOUNT.into(), region: "eu-west-1".into(), uuid: UUID.into() }),
        finding,
        verdict,
        mode,
        provenance: Provenance::Verified,
        snapshot: Some(Box::new(snapshot(source, "Enabled", whole))),
        baseline: None,
        would_do: vec![],
    };
    Case::begin(&CaseEvent::Opened(Box::new(opened)), start()).unwrap()
}

pub(crate) fn then(case: &mut Case, event: &CaseEvent, at: Timestamp) {
    case.apply(event, at).unwrap();
}

pub(crate) fn learn(case: &mut Case, evidence: Evidence, at: Timestamp) {
    then(case, &CaseEvent::Evidence(evidence), at);
}

/// The same case, its mapping read back as disabled at `at`, and people asked.
pub(crate) fn contained(source: &str, whole: &Value, at: Timestamp) -> Case {
    let mut case = opened(source, whole, Mode::Enforce);
    let read = snapshot(source, "Enabled", whole);
    let call = StepKind::DisableMapping.call(&case.mapping.clone().unwrap(), &read).unwrap();
    let step = StepKind::DisableMapping;
    then(&mut case, &CaseEvent::StepPrepared { id: 1, step, undoes: None, call, prior: None }, at);
    let worker = String::new();
    then(&mut case, &CaseEvent::StepStarted { id: 1, worker, identity: String::new(), lease_until: at }, at);
    let read_back = Observation::Mapping { snapshot: Box::new(snapshot(source, "Disabled", whole)) };
    then(&mut case, &CaseEvent::StepSucceeded { id: 1, read_back, request_ids: vec![], attempts: 1, took_ms: 1 }, at);
    then(&mut case, &CaseEvent::ApprovalRequested { why: "contained".into(), plans: vec![] }, at);
    case
}

pub(crate) fn close(case: &mut Case, outcome: Outcome, at: Timestamp) {
    then(case, &CaseEvent::Closed { outcome, baseline: None }, at);
}
