//! Sockets, clicks, views.

use std::time::Duration;

use sandbox::{ClickError, RawClick, RawSubmission, Tampering};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_tungstenite::connect_async;

use crate::app::{App, Http, buttons, call, connect, next, post, ticket, view};
use crate::{hasty, start};

#[tokio::test]
async fn a_ticket_is_used_once_and_an_app_has_ten_connections() {
    let slack = hasty();
    let url = ticket(&slack).await;
    let (_first, _) = connect_async(&url).await.unwrap();
    assert!(connect_async(&url).await.is_err());
    let mut open = Vec::new();
    for number in 2..=10 {
        let (socket, hello) = connect(&slack).await;
        assert_eq!(hello["num_connections"], number);
        assert_eq!(hello["connection_info"]["app_id"], "A0SLUICE");
        open.push(socket);
    }
    let (mut eleventh, said) = connect(&slack).await;
    assert_eq!((&said["type"], &said["reason"]), (&json!("disconnect"), &json!("too_many_websockets")));
    assert_eq!(next(&mut eleventh).await, None);
}

#[tokio::test]
async fn a_click_arrives_in_slacks_shape_and_its_acknowledgement_is_timed() {
    let slack = hasty();
    let mut app = App::prompt(&slack).await;
    let ts = post(&slack, buttons()).await;
    let outcome = slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    assert!(outcome.is_acknowledged() && outcome.took_ms.unwrap() < 1_000);
    assert_eq!(slack.acknowledgements(), std::slice::from_ref(&outcome));

    let envelope = app.envelopes.recv().await.unwrap();
    assert_eq!(envelope["type"], "interactive");
    assert_eq!((&envelope["accepts_response_payload"], &envelope["retry_attempt"]), (&json!(false), &json!(0)));
    assert_eq!(envelope["envelope_id"], outcome.envelope_id.as_str());
    let payload = &envelope["payload"];
    assert_eq!(payload["type"], "block_actions");
    assert_eq!(payload["user"], json!({ "id": "U0ALICE", "username": "alice", "name": "alice", "team_id": "T0TEAM" }));
    assert_eq!((&payload["api_app_id"], &payload["team"]["id"]), (&json!("A0SLUICE"), &json!("T0TEAM")));
    assert_eq!(
        payload["container"],
        json!({
            "type": "message", "message_ts": ts, "channel_id": "C0SECURITY", "is_ephemeral": false,
        })
    );
    assert_eq!(payload["channel"], json!({ "id": "C0SECURITY", "name": "security" }));
    assert_eq!(payload["message"]["blocks"][0]["block_id"], "decide");
    let action = &payload["actions"][0];
    assert_eq!((&action["action_id"], &action["value"]), (&json!("keep"), &json!("sg-1:abc")));
    assert_eq!(
        (&action["block_id"], &action["type"], &action["style"]),
        (&json!("decide"), &json!("button"), &json!("primary"))
    );
    assert!(action["action_ts"].is_string() && payload["trigger_id"].is_string() && payload["enterprise"].is_null());
}

#[tokio::test]
async fn what_is_not_acknowledged_in_time_is_seen_as_an_error() {
    let slack = start(|options| {
        options.post_burst = 100;
        options.acknowledge_within = Duration::from_millis(150);
    });
    let ts = post(&slack, buttons()).await;
    let nobody = slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    assert!(!nobody.is_acknowledged() && nobody.connection.is_none(), "no connection");

    let _late = App::start(&slack, |_| Some((Duration::from_millis(300), Value::Null))).await;
    let late = slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    assert_eq!((late.is_acknowledged(), late.took_ms), (false, None));
    assert_eq!(slack.warnings().len(), 2);
    tokio::time::sleep(Duration::from_millis(250)).await;
    let seen = slack.acknowledgements().pop().unwrap();
    assert!(!seen.in_time && seen.took_ms.unwrap() >= 250, "late, and known to be: {seen:?}");
}

