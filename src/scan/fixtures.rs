//! What the tests of this module share: one mapping, its records, and the shipped policies.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Attribution, Missing, Place, Report, Scanned, Smell, Trace, judge};
use crate::cloudtrail::fixtures::bytes;
use crate::mapping::{FunctionRef, Snapshot, SourceRef, Wiring};
use crate::policy::{PolicyFiles, PolicySet, SourceFile};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const DEPLOYER: &str = "arn:aws:iam::111122223333:role/ci/orders-deployer";
const UUID: &str = "a1b2c3d4-5678-4abc-9def-012345678901";

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn place() -> Place {
    Place { account: ACCOUNT.to_owned(), region: REGION.to_owned() }
}

pub(crate) fn function(text: &str) -> FunctionRef {
    FunctionRef::parse(text, "aws", REGION, ACCOUNT)
}

/// A mapping that the shipped allowlist would cover, changed an hour ago.
pub(crate) fn mapping() -> Snapshot {
    Snapshot {
        uuid: UUID.to_owned(),
        arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{UUID}"),
        function: function("orders-consumer"),
        source: SourceRef::from_arn("arn:aws:sqs:eu-west-1:111122223333:orders-in"),
        state: "Enabled".to_owned(),
        last_modified: Some("2026-11-24T11:00:00Z".parse().unwrap()),
        wiring: Wiring::new(Some(Vec::new()), Some(String::new()), Some(String::new()), Some(Vec::new())),
        whole: json!({ "BatchSize": 10 }),
    }
}

/// Its creation by the pipeline that the shipped allowlist covers, three weeks ago.
pub(crate) fn create(change: impl FnOnce(&mut Value)) -> String {
    record("create-sqs.json", "2026-11-01T10:00:00Z", "created", |record| {
        let arn = mapping().function.arn;
        record["requestParameters"]["functionName"] = json!("orders-consumer");
        record["responseElements"]["functionArn"] = json!(arn);
        for part in ["requestParameters", "responseElements"] {
            record[part]["eventSourceArn"] = json!(mapping().source.arn);
        }
        change(record);
    })
}

/// An update of it by the same pipeline, an hour ago; it enables.
pub(crate) fn update(change: impl FnOnce(&mut Value)) -> String {
    record("update-enable.json", "2026-11-24T11:00:00Z", "updated", |record| {
        record["requestParameters"] = json!({ "uUID": UUID, "enabled": true });
        record["responseElements"] =
            json!({ "uUID": UUID, "functionArn": mapping().function.arn, "eventSourceArn": mapping().source.arn });
        change(record);
    })
}

fn record(file: &str, time: &str, id: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut record: Value = serde_json::from_slice(&bytes(file)).unwrap();
    record["userIdentity"] = identity(DEPLOYER, "pipeline-7");
    record["userIdentity"]["invokedBy"] = json!("cloudformation.amazonaws.com");
    record["sessionCredentialFromConsole"] = Value::Null;
    record["sourceIPAddress"] = json!("cloudformation.amazonaws.com");
    record["eventTime"] = json!(time);
    record["eventID"] = json!(id);
    change(&mut record);
    record.to_string()
}

/// The identity of a role's session.
pub(crate) fn identity(role_arn: &str, session: &str) -> Value {
    let name = role_arn.rsplit('/').next().unwrap();
    json!({
        "type": "AssumedRole",
        "principalId": format!("AROAEXAMPLEROLEID1234:{session}"),
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"),
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLEKEYID1234",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": "AROAEXAMPLEROLEID1234", "arn": role_arn, "accountId": ACCOUNT,
                "userName": name,
            },
            "attributes": { "creationDate": "2026-11-01T09:00:00Z", "mfaAuthenticated": "false" },
        },
    })
}

/// Somebody whom no entry covers.
pub(crate) fn intern() -> Value {
    identity("arn:aws:iam::111122223333:role/people/intern", "mallory")
}

const INVENTORY: &str = include_str!("../../policies/inventory.toml");

/// The shipped policies.
pub(crate) fn shipped() -> &'static PolicySet {
    static SHIPPED: LazyLock<PolicySet> =
        LazyLock::new(|| load(include_str!("../../policies/allowlist.toml"), INVENTORY));
    &SHIPPED
}

/// Policies whose inventory lists no accounts.
pub(crate) fn without_accounts() -> PolicySet {
    let (_, rest) = INVENTORY.split_once("[functions.tier0]").unwrap();
    load("", &format!("[functions.tier0]{rest}"))
}

fn load(allowlist: &str, inventory: &str) -> PolicySet {
    let files = PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", allowlist),
        rules: SourceFile::new("rules.cedar", include_str!("../../policies/rules.cedar")),
        inventory: SourceFile::new("inventory.toml", inventory),
        schema: None,
    };
    PolicySet::load(&files, jiff::civil::date(2026, 11, 24)).unwrap().set
}

/// A mapping of which these records are known.
fn scanned(uuid: &str, smelly: bool, records: &[String]) -> Scanned {
    let mut trace = Trace::new(place());
    trace.take(records);
    let mapping = Snapshot { uuid: uuid.to_owned(), ..mapping() };
    let known = super::fixtures::mapping().uuid;
    let found = judge(shipped(), now(), &mapping, trace.creation(&known), &[]);
    Scanned {
        place: place(),
        mapping,
        attribution: if records.is_empty() { Attribution::Older } else { Attribution::Found },
        created: found.created,
        changed: None,
        verdict: found.verdict,
        smells: smelly.then(|| Smell { smell: "function-gone", reason: "a reason".to_owned() }).into_iter().collect(),
        unknown: vec!["something".to_owned()],
    }
}

/// One mapping of each standing, and an account that could not be entered.
pub(crate) fn report() -> Report {
    let rogue = create(|record| record["userIdentity"] = intern());
    let mut report = Report {
        at: now(),
        policy_digest: "0123456789abcdef".to_owned(),
        places: vec![Place { account: "444455556666".to_owned(), region: "eu-west-1".to_owned() }, place()],
        scanned: vec![
            scanned("allowed", false, &[create(|_| ())]),
            scanned("old", false, &[]),
            scanned("smelly", true, &[create(|_| ())]),
            scanned("rogue", true, &[rogue]),
        ],
        missing: vec![Missing {
            place: Place { account: "444455556666".to_owned(), region: "eu-west-1".to_owned() },
            uuid: String::new(),
            error: "refused: AccessDenied: <b>no</b>".to_owned(),
        }],
        notes: vec!["a note".to_owned()],
    };
    report.sort();
    report
}
