//! What Slack refuses to show.

use serde_json::{Value, json};

use crate::app::{buttons, call, view};
use crate::hasty;

fn text(length: usize) -> Value {
    json!({ "type": "plain_text", "text": "x".repeat(length) })
}

fn button(change: impl FnOnce(&mut Value)) -> Value {
    let mut button = json!({ "type": "button", "text": text(5), "action_id": "a", "value": "v" });
    change(&mut button);
    json!({ "type": "actions", "elements": [button] })
}

fn confirm(key: &str, length: usize) -> Value {
    button(|button| {
        button["confirm"] = json!({ "title": text(5), "text": text(5), "confirm": text(5), "deny": text(5) });
        button["confirm"][key] = text(length);
    })
}

/// Blocks that are refused, and where Slack says so.
fn refused() -> Vec<(Value, &'static str)> {
    let section = |length| json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(length) } });
    let many = |count: usize, one: Value| vec![one; count];
    let two = button(|_| {});
    let twice = json!([two["elements"][0], two["elements"][0]]);
    vec![
        (json!(many(51, json!({ "type": "divider" }))), "no more than 50 items allowed [json-pointer:/blocks]"),
        (json!([section(3_001)]), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (json!([section(0)]), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (json!([{ "type": "section" }]), "missing required field: text [json-pointer:/blocks/0]"),
        (
            json!([{ "type": "section", "fields": many(11, text(1)) }]),
            "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
        ),
        (
            json!([{ "type": "section", "fields": [text(2_001)] }]),
            "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
        ),
        (
            json!([{ "type": "header", "text": text(151) }]),
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            json!([{ "type": "header", "text": { "type": "mrkdwn", "text": "x" } }]),
            "must be one of: plain_text [json-pointer:/blocks/0/text/type]",
        ),
        (
            json!([{ "type": "context", "elements": many(11, text(1)) }]),
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            json!([{ "type": "actions", "elements": many(26, json!({})) }]),
            "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            json!([{ "type": "actions", "elements": [] }]),
            "no less than 1 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            json!([{ "type": "actions", "elements": twice }]),
            "`action_id` a already exists [json-pointer:/blocks/0/elements/1]",
        ),
        (
            json!([{ "type": "divider", "block_id": "d" }, { "type": "divider", "block_id": "d" }]),
            "`block_id` d already exists [json-pointer:/blocks/1]",
        ),
        (
            json!([{ "type": "divider", "block_id": "d".repeat(256) }]),
            "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
        ),
        (
            json!([button(|b| b["text"] = text(76))]),
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            json!([button(|b| b["value"] = "v".repeat(2_001).into())]),
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
        ),
        (
            json!([button(|b| b["action_id"] = "v".repeat(256).into())]),
            "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
        ),
        (
            json!([button(|b| b["style"] = "default".into())]),
            "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]",
        ),
        (
            json!([button(|b| b["colour"] = "red".into())]),
            "invalid additional property: colour [json-pointer:/blocks/0/elements/0]",
        ),
        (
            json!([confirm("title", 101)]),
            "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]",
        ),
        (
            json!([confirm("text", 301)]),
            "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]",
        ),
        (
            json!([confirm("confirm", 31)]),
            "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]",
        ),
        (
            json!([confirm("deny", 31)]),
            "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]",
        ),
        (json!([view()["blocks"][0]]), "unsupported type: input [json-pointer:/blocks/0/type]"),
        (json!([{ "type": "carousel" }]), "unsupported type: carousel [json-pointer:/blocks/0/type]"),
    ]
}

#[tokio::test]
async fn blocks_that_break_a_rule_are_refused_with_a_pointer_to_it() {
    let slack = hasty();
    for (blocks, complaint) in refused() {
        let answer = call(&slack, "chat.postMessage", json!({ "channel": "C0SECURITY", "blocks": blocks })).await;
        assert_eq!(answer["error"], "invalid_blocks", "{complaint}");
        let said = &answer["response_metadata"]["messages"];
        assert_eq!(said[0], format!("[ERROR] {complaint}"), "{said}");
        assert_eq!(answer["errors"][0], complaint);
    }
    assert!(slack.messages("C0SECURITY").is_empty());
}

#[tokio::test]
async fn what_is_just_within_the_rules_is_taken() {
    let slack = hasty();
    let widest = json!([
        { "type": "header", "text": text(150), "block_id": "b".repeat(255) },
        { "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(3_000) }, "fields": vec![text(10); 10] },
        { "type": "context", "elements": vec![text(1); 10] },
        button(|b| { b["text"] = text(75); b["value"] = "v".repeat(2_000).into(); b["action_id"] = "a".repeat(255).into(); }),
        confirm("text", 300),
        { "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [{ "type": "text", "text": "x" }] }] },
    ]);
    let answer = call(&slack, "chat.postMessage", json!({ "channel": "C0SECURITY", "blocks": widest })).await;
    assert_eq!(answer["ok"], true, "{answer}");
    let most = json!({ "channel": "C0SECURITY", "blocks": vec![json!({ "type": "divider" }); 50], "text": "x" });
    assert_eq!(call(&slack, "chat.postMessage", most).await["ok"], true);
    let answer = call(&slack, "chat.postMessage", json!({ "channel": "C0SECURITY", "blocks": buttons() })).await;
    assert_eq!(answer["ok"], true, "{answer}");
}

#[tokio::test]
async fn long_messages_are_refused_as_a_whole() {
    let slack = hasty();
    let error = async |arguments: Value| call(&slack, "chat.postMessage", arguments).await["error"].clone();
    let long = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2_900) } });
    assert_eq!(error(json!({ "channel": "C0SECURITY", "blocks": vec![long; 5] })).await, "msg_blocks_too_long");
    assert_eq!(error(json!({ "channel": "C0SECURITY", "text": "x".repeat(40_001) })).await, "msg_too_long");
    assert_eq!(error(json!({ "channel": "C0SECURITY" })).await, "no_text");
    assert_eq!(error(json!({ "channel": "C0SECURITY", "blocks": "[[]]" })).await, "invalid_blocks_format");
    assert_eq!(error(json!({ "channel": "C0SECURITY", "text": "x", "metadata": [] })).await, "invalid_metadata_format");
    let posted = call(&slack, "chat.postMessage", json!({ "channel": "C0SECURITY", "text": "x" })).await;
    let change = json!({ "channel": "C0SECURITY", "ts": posted["ts"], "text": "é".repeat(2_001) });
    assert_eq!(call(&slack, "chat.update", change).await["error"], "msg_too_long", "4,000 bytes");
}