#[tokio::test]
async fn interactions_are_sent_again_only_where_it_is_asked_for() {
    let slack = start(|options| {
        options.acknowledge_within = Duration::from_millis(100);
        options.resends = 2;
    });
    let mut app =
        App::start(&slack, |envelope| (envelope["retry_attempt"] == 1).then_some((Duration::ZERO, Value::Null))).await;
    let ts = post(&slack, buttons()).await;
    let outcome = slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    assert_eq!((outcome.is_acknowledged(), outcome.resends), (true, 1));
    app.envelopes.recv().await.unwrap();
    assert_eq!(app.envelopes.recv().await.unwrap()["retry_reason"], "timeout");
}

#[tokio::test]
async fn only_what_is_there_now_can_be_clicked_and_the_rest_can_be_forged() {
    let slack = hasty();
    let mut app = App::prompt(&slack).await;
    let ts = post(&slack, buttons()).await;
    let none = slack.click("U0ALICE", "C0SECURITY", &ts, "restore").await;
    assert_eq!(none, Err(ClickError::NoButton("restore".to_owned())));
    let change = json!({ "channel": "C0SECURITY", "ts": ts, "text": "closed", "blocks": [{ "type": "divider" }] });
    call(&slack, "chat.update", change).await;
    assert!(slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.is_err());
    assert!(slack.click("U0ALICE", "C0SECURITY", "1.000001", "keep").await.is_err());

    let forged = RawClick::new("U0MALLORY", "C0SECURITY", &ts, "keep", "sg-1:old").app_id("A0OTHER").team_id("T0OTHER");
    assert!(slack.click_raw(forged).await.unwrap().is_acknowledged());
    let payload = app.payload().await;
    assert_eq!((&payload["api_app_id"], &payload["team"]["id"]), (&json!("A0OTHER"), &json!("T0OTHER")));
    assert_eq!((&payload["actions"][0]["value"], &payload["user"]["name"]), (&json!("sg-1:old"), &json!("mallory")));

    let first = slack.acknowledgements().pop().unwrap().envelope_id;
    assert_eq!(slack.replay(&first, false).await.unwrap().envelope_id, first);
    assert_ne!(slack.replay(&first, true).await.unwrap().envelope_id, first);
    assert_eq!(app.payload().await, payload);
    slack.inject(json!({ "type": "block_actions", "user": {} })).await.unwrap();
    app.payload().await;
    assert_eq!(app.payload().await, json!({ "type": "block_actions", "user": {} }));
}

#[tokio::test]
async fn a_trigger_opens_one_view_within_its_life() {
    let slack = start(|options| options.trigger_lifetime = Duration::from_millis(200));
    let mut app = App::prompt(&slack).await;
    let ts = post(&slack, buttons()).await;
    let mut trigger = async || {
        slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
        app.payload().await["trigger_id"].clone()
    };
    let open =
        async |trigger: &Value| call(&slack, "views.open", json!({ "trigger_id": trigger, "view": view() })).await;
    let first = trigger().await;
    let opened = open(&first).await;
    assert_eq!((&opened["ok"], &opened["view"]["callback_id"]), (&json!(true), &json!("sluicegate_decide")));
    assert_eq!(slack.open_view_of("U0ALICE").unwrap()["id"], opened["view"]["id"]);
    assert_eq!(open(&first).await["error"], "exchanged_trigger_id");
    let second = trigger().await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(open(&second).await["error"], "expired_trigger_id");
    let third = trigger().await;
    let pushed = call(&slack, "views.push", json!({ "trigger_id": third, "view": view() })).await;
    assert_eq!(pushed["view"]["root_view_id"], opened["view"]["id"]);
    assert_eq!(slack.views("U0ALICE").len(), 2);
    let update = json!({ "view_id": opened["view"]["id"], "hash": "1.2", "view": view() });
    assert_eq!(call(&slack, "views.update", update).await["error"], "hash_conflict");
}

#[expect(clippy::unnecessary_wraps, reason = "as apps are told")]
fn refuse_no(envelope: &Value) -> Option<(Duration, Value)> {
    let reason = &envelope["payload"]["view"]["state"]["values"]["reason"]["reason"]["value"];
    let payload = match reason.as_str() {
        Some("no") => json!({ "response_action": "errors", "errors": { "reason": "Say more." } }),
        Some("next") => json!({ "response_action": "update", "view": view() }),
        _ => Value::Null,
    };
    Some((Duration::ZERO, payload))
}

