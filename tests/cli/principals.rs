//! Callers that are not who they seem, or nobody at all.

use crate::hostile::{by, denied};
use crate::records::{create, deployer, runner, with, without};
use serde_json::{Value, json};

const ISSUER: &str = "/sessionContext/sessionIssuer";

#[test]
fn identities_that_name_nobody() {
    let good = deployer();
    let sts_only = without(&good, "/sessionContext");
    let unknown = json!({"type": "Unknown", "arn": crate::records::DEPLOYER, "accountId": "111122223333"});
    let tail_swap = with(&good, "/arn", json!("arn:aws:sts::111122223333:assumed-role/orders-deployer"));
    let no_identity = without(&create(&good), "/userIdentity");
    denied(&[
        ("no identity", no_identity, "the record has no userIdentity"),
        ("null identity", with(&create(&good), "/userIdentity", Value::Null), "the record has no userIdentity"),
        ("text identity", by(&json!("orders-deployer")), "userIdentity is no JSON object"),
        ("list identity", by(&json!([good])), "userIdentity is no JSON object"),
        ("empty identity", by(&json!({})), "userIdentity has no type"),
        ("type Unknown with an allowlisted ARN", by(&unknown), "CloudTrail calls this identity Unknown"),
        ("a type made up", by(&with(&good, "/type", json!("Admin"))), "calls this identity \"Admin\""),
        ("a type in lower case", by(&with(&good, "/type", json!("assumedrole"))), "a kind that is not known here"),
        ("a type that is a list", by(&with(&good, "/type", json!(["AssumedRole"]))), "type in userIdentity is no text"),
        ("no type", by(&without(&good, "/type")), "userIdentity has no type"),
        ("STS ARN only", by(&sts_only), "sessionContext.sessionIssuer is missing"),
        ("null context", by(&with(&good, "/sessionContext", Value::Null)), "sessionIssuer is missing"),
        (
            "text context",
            by(&with(&good, "/sessionContext", json!("x"))),
            "userIdentity.sessionContext is no JSON object",
        ),
        ("empty issuer", by(&with(&good, ISSUER, json!({}))), "sessionIssuer is empty"),
        ("issuer without ARN", by(&without(&good, &format!("{ISSUER}/arn"))), "sessionIssuer is empty"),
        ("issuer ARN null", by(&with(&good, &format!("{ISSUER}/arn"), Value::Null)), "sessionIssuer is empty"),
        ("issuer ARN a number", by(&with(&good, &format!("{ISSUER}/arn"), json!(1))), "sessionIssuer.arn"),
        ("session without name", by(&tail_swap), "is not the STS ARN of a role's session"),
        ("an ARN that is none", by(&with(&good, "/arn", json!("orders-deployer"))), "is not the STS ARN"),
        (
            "the issuer's ARN is the session's",
            by(&with(&good, &format!("{ISSUER}/arn"), good["arn"].clone())),
            "of sessionIssuer is not the IAM ARN of a role",
        ),
        (
            "an AWS service",
            by(&json!({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"})),
            "has no arn",
        ),
        ("an AWS account", by(&json!({"type": "AWSAccount", "accountId": "111122223333"})), "has no arn"),
        (
            "a user whose ARN is a role's",
            by(&with(&unknown, "/type", json!("IAMUser"))),
            "is not the IAM ARN of a user",
        ),
        ("a web identity", by(&json!({"type": "WebIdentityUser", "userName": "orders-deployer"})), "has no arn"),
    ]);
}

#[test]
fn identities_that_contradict_themselves() {
    let good = deployer();
    let issuer = |key: &str, value: &str| by(&with(&good, &format!("{ISSUER}/{key}"), json!(value)));
    let other = "arn:aws:iam::111122223333:role/ci/other";
    let foreign_role = "arn:aws:iam::999988887777:role/ci/orders-deployer";
    let gov = "arn:aws-us-gov:iam::111122223333:role/ci/orders-deployer";
    let contradicts = "the record contradicts itself";
    denied(&[
        ("another role's session", issuer("arn", other), contradicts),
        ("another account's role", issuer("arn", foreign_role), contradicts),
        ("another partition's role", issuer("arn", gov), contradicts),
        ("another account inside", issuer("accountId", "999988887777"), contradicts),
        ("another role name inside", issuer("userName", "mallory"), contradicts),
        ("another role id", issuer("principalId", "AROAMALLORY0000000001"), contradicts),
        ("another type of issuer", issuer("type", "IAMUser"), "sessionIssuer is of type \"IAMUser\", not Role"),
        ("another account outside", by(&with(&good, "/accountId", json!("999988887777"))), contradicts),
        (
            "another session in the id",
            by(&with(&good, "/principalId", json!("AROAORDERSDEPLOYER001:mallory"))),
            "the session of role orders-deployer is \"AWSCloudFormation\" in userIdentity.arn, but \"mallory\"",
        ),
        ("a role id of another", by(&with(&good, "/principalId", json!("AROAMALLORY:AWSCloudFormation"))), contradicts),
    ]);
}

#[test]
fn principals_of_other_places() {
    let gov =
        create(&runner()).to_string().replace("arn:aws:", "arn:aws-us-gov:").replace("eu-west-1", "us-gov-west-1");
    let gov: Value = serde_json::from_str(&gov).unwrap();
    let renamed =
        |old: &str, new: &str| serde_json::from_str(&create(&deployer()).to_string().replace(old, new)).unwrap();
    let root = json!({
        "type": "Root",
        "principalId": "111122223333",
        "arn": "arn:aws:iam::111122223333:root",
        "accountId": "111122223333"
    });
    let user = json!({
        "type": "IAMUser",
        "arn": "arn:aws:iam::111122223333:user/ci/orders-deployer",
        "accountId": "111122223333",
        "userName": "orders-deployer",
        "invokedBy": "cloudformation.amazonaws.com"
    });
    denied(&[
        ("the runner's role in another partition", gov, "is for arn:aws-us-gov:iam::111122223333:role/terraform/apply"),
        (
            "the deployer of another path",
            renamed("role/ci/", "role/"),
            "is for arn:aws:iam::111122223333:role/orders-deployer",
        ),
        (
            "a path below",
            renamed("role/ci/", "role/ci/x/"),
            "is for arn:aws:iam::111122223333:role/ci/x/orders-deployer",
        ),
        (
            "a longer name",
            renamed("orders-deployer", "orders-deployer2"),
            "is for arn:aws:iam::111122223333:role/ci/orders-deployer2",
        ),
        (
            "another case",
            renamed("orders-deployer", "Orders-Deployer"),
            "is for arn:aws:iam::111122223333:role/ci/Orders-Deployer",
        ),
        (
            "a letter that looks alike",
            renamed("orders-deployer", "\u{43e}rders-deployer"),
            "who did it is not known for certain",
        ),
        ("a user of the role's name", by(&user), "is for arn:aws:iam::111122223333:user/ci/orders-deployer"),
        ("root", by(&root), "forbidden by rule never-root"),
    ]);
}
