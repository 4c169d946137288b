#![allow(clippy::unwrap_used, reason = "tests")]
use super::super::fixtures::{ACCOUNT, FUNCTION, QUEUE, contained, identity, minutes, record};
use super::super::function_of;
use super::*;
use serde_json::json;

const KEY: &str = "ASIAEXAMPLEEXAMPLE00";
const ROLE: &str = "arn:aws:iam::111122223333:role/service/exfil-role";

fn case() -> Case {
    contained(QUEUE, &json!({}), minutes(1))
}

fn texts(records: &[Value]) -> Vec<String> {
    records.iter().map(Value::to_string).collect()
}

fn made_function(id: &str, who: &Value, more: &Value) -> Value {
    let mut all =
        json!({"requestParameters": {"functionName": "exfil"}, "responseElements": {"functionArn": FUNCTION}});
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    record(id, who, "lambda", "CreateFunction20150331", &all)
}

#[test]
fn calls_are_told_once_newest_first_and_only_the_principals_own() {
    let case = case();
    let (mallory, alice) = (identity("mallory", KEY), identity("alice", "ASIAOTHER"));
    let role = json!({"requestParameters": {"roleName": "exfil-role"}, "eventTime": "2026-11-24T09:58:00Z"});
    let denied = json!({"errorCode": "AccessDenied", "errorMessage": "no", "eventTime": "2026-11-24T10:01:00Z"});
    let all = texts(&[
        record("a", &mallory, "iam", "CreateRole", &role),
        made_function("b", &mallory, &json!({})),
        made_function("b", &mallory, &json!({})),
        record("c", &mallory, "iam", "PutUserPolicy", &denied),
        record("d", &alice, "iam", "CreateUser", &json!({"requestParameters": {"userName": "x"}})),
        record("e", &mallory, "s3", "PutBucketPolicy", &json!({})),
        record("f", &mallory, "iam", "CreateUser", &json!({"eventTime": "2026-11-20T09:58:00Z"})),
    ]);
    let mut lately = read_calls(&case, &all);
    lately.add(&["no json".into(), "{}".into(), "[1,{\"eventID\":\"x\"}]".into()]);
    let history = lately.history(minutes(-24 * 60), false, String::new(), vec![]);
    let told: Vec<(&str, &str, &str)> =
        history.calls.iter().map(|call| (call.what.as_str(), call.on.as_str(), call.error.as_str())).collect();
    let expected = [
        ("iam:PutUserPolicy", "", "AccessDenied"),
        ("lambda:CreateFunction", "exfil", ""),
        ("iam:CreateRole", "exfil-role", ""),
    ];
    assert_eq!(told, expected);
    assert!(!history.more && history.began_sessions.is_empty());
}

#[test]
fn who_made_function_and_role_is_told_although_another_key_did_it() {
    let case = case();
    let (other_key, other_session) = (identity("mallory", "ASIAOTHER"), identity("mallory2", "ASIATHIRD"));
    let code = json!({"requestParameters": {"functionName": FUNCTION}, "eventTime": "2026-11-24T09:59:30Z"});
    let role = json!({"requestParameters": {"roleName": "exfil-role"}, "eventTime": "2026-11-24T09:58:00Z"});
    let failed = json!({"errorCode": "AccessDenied", "requestParameters": {"roleName": "exfil-role"}});
    let lately = read_calls(
        &case,
        &texts(&[
            made_function("a", &other_key, &json!({})),
            record("b", &other_session, "lambda", "UpdateFunctionCode20150331v2", &code),
            record("c", &other_key, "iam", "CreateRole", &role),
            record("d", &other_key, "iam", "PutRolePolicy", &failed),
            made_function("e", &other_key, &json!({"requestParameters": {"functionName": "another"}})),
            made_function("f", &other_key, &json!({"awsRegion": "us-east-1"})),
        ]),
    );
    let (changed, made) = lately.changes(function_of(&case), ROLE);
    let told: Vec<(&str, &str)> = changed.iter().map(|call| (call.what.as_str(), call.by.as_str())).collect();
    assert_eq!(
        told,
        [("lambda:UpdateFunctionCode", "mallory2"), ("lambda:CreateFunction", ""), ("iam:CreateRole", "")]
    );
    assert!(made);
}

