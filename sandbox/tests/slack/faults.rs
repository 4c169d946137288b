//! Everything that can go wrong does so as it is told.

use std::time::{Duration, Instant};

use sandbox::{SlackEffect, SlackFault, SocketFaults};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;

use crate::app::{App, Http, buttons, call, connect, next, post, ticket, try_call};
use crate::{hasty, start};

#[tokio::test]
async fn scripted_answers_come_as_often_as_they_are_told_to() {
    let slack = hasty();
    let arguments = json!({ "channel": "C0SECURITY", "text": "t" });
    let ask = async || try_call(&slack, slack.bot_token(), "chat.postMessage", &arguments).await.unwrap();
    slack.fault(SlackFault::on("chat.postMessage", SlackEffect::RateLimited { retry_after: 7 }).times(2));
    for _ in 0..2 {
        let refused = ask().await;
        assert_eq!((refused.status, refused.retry_after), (429, Some(7)));
    }
    assert_eq!(ask().await.body["ok"], true);
    slack.fault(SlackFault::on("*", SlackEffect::Status { status: 503 }).after(1).times(1));
    assert_eq!((ask().await.status, ask().await.status, ask().await.status), (200, 503, 200));
    let error = "internal_error".to_owned();
    let id = slack.fault(SlackFault::on("*", SlackEffect::Error { error }).containing("C0SECURITY"));
    assert_eq!(ask().await.body["error"], "internal_error");
    assert_eq!(call(&slack, "auth.test", json!({})).await["ok"], true, "it does not name the channel");
    assert!(slack.faults().remove(id));
    assert_eq!(ask().await.body["ok"], true);
    assert_eq!(slack.messages("C0SECURITY").len(), 4);
    let errors: Vec<_> = slack.calls_of("chat.postMessage").into_iter().filter_map(|call| call.error).collect();
    assert_eq!(errors, ["ratelimited", "ratelimited", "server_error", "internal_error"]);
}

#[tokio::test]
async fn hanging_and_cutting_happen_before_or_after_the_effect() {
    let slack = hasty();
    let arguments = json!({ "channel": "C0SECURITY", "text": "t" });
    for (effect, effects) in [
        (SlackEffect::CutBefore, 0),
        (SlackEffect::HangBefore { ms: 100 }, 0),
        (SlackEffect::CutAfter, 1),
        (SlackEffect::HangAfter { ms: 100 }, 2),
    ] {
        slack.fault(SlackFault::on("chat.postMessage", effect.clone()).times(1));
        let answer = try_call(&slack, slack.bot_token(), "chat.postMessage", &arguments).await;
        assert!(answer.is_err(), "{effect:?}");
        assert_eq!(slack.messages("C0SECURITY").len(), effects, "{effect:?}");
        assert_eq!(slack.calls().pop().unwrap().status, None);
    }
    slack.fault(SlackFault::on("*", SlackEffect::Delay { ms: 120 }).times(1));
    let started = Instant::now();
    assert_eq!(call(&slack, "auth.test", json!({})).await["ok"], true);
    assert!(started.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn all_of_slack_goes_down_and_comes_back() {
    let slack = hasty();
    let (mut socket, _) = connect(&slack).await;
    let url = ticket(&slack).await;
    slack.set_down(true);
    assert_eq!(next(&mut socket).await, None);
    assert!(try_call(&slack, slack.bot_token(), "auth.test", &json!({})).await.is_err());
    assert!(connect_async(&url).await.is_err());
    let page = Http::new().json("GET", &slack.page_url(), &Value::Null).await.unwrap();
    assert_eq!(page.status, 200, "the page is not Slack's");
    slack.set_down(false);
    assert_eq!(call(&slack, "auth.test", json!({})).await["ok"], true);
}

#[tokio::test]
async fn sockets_are_told_to_go_and_go() {
    let slack = hasty();
    let (mut socket, _) = connect(&slack).await;
    slack.disconnect_sockets("warning");
    assert_eq!(next(&mut socket).await.unwrap()["reason"], "warning");
    assert_eq!(slack.connections(), 1);
    slack.disconnect_sockets("refresh_requested");
    assert_eq!(next(&mut socket).await.unwrap()["reason"], "refresh_requested");
    assert_eq!(next(&mut socket).await, None);

    let (mut socket, _) = connect(&slack).await;
    slack.revoke_tokens();
    assert_eq!(next(&mut socket).await.unwrap()["reason"], "link_disabled");
    slack.restore_tokens();

    let after = SocketFaults { disconnect_after_ms: Some(80), ..SocketFaults::default() };
    slack.set_socket_faults(after.clone());
    let (mut socket, _) = connect(&slack).await;
    assert_eq!(next(&mut socket).await, None, "cut without a word");
    slack.set_socket_faults(SocketFaults { disconnect_reason: Some("refresh_requested".to_owned()), ..after });
    let (mut socket, _) = connect(&slack).await;
    assert_eq!(next(&mut socket).await.unwrap()["type"], "disconnect");
}

#[tokio::test]
async fn sockets_are_refused_or_hear_nothing() {
    let slack = hasty();
    slack.set_socket_faults(SocketFaults { refuse: true, ..SocketFaults::default() });
    assert!(connect_async(ticket(&slack).await).await.is_err());
    slack.set_socket_faults(SocketFaults { hang: true, ..SocketFaults::default() });
    let (mut socket, _) = connect_async(ticket(&slack).await).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(200), next(&mut socket)).await.is_err());
    assert_eq!(slack.connections(), 0);
}

#[tokio::test]
async fn envelopes_are_doubled_changed_and_lost() {
    let slack = start(|options| options.acknowledge_within = Duration::from_millis(200));
    let mut app = App::prompt(&slack).await;
    let ts = post(&slack, buttons()).await;
    slack.set_socket_faults(SocketFaults { duplicate: true, ..SocketFaults::default() });
    slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    let (one, two) = (app.envelopes.recv().await.unwrap(), app.envelopes.recv().await.unwrap());
    assert_eq!(one, two);
    let tamper = vec![("/actions/0/value".to_owned(), json!("sg-9:evil"))];
    slack.set_socket_faults(SocketFaults { tamper, ..SocketFaults::default() });
    slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap();
    assert_eq!(app.payload().await["actions"][0]["value"], "sg-9:evil");
    slack.set_socket_faults(SocketFaults { lose: true, ..SocketFaults::default() });
    assert!(!slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap().is_acknowledged());
    slack.faults().clear();
    assert!(slack.click("U0ALICE", "C0SECURITY", &ts, "keep").await.unwrap().is_acknowledged());
}
