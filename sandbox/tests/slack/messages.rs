//! Messages, people, tokens.

use sandbox::{Channel, User};
use serde_json::{Value, json};

use crate::app::{call, form, post, try_call};
use crate::{hasty, start};

const CARD: &str = r#"{"event_type":"sluicegate_case","event_payload":{"case_id":"sg-1","seq":3}}"#;

fn card() -> Value {
    serde_json::from_str(CARD).unwrap()
}

#[tokio::test]
async fn a_message_is_posted_changed_read_and_deleted() {
    let slack = hasty();
    let posted = call(
        &slack,
        "chat.postMessage",
        json!({ "channel": "C0SECURITY", "text": "a & b", "blocks": [{ "type": "divider" }], "metadata": card() }),
    )
    .await;
    let ts = posted["ts"].as_str().unwrap();
    assert_eq!(posted["message"]["app_id"], "A0SLUICE");
    assert!(posted["message"]["blocks"][0]["block_id"].is_string(), "Slack gives blocks an id");
    assert_eq!(slack.cards()["sg-1"].len(), 1);

    let changed = call(
        &slack,
        "chat.update",
        json!({ "channel": "C0SECURITY", "ts": ts, "text": "c", "blocks": [{ "type": "divider" }, { "type": "divider" }] }),
    )
    .await;
    assert_eq!((&changed["ok"], &changed["text"]), (&json!(true), &json!("c")));
    let message = slack.message("C0SECURITY", ts).unwrap();
    assert_eq!((message.blocks.len(), message.metadata.clone(), message.updates), (2, Some(card()), 1), "it stays");

    call(&slack, "chat.update", json!({ "channel": "C0SECURITY", "ts": ts, "text": "only text" })).await;
    assert!(slack.message("C0SECURITY", ts).unwrap().blocks.is_empty(), "a text alone takes the blocks away");
    call(&slack, "chat.update", json!({ "channel": "C0SECURITY", "ts": ts, "metadata": {} })).await;
    assert_eq!(slack.message("C0SECURITY", ts).unwrap().metadata, None);

    let deleted = call(&slack, "chat.delete", json!({ "channel": "C0SECURITY", "ts": ts })).await;
    assert_eq!(deleted["ok"], true);
    let again = call(&slack, "chat.update", json!({ "channel": "C0SECURITY", "ts": ts, "text": "d" })).await;
    assert_eq!(again["error"], "message_not_found");
}