#[test]
fn a_function_that_another_made_last_was_not_made_by_the_actor() {
    let case = case();
    let mut builder = identity("ci", "ASIACI");
    builder["sessionContext"]["sessionIssuer"]["arn"] = json!(format!("arn:aws:iam::{ACCOUNT}:role/ci/builder"));
    builder["sessionContext"]["sessionIssuer"]["userName"] = json!("builder");
    builder["arn"] = json!(format!("arn:aws:sts::{ACCOUNT}:assumed-role/builder/ci"));
    let earlier = json!({"eventTime": "2026-11-01T00:00:00Z"});
    let both =
        texts(&[made_function("a", &identity("mallory", KEY), &earlier), made_function("b", &builder, &json!({}))]);
    let (changed, made) = read_calls(&case, &both).changes(function_of(&case), ROLE);
    assert!(!made);
    assert_eq!(changed.len(), 1);
    assert!(!read_calls(&case, &[]).changes(function_of(&case), ROLE).1);
}

#[test]
fn sessions_that_the_same_credentials_began_are_told() {
    let case = case();
    let assumed = json!({
        "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/admin", "roleSessionName": "x"},
        "responseElements": {"assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/admin/x"},
            "credentials": {"accessKeyId": "ASIACHILD", "sessionToken": "secret"}},
    });
    let refused = json!({"errorCode": "AccessDenied", "requestParameters": assumed["requestParameters"]});
    let lately = read_calls(
        &case,
        &texts(&[
            record("a", &identity("mallory", KEY), "sts", "AssumeRole", &assumed),
            record("b", &identity("mallory", "ASIAOTHER"), "sts", "AssumeRole", &assumed),
            record("c", &identity("mallory", KEY), "sts", "AssumeRole", &refused),
            record("d", &identity("mallory", KEY), "sts", "GetSessionToken", &json!({})),
        ]),
    );
    let history = lately.history(minutes(-60), true, String::new(), vec![]);
    let expected =
        ["another session of the same principal", "arn:aws:sts::111122223333:assumed-role/admin/x (key ASIACHILD)"];
    assert_eq!(history.began_sessions, expected);
    assert!(history.more && !serde_json::to_string(&history).unwrap().contains("secret"));
}

#[test]
fn names_that_a_caller_chose_stay_short() {
    let case = case();
    let long = json!({"requestParameters": {"functionName": "x".repeat(5_000)}, "errorCode": "AccessDenied"});
    let record = record("a", &identity("mallory", KEY), "lambda", "CreateFunction20150331", &long);
    let history = read_calls(&case, &texts(&[record])).history(minutes(-60), false, String::new(), vec![]);
    assert_eq!(history.calls[0].on.chars().count(), LONGEST);
}

#[test]
fn versions_of_lambdas_api_are_left_out() {
    for (name, bare) in [
        ("CreateFunction20150331", "CreateFunction"),
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
        ("CreateRole", "CreateRole"),
        ("CreateFunctionUrlConfig", "CreateFunctionUrlConfig"),
        ("Remove", "Remove"),
        ("v2", "v2"),
        ("", ""),
    ] {
        assert_eq!(without_version(name), bare);
    }
}

#[test]
fn iam_is_recorded_in_one_region_of_each_partition() {
    assert_eq!(control_plane_of_iam("eu-west-1"), "us-east-1");
    assert_eq!(control_plane_of_iam("us-gov-east-1"), "us-gov-west-1");
    assert_eq!(control_plane_of_iam("cn-northwest-1"), "cn-north-1");
}