#[tokio::test]
async fn a_view_is_filled_in_and_submitted() {
    let slack = hasty();
    let mut app = App::start(&slack, refuse_no).await;
    let ts = post(&slack, buttons()).await;
    slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    let trigger = app.payload().await["trigger_id"].clone();
    let opened = call(&slack, "views.open", json!({ "trigger_id": trigger, "view": view() })).await;
    let id = opened["view"]["id"].as_str().unwrap();
    let submit = async |values: &[(&str, &str, Value)]| slack.submit("U0ALICE", id, values).await;

    assert_eq!(submit(&[]).await, Err(ClickError::Required("reason".to_owned())));
    assert_eq!(
        submit(&[("reason", "reason", "x".repeat(21).into())]).await,
        Err(ClickError::Length("reason".to_owned()))
    );
    assert!(submit(&[("nothing", "reason", "x".into())]).await.is_err());

    let refused = submit(&[("reason", "reason", "no".into())]).await.unwrap();
    assert_eq!(refused.response_payload.unwrap()["response_action"], "errors");
    assert_eq!(slack.views("U0ALICE")[0].errors["reason"], "Say more.");
    app.payload().await;
    submit(&[("reason", "reason", "next".into())]).await.unwrap();
    assert_eq!(slack.open_view_of("U0ALICE").unwrap()["id"], id, "updated in its place");
    app.payload().await;

    let values = [("reason", "reason", json!("ours")), ("more", "boxes", json!(["2"])), ("which", "menu", json!("b"))];
    assert!(submit(&values).await.unwrap().is_acknowledged());
    assert!(slack.open_view_of("U0ALICE").is_none());
    let payload = app.payload().await;
    let state = &payload["view"]["state"]["values"];
    assert_eq!(state["reason"]["reason"], json!({ "type": "plain_text_input", "value": "ours" }));
    assert_eq!(state["more"]["boxes"]["selected_options"][0]["value"], "2");
    assert_eq!(state["which"]["menu"]["selected_option"]["value"], "b");
    assert_eq!(
        (&payload["type"], &payload["view"]["private_metadata"]),
        (&json!("view_submission"), &json!("sg-1:abc"))
    );
    assert_eq!(payload["response_urls"], json!([]));
    let forged = RawSubmission {
        user: "U0MALLORY".to_owned(),
        view: json!({ "private_metadata": "sg-2:zzz", "callback_id": "sluicegate_decide" }),
        values: json!({ "reason": { "reason": { "type": "plain_text_input", "value": "x" } } }),
        with: vec![("/api_app_id".to_owned(), "A0OTHER".into())],
    };
    slack.submit_raw(forged).await.unwrap();
    let payload = app.payload().await;
    assert_eq!((&payload["view"]["private_metadata"], &payload["api_app_id"]), (&json!("sg-2:zzz"), &json!("A0OTHER")));
}

#[tokio::test]
async fn a_response_url_is_good_for_five_answers() {
    let slack = hasty();
    let mut app = App::prompt(&slack).await;
    let ts = post(&slack, buttons()).await;
    slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    let url = app.payload().await["response_url"].as_str().unwrap().to_owned();
    let say = async |body: Value| Http::new().json("POST", &url, &body).await.unwrap().status;
    assert_eq!(say(json!({ "response_type": "ephemeral", "replace_original": false, "text": "no" })).await, 200);
    assert_eq!(slack.ephemerals("U0ALICE")[0].text, "no");
    assert_eq!(say(json!({ "replace_original": true, "text": "done" })).await, 200);
    assert_eq!(slack.message("C0SECURITY", &ts).unwrap().text, "done");
    assert_eq!(say(json!({ "response_type": "in_channel", "text": "all" })).await, 200);
    assert_eq!(slack.messages("C0SECURITY").len(), 2);
    assert_eq!(say(json!({ "text": "4" })).await, 200);
    assert_eq!(say(json!({ "text": "5" })).await, 200);
    assert_eq!(say(json!({ "text": "6" })).await, 404);
}