#[tokio::test]
async fn history_is_newest_first_in_pages_and_keeps_metadata_to_itself() {
    let slack = hasty();
    for number in 0..5 {
        let arguments = json!({ "channel": "C0SECURITY", "text": format!("{number}"), "metadata": CARD });
        assert_eq!(form(&slack, "chat.postMessage", arguments).await["ok"], true);
    }
    let texts = |page: &Value| -> Vec<String> {
        page["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
    };
    let all = form(&slack, "conversations.history", json!({ "channel": "C0SECURITY" })).await;
    assert_eq!(texts(&all), ["4", "3", "2", "1", "0"]);
    assert!(all["messages"][0].get("metadata").is_none());

    let mut cursor = String::new();
    let mut seen = Vec::new();
    loop {
        let arguments =
            json!({ "channel": "C0SECURITY", "limit": 2, "cursor": cursor, "include_all_metadata": "true" });
        let page = form(&slack, "conversations.history", arguments).await;
        assert_eq!(page["messages"][0]["metadata"], card());
        seen.extend(texts(&page));
        cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);

    let oldest = &all["messages"][1]["ts"];
    let newer = form(&slack, "conversations.history", json!({ "channel": "C0SECURITY", "oldest": oldest })).await;
    assert_eq!(texts(&newer), ["4"]);
    let older = form(&slack, "conversations.history", json!({ "channel": "C0SECURITY", "latest": oldest })).await;
    assert_eq!(texts(&older), ["2", "1", "0"]);
}

#[tokio::test]
async fn replies_belong_to_their_message() {
    let slack = hasty();
    let ts = post(&slack, json!([{ "type": "divider" }])).await;
    let reply = json!({ "channel": "C0SECURITY", "text": "r", "thread_ts": ts });
    let first = call(&slack, "chat.postMessage", reply).await;
    let second = json!({ "channel": "C0SECURITY", "text": "s", "thread_ts": first["ts"], "reply_broadcast": true });
    assert_eq!(call(&slack, "chat.postMessage", second).await["message"]["thread_ts"], ts.as_str(), "of the message");

    assert_eq!(slack.messages("C0SECURITY").len(), 1);
    assert_eq!(slack.messages("C0SECURITY")[0].replies.len(), 2);
    let thread = form(&slack, "conversations.replies", json!({ "channel": "C0SECURITY", "ts": ts })).await;
    assert_eq!(thread["messages"].as_array().unwrap().len(), 3);
    assert_eq!(thread["messages"][0]["reply_count"], 2);
    let channel = form(&slack, "conversations.history", json!({ "channel": "C0SECURITY" })).await;
    assert_eq!(channel["messages"].as_array().unwrap().len(), 2, "the broadcast one as well");
    let nowhere = json!({ "channel": "C0SECURITY", "text": "r", "thread_ts": "1.000001" });
    assert_eq!(call(&slack, "chat.postMessage", nowhere).await["error"], "thread_not_found");
}

#[tokio::test]
async fn channels_say_why_they_cannot_be_used() {
    let slack = hasty();
    slack.set_channel(Channel::new("C0OLD", "old"));
    slack.archive("C0OLD");
    slack.kick_bot("C0FALLBACK");
    for (channel, error) in
        [("C0OLD", "is_archived"), ("C0FALLBACK", "not_in_channel"), ("C0NONE", "channel_not_found")]
    {
        let posted = call(&slack, "chat.postMessage", json!({ "channel": channel, "text": "t" })).await;
        assert_eq!(posted["error"], error);
    }
    let info = form(&slack, "conversations.info", json!({ "channel": "C0OLD" })).await;
    assert_eq!(info["channel"]["is_archived"], true);
}

#[tokio::test]
async fn people_are_described_as_slack_does() {
    let slack = hasty();
    let user = async |id: &str| form(&slack, "users.info", json!({ "user": id })).await["user"].clone();
    assert_eq!(user("U0ALICE").await["profile"]["email"], "alice@example.com");
    assert_eq!(user("U0GUEST").await["is_restricted"], true);
    let gone = user("U0GONE").await;
    assert_eq!((gone["deleted"].clone(), gone.get("is_restricted")), (json!(true), None));
    assert_eq!(user("U0ROBOT").await["is_bot"], true);
    assert_eq!(user("U0EXTERN").await["team_id"], "T0OTHER");
    assert_eq!(form(&slack, "users.info", json!({ "user": "U0NONE" })).await["error"], "user_not_found");
    let as_json = call(&slack, "users.info", json!({ "user": "U0ALICE" })).await;
    assert_eq!(as_json["error"], "user_not_found", "it does not read JSON, nor does Slack");

    let members =
        async || form(&slack, "usergroups.users.list", json!({ "usergroup": "S0ONCALL" })).await["users"].clone();
    assert_eq!(members().await, json!(["U0BOB", "U0CAROL"]));
    slack.set_group("S0ONCALL", &["U0DAVE", "U0GONE"]);
    slack.add_user(User::member("U0DAVE", "dave", "Dave"));
    assert_eq!(members().await, json!(["U0DAVE"]), "who is gone is not listed");
    let none = form(&slack, "usergroups.users.list", json!({ "usergroup": "S0NONE" })).await;
    assert_eq!(none["error"], "no_such_subteam");
}

#[tokio::test]
async fn tokens_are_looked_at() {
    let slack = hasty();
    let error = async |token: &str, method: &str| {
        try_call(&slack, token, method, &json!({})).await.unwrap().body["error"].clone()
    };
    assert_eq!(error("", "auth.test").await, "not_authed");
    assert_eq!(error("xoxb-other", "auth.test").await, "invalid_auth");
    assert_eq!(error(slack.app_token(), "auth.test").await, "not_allowed_token_type");
    assert_eq!(error(slack.bot_token(), "apps.connections.open").await, "not_allowed_token_type");
    assert_eq!(error(slack.bot_token(), "chat.nonsense").await, "unknown_method");
    let who = call(&slack, "auth.test", json!({})).await;
    assert_eq!((who["team_id"].as_str(), who["bot_id"].as_str()), (Some("T0TEAM"), Some("B0SLUICE")));
    slack.revoke_tokens();
    assert_eq!(error(slack.bot_token(), "auth.test").await, "token_revoked");
    assert_eq!(error(slack.app_token(), "apps.connections.open").await, "token_revoked");
    slack.deactivate_account();
    assert_eq!(error(slack.bot_token(), "auth.test").await, "account_inactive");
    slack.restore_tokens();
    assert_eq!(call(&slack, "auth.test", json!({})).await["ok"], true);
}

#[tokio::test]
async fn a_channel_takes_about_one_message_a_second() {
    let slack = start(|options| {
        options.post_burst = 2;
        options.post_interval = std::time::Duration::from_millis(400);
    });
    let post = async |channel: &str| {
        try_call(&slack, slack.bot_token(), "chat.postMessage", &json!({ "channel": channel, "text": "t" }))
            .await
            .unwrap()
    };
    for status in [200, 200, 429] {
        assert_eq!(post("C0SECURITY").await.status, status);
    }
    let refused = post("C0SECURITY").await;
    assert_eq!((refused.retry_after, &refused.body["error"]), (Some(1), &json!("ratelimited")));
    assert_eq!(post("C0FALLBACK").await.status, 200, "each channel for itself");
    tokio::time::sleep(std::time::Duration::from_millis(450)).await;
    assert_eq!(post("C0SECURITY").await.status, 200);
}

#[tokio::test]
async fn ephemerals_are_seen_by_one_person() {
    let slack = hasty();
    let arguments = json!({ "channel": "C0SECURITY", "user": "U0ALICE", "text": "psst" });
    assert_eq!(call(&slack, "chat.postEphemeral", arguments).await["ok"], true);
    assert_eq!(slack.ephemerals("U0ALICE").len(), 1);
    assert!(slack.ephemerals("U0BOB").is_empty() && slack.messages("C0SECURITY").is_empty());
    let gone = json!({ "channel": "C0SECURITY", "user": "U0GONE", "text": "psst" });
    assert_eq!(call(&slack, "chat.postEphemeral", gone).await["error"], "user_not_in_channel");
}
