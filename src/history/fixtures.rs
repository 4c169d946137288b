//! The shipped policies, and findings to judge by them, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use crate::cloudtrail;
use crate::detection::{Finding, inspect};
use crate::policy::{PolicyFiles, PolicySet, SourceFile};
use jiff::civil::Date;
use serde_json::json;

pub(crate) const ALLOWLIST: &str = include_str!("../../policies/allowlist.toml");
pub(crate) const DEPLOYER: &str = "arn:aws:iam::111122223333:role/ci/orders-deployer";

/// The shipped set.
pub(crate) fn shipped() -> PolicySet {
    with_allowlist(ALLOWLIST)
}

/// The shipped set with another allowlist.
pub(crate) fn with_allowlist(text: &str) -> PolicySet {
    let files = PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", text),
        rules: SourceFile::new("rules.cedar", include_str!("../../policies/rules.cedar")),
        inventory: SourceFile::new("inventory.toml", include_str!("../../policies/inventory.toml")),
        schema: None,
    };
    PolicySet::load(&files, Date::constant(2026, 2, 3)).expect("the set loads").set
}

/// A mapping made by a role or user of this ARN through CloudFormation, so many minutes after ten; the orders pipeline
/// may do that.
pub(crate) fn finding(principal: &str, minutes: u32) -> Finding {
    let (kind, issuer) =
        if principal.contains(":user/") { ("IAMUser", None) } else { ("AssumedRole", Some(principal)) };
    let record = json!({
        "eventID": format!("event-{minutes}"),
        "eventTime": format!("2026-02-03T{:02}:{:02}:00Z", 10 + minutes / 60, minutes % 60),
        "eventSource": "lambda.amazonaws.com",
        "eventName": "CreateEventSourceMapping20150331",
        "awsRegion": "eu-west-1",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": kind,
            "arn": if issuer.is_some() { "arn:aws:sts::111122223333:assumed-role/orders-deployer/x" } else { principal },
            "principalId": if issuer.is_some() { "AROAORDERS:x" } else { "AIDAMALLORY" },
            "accountId": "111122223333",
            "invokedBy": "cloudformation.amazonaws.com",
            "sessionContext": issuer.map(|arn| json!({"sessionIssuer": {
                "type": "Role", "principalId": "AROAORDERS", "arn": arn, "accountId": "111122223333",
                "userName": "orders-deployer"
            }})),
        },
        "requestParameters": {
            "functionName": "orders-sink",
            "eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:orders-in"
        },
        "responseElements": {
            "uUID": format!("00000000-0000-4000-8000-{minutes:012}"),
            "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:orders-sink",
            "eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:orders-in"
        }
    });
    let record = cloudtrail::read(record.to_string().as_bytes()).pop().unwrap().unwrap();
    inspect(&record).unwrap()
}
