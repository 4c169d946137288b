//! What the tests of this module share: one mapping, its records, and the shipped policies.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::Place;
use crate::cloudtrail::fixtures::bytes;
use crate::mapping::{FunctionRef, Snapshot, SourceRef, Wiring};
use crate::policy::{PolicyFiles, PolicySet, SourceFile};
use jiff::Timestamp;
use serde_json::{Value, json};

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
pub(crate) fn shipped() -> PolicySet {
    load(include_str!("../../policies/allowlist.toml"), INVENTORY)
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
