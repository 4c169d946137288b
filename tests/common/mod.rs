//! What several tests need: genuine findings, made the way they are made in earnest, and the clock.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use jiff::Timestamp;
use serde_json::{Value, json};
use sluicegate::case::{CaseEvent, CaseId, Mode, Opened, Provenance};
use sluicegate::cloudtrail;
use sluicegate::detection::{Finding, inspect};
use sluicegate::mapping::{FunctionRef, MappingKey, Snapshot, SourceRef, Wiring};
use sluicegate::policy::{Response, Verdict};

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-west-1";
pub const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:exfil";
pub const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";

pub fn uuid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

pub fn key(n: u32) -> MappingKey {
    MappingKey { account: ACCOUNT.into(), region: REGION.into(), uuid: uuid(n) }
}

/// A record of a creation of mapping `n`, as CloudTrail writes it, at `time`.
pub fn created(event_id: &str, n: u32, time: Timestamp) -> Value {
    json!({
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLEEXAMPLE000:mallory",
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/intern/mallory"),
            "accountId": ACCOUNT, "accessKeyId": "ASIAEXAMPLEEXAMPLE00",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLEEXAMPLE000",
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/people/intern"), "accountId": ACCOUNT, "userName": "intern"
                },
                "attributes": {"creationDate": "2026-11-24T08:00:00Z", "mfaAuthenticated": "false"}
            }
        },
        "eventTime": time.to_string(), "eventSource": "lambda.amazonaws.com",
        "eventName": "CreateEventSourceMapping20150331", "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.31",
        "requestParameters": {"eventSourceArn": QUEUE, "functionName": "exfil", "enabled": true, "filterCriteria": {}},
        "responseElements": {
            "uUID": uuid(n), "functionArn": FUNCTION, "eventSourceArn": QUEUE, "state": "Creating",
            "eventSourceMappingArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{}", uuid(n))
        },
        "requestID": format!("request-of-{event_id}"), "eventID": event_id, "readOnly": false,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"
    })
}

/// The record as EventBridge delivers it.
pub fn delivered(record: &Value) -> Value {
    json!({
        "version": "0", "id": "6f87d04b-9f74-4f04-a780-7acf4b0a9b38", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.lambda", "account": ACCOUNT, "time": record["eventTime"], "region": REGION, "resources": [],
        "detail": record
    })
}

pub fn finding_of(record: &Value) -> Finding {
    let read = cloudtrail::read(record.to_string().as_bytes());
    inspect(read.into_iter().next().unwrap().as_ref().unwrap()).unwrap()
}

pub fn finding(event_id: &str, n: u32) -> Finding {
    finding_of(&created(event_id, n, Timestamp::now()))
}

pub fn snapshot(n: u32, state: &str) -> Snapshot {
    Snapshot {
        uuid: uuid(n),
        arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{}", uuid(n)),
        function: FunctionRef::parse(FUNCTION, "aws", REGION, ACCOUNT),
        source: SourceRef::from_arn(QUEUE),
        state: state.into(),
        last_modified: Some(Timestamp::now()),
        wiring: Wiring {
            filters: Some(vec![]),
            on_failure: Some(String::new()),
            on_success: Some(String::new()),
            source_access: Some(vec![]),
        },
        whole: json!({"UUID": uuid(n), "State": state, "FunctionArn": FUNCTION, "EventSourceArn": QUEUE}),
    }
}

pub fn verdict(response: Response) -> Verdict {
    Verdict {
        allowed: false,
        response,
        restrict: false,
        policies: vec!["disable-first".into()],
        reasons: vec!["no entry covers it".into()],
        errors: vec![],
        policy_digest: "0".repeat(64),
    }
}

pub fn opened(event_id: &str, n: u32) -> Opened {
    let finding = finding(event_id, n);
    Opened {
        case_id: CaseId::of(&finding),
        finding,
        verdict: verdict(Response::Disable),
        mode: Mode::Enforce,
        mapping: Some(key(n)),
        provenance: Provenance::Verified,
        snapshot: Some(Box::new(snapshot(n, "Enabled"))),
        baseline: None,
        would_do: vec![],
    }
}

pub fn note(text: &str) -> CaseEvent {
    CaseEvent::Note { text: text.into() }
}