#[tokio::test]
async fn views_that_break_a_rule_are_refused_before_their_trigger_is_looked_at() {
    let slack = hasty();
    let changes: Vec<(&str, Value, &str)> = vec![
        ("/title", text(25), "must be less than 25 characters [json-pointer:/view/title/text]"),
        ("/submit", text(25), "must be less than 25 characters [json-pointer:/view/submit/text]"),
        ("/close", text(25), "must be less than 25 characters [json-pointer:/view/close/text]"),
        (
            "/private_metadata",
            "x".repeat(3_001).into(),
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
        ("/callback_id", "x".repeat(256).into(), "must be less than 256 characters [json-pointer:/view/callback_id]"),
        (
            "/blocks",
            json!(vec![json!({ "type": "divider" }); 101]),
            "no more than 100 items allowed [json-pointer:/view/blocks]",
        ),
        ("/blocks/0/label", text(2_001), "must be less than 2001 characters [json-pointer:/view/blocks/0/label/text]"),
        ("/blocks/0/hint", text(2_001), "must be less than 2001 characters [json-pointer:/view/blocks/0/hint/text]"),
        (
            "/blocks/0/element/placeholder",
            text(151),
            "must be less than 151 characters [json-pointer:/view/blocks/0/element/placeholder/text]",
        ),
        (
            "/blocks/0/element/max_length",
            3_001.into(),
            "must be between 1 and 3000 [json-pointer:/view/blocks/0/element/max_length]",
        ),
        (
            "/blocks/1/element/options/0/text",
            text(76),
            "must be less than 76 characters [json-pointer:/view/blocks/1/element/options/0/text/text]",
        ),
        (
            "/blocks/1/element/options/0/value",
            "x".repeat(151).into(),
            "must be less than 151 characters [json-pointer:/view/blocks/1/element/options/0/value]",
        ),
        (
            "/blocks/1/element/options/0/description",
            text(76),
            "must be less than 76 characters [json-pointer:/view/blocks/1/element/options/0/description/text]",
        ),
        (
            "/blocks/1/element/options",
            json!(vec![json!({ "text": text(1), "value": "1" }); 11]),
            "no more than 10 items allowed [json-pointer:/view/blocks/1/element/options]",
        ),
    ];
    for (pointer, value, complaint) in changes {
        let mut view = view();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        view.pointer_mut(parent).unwrap()[key] = value;
        let answer = call(&slack, "views.open", json!({ "trigger_id": "1.2.3", "view": view })).await;
        assert_eq!(answer["error"], "invalid_arguments", "{complaint}");
        assert_eq!(answer["response_metadata"]["messages"][0], format!("[ERROR] {complaint}"));
    }
    let mut lacking = view();
    lacking.as_object_mut().unwrap().remove("submit");
    let answer = call(&slack, "views.open", json!({ "trigger_id": "1.2.3", "view": lacking })).await;
    assert_eq!(
        answer["response_metadata"]["messages"][0],
        "[ERROR] missing required field: submit [json-pointer:/view]"
    );
    let answer = call(&slack, "views.open", json!({ "trigger_id": "1.2.3", "view": view() })).await;
    assert_eq!(answer["error"], "invalid_trigger_id");
}
