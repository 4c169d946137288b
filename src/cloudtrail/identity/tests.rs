#![allow(clippy::unwrap_used, reason = "tests")]

use crate::cloudtrail::fixtures::{changed, one};
use crate::cloudtrail::{Actor, PrincipalKind};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::111122223333:role/cicd/deploy-payments";

fn actor(identity: Value) -> Actor {
    changed("create-sqs.json", |record| record["userIdentity"] = identity).actor
}

/// The genuine identity with one value changed.
fn with(pointer: &str, value: Value) -> Actor {
    let record = changed("create-sqs.json", |record| {
        *record["userIdentity"].pointer_mut(pointer).unwrap() = value;
    });
    record.actor
}

#[test]
fn a_role_is_named_with_its_path() {
    let actor = one("create-sqs.json").actor;
    assert_eq!((actor.principal_arn.as_str(), actor.unidentified.as_str()), (ROLE, ""));
    assert_eq!(actor.kind, PrincipalKind::AssumedRole);
    assert_eq!((actor.session_name.as_str(), actor.account.as_str()), ("deploy-42", "111122223333"));
    assert_eq!(actor.access_key_id, "ASIAEXAMPLEKEYID1234");
    assert_eq!(actor.issued_at, "2024-05-09T20:45:25Z".parse().ok());
    assert!(actor.console && !actor.mfa);
    assert!(one("create-string-booleans.json").actor.mfa);
}

