#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;

const CASE: &str = "sg-abcdefgh234567ab";

fn plan(n: u8) -> String {
    format!("{n:064x}")
}

fn clicked(action: &str, value: &str) -> Value {
    json!({
        "type": "block_actions", "api_app_id": "A0SLUICE", "team": {"id": "T0TEAM", "domain": "x"},
        "user": {"id": "U0BOB", "name": "<!channel>", "team_id": "T0TEAM"}, "trigger_id": "1.2.x",
        "container": {"type": "message", "message_ts": "1790000000.000100", "channel_id": "C0SECURITY"},
        "channel": {"id": "C0SECURITY", "name": "security"}, "message": {"text": "approve everything"},
        "response_url": "https://hooks.slack.com/actions/SECRET",
        "actions": [{"action_id": action, "block_id": "b", "value": value, "action_ts": "1790000123.000456"}]
    })
}

fn submitted(metadata: &str, reason: &str, widen: Option<&str>) -> Value {
    let options: Vec<Value> = widen.iter().map(|value| json!({"value": value})).collect();
    json!({
        "type": "view_submission", "api_app_id": "A0SLUICE", "team": {"id": "T0TEAM"},
        "user": {"id": "U0BOB", "team_id": "T0TEAM"},
        "view": {
            "id": "V1", "hash": "1.abc", "callback_id": CALLBACK, "private_metadata": metadata,
            "state": {"values": {
                "reason": {"reason": {"type": "plain_text_input", "value": reason}},
                "widen": {"widen": {"type": "checkboxes", "selected_options": options}}
            }}
        }
    })
}

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn vote(payload: &Value) -> Ballot {
    match parse(payload, now()) {
        Parsed::Is(Interaction::Vote(ballot)) => ballot,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_click_is_a_vote() {
    for action in ["leave", "keep", "disable", "freeze", "delete", "restore"] {
        let ballot = vote(&clicked(action, &format!("{CASE}:{}", plan(1))));
        assert_eq!((ballot.case_id.as_str(), ballot.decision.name(), &ballot.plan), (CASE, action, &plan(1)));
        let Proof::Slack(proof) = &ballot.proof else { panic!() };
        assert_eq!(
            (proof.user_id.as_str(), proof.team_id.as_str(), proof.app_id.as_str()),
            ("U0BOB", "T0TEAM", "A0SLUICE")
        );
        assert_eq!((proof.channel.as_str(), proof.container.as_str()), ("C0SECURITY", "1790000000.000100"));
        assert_eq!(proof.at.as_microsecond(), 1_790_000_123_000_456);
        assert!(!format!("{ballot:?}").contains("SECRET"));
    }
}

#[test]
fn the_same_click_is_the_same_ballot_and_another_is_another() {
    let value = format!("{CASE}:{}", plan(1));
    let first = vote(&clicked("keep", &value));
    assert_eq!(first.id, vote(&clicked("keep", &value)).id);
    assert_eq!(first.id.len(), 32);
    let mut later = clicked("keep", &value);
    later["actions"][0]["action_ts"] = "1790000124.000456".into();
    let mut other = clicked("keep", &value);
    other["user"]["id"] = "U0CAROL".into();
    for different in [later, other, clicked("delete", &value), clicked("keep", &format!("{CASE}:{}", plan(2)))] {
        assert_ne!(first.id, vote(&different).id);
    }
}

#[test]
fn what_needs_a_reason_wants_a_modal() {
    for action in ["delete_restrict", "lift"] {
        let Parsed::Is(Interaction::Modal(wanted)) = parse(&clicked(action, &format!("{CASE}:{}", plan(1))), now())
        else {
            panic!()
        };
        assert_eq!((wanted.decision.name(), wanted.trigger_id.as_str()), (action, "1.2.x"));
    }
}

#[test]
fn a_modal_gives_its_reason_and_the_plan_that_was_chosen() {
    let metadata = format!("{CASE}:{}:delete_restrict", plan(1));
    let narrow = vote(&submitted(&metadata, "  it is rogue \n", None));
    assert_eq!((narrow.reason.as_str(), narrow.plan), ("it is rogue", plan(1)));
    let Proof::Slack(proof) = &narrow.proof else { panic!() };
    assert_eq!((proof.at, proof.container.as_str(), proof.channel.as_str()), (now(), "V1", ""));
    assert_eq!(vote(&submitted(&metadata, "x", Some(&plan(2)))).plan, plan(2));
    let Parsed::Incomplete(Ack(Some(ack))) = parse(&submitted(&metadata, " \n", None), now()) else { panic!() };
    assert_eq!(ack["response_action"], "errors");
    assert!(ack["errors"]["reason"].is_string());
}

#[test]
fn a_rating_is_no_vote() {
    for value in [CASE.to_owned(), format!("{CASE}:{}", plan(1))] {
        let Parsed::Is(Interaction::Rating(rating)) = parse(&clicked("wrong", &value), now()) else { panic!() };
        assert!(!rating.right && rating.case_id.as_str() == CASE);
    }
}

#[test]
fn what_does_not_concern_us_is_ignored() {
    let mut ticked = clicked("keep", &format!("{CASE}:{}", plan(1)));
    ticked["view"] = json!({"id": "V1"});
    let mut other = submitted(&format!("{CASE}:{}:keep", plan(1)), "x", None);
    other["view"]["callback_id"] = "other".into();
    for payload in [ticked, other, clicked("open_docs", ""), json!({"type": "shortcut"}), json!({}), Value::Null] {
        assert!(matches!(parse(&payload, now()), Parsed::Ignored(_)), "{payload}");
    }
}

#[test]
fn what_is_out_of_shape_is_nobodys_vote() {
    let good = format!("{CASE}:{}", plan(1));
    for value in [
        "",
        "sg-x",
        CASE,
        "sg-x:y",
        &format!("{CASE}:abc"),
        &format!("{CASE}:{}", "Z".repeat(64)),
        &format!("{good}:x"),
    ] {
        assert!(matches!(parse(&clicked("keep", value), now()), Parsed::Malformed { proof: Some(_), .. }), "{value}");
    }
    for pointer in ["/user/id", "/api_app_id"] {
        for wrong in [Value::Null, json!(""), json!("u0bob"), json!(["U0BOB"]), json!("U0BOB\n"), json!("U".repeat(99))]
        {
            let mut payload = clicked("keep", &good);
            *payload.pointer_mut(pointer).unwrap() = wrong;
            assert!(matches!(parse(&payload, now()), Parsed::Malformed { proof: None, .. }), "{payload}");
        }
    }
    for metadata in ["", "a:b", &good, &format!("{good}:nonsense"), &format!("{good}:keep:x")] {
        assert!(matches!(parse(&submitted(metadata, "x", None), now()), Parsed::Malformed { .. }), "{metadata}");
    }
    assert!(matches!(parse(&submitted(&format!("{good}:keep"), "x", Some("abc")), now()), Parsed::Malformed { .. }));
    let mut no_actions = clicked("keep", &good);
    no_actions["actions"] = json!([]);
    assert!(matches!(parse(&no_actions, now()), Parsed::Ignored(_)));
}
