use super::super::fixtures::{QUEUE, TABLE, contained, minutes};
use super::*;
use serde_json::json;

#[test]
fn times_arns_and_key_are_filled_in() {
    let case = contained(TABLE, &json!({}), minutes(1));
    let text = data_events(&case, "arn:aws:iam::111122223333:role/service/exfil-role", minutes(30));
    for part in [
        "eventTime >= '2026-11-24 09:55:00' AND eventTime <= '2026-11-24 10:17:00'",
        "eventTime >= '2026-11-24T09:55:00Z' AND eventTime <= '2026-11-24T10:17:00Z'",
        "strpos(json_format(CAST(resources AS JSON)), 'arn:aws:dynamodb:eu-west-1:111122223333:table/users') > 0",
        "'arn:aws:lambda:eu-west-1:111122223333:function:exfil'",
        "userIdentity.accessKeyId = 'ASIAEXAMPLEEXAMPLE00'",
        "sessionIssuer.arn = 'arn:aws:iam::111122223333:role/service/exfil-role'",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn hostile_names_stay_inside_their_quotes_or_out() {
    let mut case = contained(QUEUE, &json!({}), minutes(1));
    let hostile = "x' OR 1=1 -- '; DROP TABLE y";
    case.opened.finding.actor.access_key_id = hostile.into();
    let text = data_events(&case, "arn\n'; --\u{202e}", minutes(30));
    assert!(text.contains("userIdentity.accessKeyId = 'x'' OR 1=1 -- ''; DROP TABLE y'"), "{text}");
    assert!(!text.contains("sessionIssuer") && text.is_ascii(), "{text}");
    // Each line has its quotes in pairs, so nothing leaks out of them.
    assert!(
        text.lines().filter(|line| !line.starts_with("--")).all(|line| line.matches('\'').count() % 2 == 0),
        "{text}"
    );
    for text in ["", "a\nb", "ü", &"x".repeat(3_000), "a\u{0}"] {
        assert_eq!(literal(text), None);
    }
}