#[test]
fn who_cannot_be_told_is_not_identified() {
    let told: Vec<String> = [
        "identity-none.json",
        "identity-unknown.json",
        "identity-sts-arn-only.json",
        "identity-empty-issuer.json",
        "identity-contradiction.json",
    ]
    .into_iter()
    .map(|name| {
        let actor = one(name).actor;
        assert_eq!(actor.principal_arn, "", "{name}");
        format!("{name}: {}", actor.unidentified)
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    identity-none.json: the record has no userIdentity
    identity-unknown.json: CloudTrail calls this identity Unknown
    identity-sts-arn-only.json: the role's path is not in the record: sessionContext.sessionIssuer is missing
    identity-empty-issuer.json: the role's path is not in the record: sessionIssuer is empty
    identity-contradiction.json: the record contradicts itself: role is "intern", but "deploy-payments" in sessionIssuer.arn
    "#);
}

#[test]
fn any_contradiction_leaves_a_role_unidentified() {
    let sts = "arn:aws:sts::111122223333:assumed-role";
    for (pointer, value) in [
        ("/principalId", json!("AROAEXAMPLEROLEID1234:other")),
        ("/principalId", json!("AROAOTHER:deploy-42")),
        ("/principalId", json!(7)),
        ("/arn", json!(format!("{sts}/other/deploy-42"))),
        ("/arn", json!(format!("{sts}/deploy-payments/other"))),
        ("/arn", json!(format!("{sts}/cicd/deploy-payments/deploy-42"))),
        ("/arn", json!("arn:aws:sts::999900001111:assumed-role/deploy-payments/deploy-42")),
        ("/arn", json!("arn:aws-cn:sts::111122223333:assumed-role/deploy-payments/deploy-42")),
        ("/arn", json!(ROLE)),
        ("/arn", json!({})),
        ("/accountId", json!("999900001111")),
        ("/accountId", json!(111_122_223_333_u64)),
        ("/type", json!(["AssumedRole"])),
        ("/type", json!("assumedrole")),
        ("/sessionContext", json!("")),
        ("/sessionContext/sessionIssuer", json!([])),
        ("/sessionContext/sessionIssuer/type", json!("IAMUser")),
        ("/sessionContext/sessionIssuer/userName", json!("other")),
        ("/sessionContext/sessionIssuer/accountId", json!("999900001111")),
        ("/sessionContext/sessionIssuer/arn", json!("arn:aws:iam::111122223333:user/deploy-payments")),
        ("/sessionContext/sessionIssuer/arn", json!("arn:aws:iam::111122223333:role/cicd/deploy-*")),
        ("/sessionContext/sessionIssuer/arn", json!("arn:aws:iam::111122223333:role/")),
        ("/sessionContext/sessionIssuer/arn", json!(format!("{sts}/deploy-payments/deploy-42"))),
        ("/sessionContext/sessionIssuer/arn", json!(true)),
    ] {
        let actor = with(pointer, value.clone());
        assert_eq!(actor.principal_arn, "", "{pointer} {value}");
        assert_ne!(actor.unidentified, "", "{pointer} {value}");
    }
}

#[test]
fn what_is_left_out_contradicts_nothing() {
    for pointer in ["/principalId", "/arn", "/accountId", "/sessionContext/sessionIssuer/userName"] {
        for nothing in [json!(null), json!("")] {
            assert_eq!(with(pointer, nothing).principal_arn, ROLE, "{pointer}");
        }
    }
    assert_eq!(with("/arn", json!("")).session_name, "deploy-42");
    assert_eq!(with("/principalId", json!(null)).session_name, "deploy-42");
}

#[test]
fn a_key_twice_leaves_the_actor_unidentified() {
    let text = r#"{"eventID":"a","userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root","arn":"x"}}"#;
    let actor = crate::cloudtrail::fixtures::only(text.as_bytes()).actor;
    assert_eq!((actor.principal_arn.as_str(), actor.unidentified.as_str()), ("", "userIdentity holds arn twice"));
}

#[test]
fn users_root_and_roles_are_named_by_their_own_arn() {
    for (kind, arn) in [
        ("IAMUser", "arn:aws:iam::111122223333:user/people/alice"),
        ("IAMUser", "arn:aws-us-gov:iam::000011112222:user/alice"),
        ("Role", ROLE),
        ("Root", "arn:aws:iam::111122223333:root"),
        ("SAMLUser", "arn:aws:iam::111122223333:user/alice"),
        ("AWSAccount", ROLE),
    ] {
        let actor = actor(json!({"type": kind, "arn": arn, "invokedBy": "cloudformation.amazonaws.com"}));
        assert_eq!(actor.principal_arn, arn, "{kind}: {}", actor.unidentified);
        assert_eq!(actor.invoked_by, "cloudformation.amazonaws.com");
        assert_eq!(actor.account, arn.split(':').nth(4).unwrap());
    }
}

#[test]
fn an_arn_of_another_kind_names_nobody() {
    for (kind, arn) in [
        ("IAMUser", ROLE),
        ("IAMUser", ""),
        ("Role", "arn:aws:iam::111122223333:user/alice"),
        ("Root", "arn:aws:iam::111122223333:user/root"),
        ("Root", "arn:aws:iam::111122223333:role/x"),
        ("AWSService", ""),
        ("IdentityCenterUser", "arn:aws:sts::111122223333:assumed-role/x/y"),
        ("WebIdentityUser", "arn:aws:iam::111122223333:root"),
        ("Unknown", ROLE),
        ("", ROLE),
        ("Wizard", ROLE),
    ] {
        let actor = actor(json!({"type": kind, "arn": arn}));
        assert_eq!(actor.principal_arn, "", "{kind} {arn}");
        assert_ne!(actor.unidentified, "", "{kind} {arn}");
    }
}

#[test]
fn behind_a_federated_user_stands_the_user_who_made_it() {
    let user = "arn:aws:iam::111122223333:user/people/alice";
    let mut identity = json!({
        "type": "FederatedUser",
        "principalId": "111122223333:night",
        "arn": "arn:aws:sts::111122223333:federated-user/night",
        "accountId": "111122223333",
        "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": user, "userName": "alice"}},
    });
    let night = actor(identity.clone());
    assert_eq!((night.principal_arn.as_str(), night.session_name.as_str()), (user, "night"));
    identity["principalId"] = json!("111122223333:day");
    assert_eq!(actor(identity.clone()).principal_arn, "");
    identity["principalId"] = json!("111122223333:night");
    identity["sessionContext"]["sessionIssuer"] = json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root"});
    assert_eq!(actor(identity).principal_arn, "");
}