#[tokio::test]
async fn the_same_can_be_done_over_http() {
    let slack = hasty();
    let mut app = App::prompt(&slack).await;
    let ts = post(&slack, buttons()).await;
    let http = Http::new();
    let url = |path: &str| format!("{}/{path}", slack.control_url());
    let click = json!({ "user": "U0BOB", "channel": "C0SECURITY", "ts": ts, "action_id": "delete" });
    let clicked = http.json("POST", &url("click"), &click).await.unwrap();
    assert_eq!((clicked.status, &clicked.body["in_time"]), (200, &json!(true)));
    assert_eq!(app.payload().await["user"]["id"], "U0BOB");
    let stale = json!({ "user": "U0BOB", "channel": "C0SECURITY", "ts": ts, "action_id": "gone" });
    let refused = http.json("POST", &url("click"), &stale).await.unwrap();
    assert_eq!((refused.status, &refused.body["message"]), (409, &json!("the message has no button gone")));
    let raw = json!({ "user": "U0BOB", "channel": "C0SECURITY", "ts": ts, "action_id": "gone", "with": [["/team/id", "T0"]] });
    assert_eq!(http.json("POST", &url("click-raw"), &raw).await.unwrap().status, 200);
    assert_eq!(app.payload().await["team"]["id"], "T0");

    let state = http.json("GET", &url("state?as=U0BOB"), &Value::Null).await.unwrap().body;
    assert_eq!(state["channels"][0]["messages"][0]["ts"], ts.as_str());
    let same = url(&format!("state?as=U0BOB&since={}", state["version"]));
    assert_eq!(http.json("GET", &same, &Value::Null).await.unwrap().status, 204);
    let put = async |path: &str, body: Value| http.json("PUT", &url(path), &body).await.unwrap().status;
    assert_eq!(put("groups/S0ONCALL", json!(["U0ALICE"])).await, 200);
    assert_eq!(slack.group("S0ONCALL").unwrap().users, ["U0ALICE"]);
    assert_eq!(put("users/U0NEW", json!({ "id": "U0NEW", "name": "new" })).await, 200);
    assert_eq!(put("tokens", json!("revoked")).await, 200);
    assert_eq!(put("tokens", json!("mine")).await, 400);
    assert_eq!(http.json("GET", &url(""), &Value::Null).await.unwrap().body["app_token"], slack.app_token());
    let page = http.json("GET", &slack.page_url(), &Value::Null).await.unwrap().body;
    assert!(page.as_str().unwrap().starts_with("<!doctype html>"));
}

/// A server that takes one request and answers 200; the request.
async fn one_request(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut taken = Vec::new();
    loop {
        let mut buffer = [0; 8_192];
        let count = stream.read(&mut buffer).await.unwrap();
        taken.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&taken).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse().unwrap() {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            return text;
        }
    }
}

#[tokio::test]
async fn interactions_go_signed_over_http_where_there_is_a_url_for_them() {
    let slack = hasty();
    let ts = post(&slack, buttons()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/slack/interactions", listener.local_addr().unwrap());
    slack.send_interactions_to(Some(&url));
    let serving = tokio::spawn(one_request(listener));
    assert!(slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap().is_acknowledged());
    let request = serving.await.unwrap();
    assert!(request.starts_with("POST /slack/interactions"));
    assert!(request.contains("x-slack-signature: v0=") && request.contains("x-slack-request-timestamp: "));
    assert!(request.contains("payload=%7B"));

    let failed = slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    assert!(!failed.is_acknowledged(), "nobody listens any more");
    let nowhere = format!("{}nowhere", slack.page_url());
    let answer = slack.post_signed(&nowhere, &json!({ "type": "block_actions" }), Tampering::Body).await.unwrap();
    assert_eq!(answer.status, 404);
    slack.send_interactions_to(None);
    let _app = App::prompt(&slack).await;
    assert!(slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap().is_acknowledged());
}
