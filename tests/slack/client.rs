//! The Web API's client: what each failure is called, who people are, and what finds a message again.

use crate::common::opened;
use crate::stage::{FALLBACK, SECURITY, Stage, TIME_OUT};
use sandbox::{SlackEffect, SlackFault};
use serde_json::{Value, json};
use sluicegate::case::CaseId;
use sluicegate::ports::{Chat, ChatError, Message, Metadata};
use std::time::{Duration, Instant};

fn case(n: u32) -> CaseId {
    opened(&format!("e{n}"), n).case_id
}

fn message(n: u32, seq: u64) -> Message {
    Message {
        text: format!("case {n}"),
        blocks: json!([{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]),
        metadata: Some(Metadata { event_type: "sluicegate_case", case_id: case(n), seq }),
    }
}

#[tokio::test]
async fn a_message_is_posted_changed_and_found_again() {
    let stage = Stage::new();
    let chat = stage.chat();
    let posted = chat.post(SECURITY, None, &message(1, 1)).await.unwrap();
    chat.post(SECURITY, None, &message(2, 1)).await.unwrap();
    chat.update(&posted, &Message { text: "changed".into(), blocks: Value::Null, ..message(1, 7) }).await.unwrap();
    let shown = stage.double.message(SECURITY, &posted.ts).unwrap();
    assert_eq!((shown.text.as_str(), shown.blocks.len()), ("changed", 0));
    let found = chat.find(SECURITY, None, "sluicegate_case", &case(1)).await.unwrap().unwrap();
    assert_eq!((&found.ts, found.seq), (&posted.ts, 7));
    assert_eq!(chat.find(SECURITY, None, "sluicegate_case", &case(3)).await.unwrap(), None);
    assert_eq!(chat.find(SECURITY, None, "sluicegate_audit", &case(1)).await.unwrap(), None);
    assert_eq!(chat.find(FALLBACK, None, "sluicegate_case", &case(1)).await.unwrap(), None);
    for (text, seq) in [("one", 3), ("two", 5)] {
        let reply = Message { text: text.into(), ..message(1, seq) };
        chat.post(SECURITY, Some(&posted.ts), &reply).await.unwrap();
    }
    let newest = chat.find(SECURITY, Some(&posted.ts), "sluicegate_case", &case(1)).await.unwrap().unwrap();
    assert_eq!(newest.seq, 7, "the card is the first message of its thread");
    let loud = chat.broadcast(SECURITY, &posted.ts, &message(1, 9)).await.unwrap();
    assert!(stage.double.message(SECURITY, &loud.ts).unwrap().broadcast);
    for call in stage.double.calls_of("chat.postMessage") {
        for (key, value) in [("unfurl_links", json!(false)), ("link_names", json!(false)), ("parse", json!("none"))] {
            assert_eq!(call.arguments[key], value, "{key}");
        }
    }
}

#[tokio::test]
async fn a_message_is_found_behind_many_others() {
    let stage = Stage::new();
    let chat = stage.chat();
    for n in 1..=450 {
        chat.post(SECURITY, None, &message(n, 1)).await.unwrap();
    }
    assert!(chat.find(SECURITY, None, "sluicegate_case", &case(1)).await.unwrap().is_some());
}

type Is = fn(&ChatError) -> bool;

#[tokio::test]
async fn each_failure_is_told_apart() {
    let stage = Stage::new();
    let chat = stage.chat();
    let error = |code: &str| SlackEffect::Error { error: code.into() };
    let ambiguous: Is = |error| matches!(error, ChatError::Ambiguous { .. });
    let cases: [(SlackEffect, Is); 12] = [
        (SlackEffect::HangBefore { ms: 5_000 }, ambiguous),
        (SlackEffect::HangAfter { ms: 5_000 }, ambiguous),
        (SlackEffect::CutBefore, ambiguous),
        (SlackEffect::CutAfter, ambiguous),
        (SlackEffect::Status { status: 503 }, ambiguous),
        (error("fatal_error"), ambiguous),
        (
            SlackEffect::RateLimited { retry_after: 1 },
            |error| matches!(error, ChatError::Later { retry_after: Some(wait), .. } if wait.as_secs() == 1),
        ),
        (error("is_archived"), |error| matches!(error, ChatError::Channel { .. })),
        (error("channel_not_found"), |error| matches!(error, ChatError::Channel { .. })),
        (error("token_revoked"), |error| matches!(error, ChatError::Token { .. })),
        (error("account_inactive"), |error| matches!(error, ChatError::Token { .. })),
        (error("invalid_blocks"), |error| matches!(error, ChatError::Refused { .. })),
    ];
    for (n, (effect, is)) in (1..).zip(cases) {
        stage.double.faults().clear();
        stage.double.fault(SlackFault::on("chat.postMessage", effect.clone()).times(1));
        let began = Instant::now();
        // Another channel each time, for what is told about one holds for it.
        let channel = format!("C{n}");
        stage.double.set_channel(sandbox::Channel::new(&channel, &channel));
        let failed = chat.post(&channel, None, &message(n, 1)).await.unwrap_err();
        assert!(is(&failed), "{effect:?}: {failed:?}");
        assert!(began.elapsed() < TIME_OUT + Duration::from_secs(1), "{effect:?}");
    }
    stage.double.faults().clear();
    stage.double.set_down(true);
    let down = chat.post(SECURITY, None, &message(1, 1)).await.unwrap_err();
    assert!(matches!(down, ChatError::Later { .. } | ChatError::Ambiguous { .. }), "{down:?}");
}

#[tokio::test]
async fn nothing_is_listening() {
    let api = sluicegate::slack::Api::new("http://127.0.0.1:1/api").unwrap();
    let secret = sluicegate::config::Secret::new("xoxb-VERYSECRET");
    let token = sluicegate::slack::Token::new(sluicegate::slack::TokenKind::Bot, &secret).unwrap();
    let chat = sluicegate::slack::SlackClient::new(api, token.into(), sluicegate::slack::AppId::default());
    let error = chat.post(SECURITY, None, &message(1, 1)).await.unwrap_err();
    assert!(matches!(error, ChatError::Later { .. }), "{error:?}");
    assert!(!format!("{error} {error:?} {chat:?}").contains("VERYSECRET"));
}

#[tokio::test]
async fn people_are_as_slack_has_them() {
    let stage = Stage::new();
    let chat = stage.chat();
    let bob = chat.user("U0BOB").await.unwrap();
    assert_eq!((bob.team_id.as_str(), bob.email.as_str()), ("T0TEAM", "bob@example.com"));
    assert!(!bob.deleted && !bob.bot && !bob.restricted && !bob.external);
    assert!(chat.user("U0GUEST").await.unwrap().restricted);
    assert!(chat.user("U0GONE").await.unwrap().deleted);
    assert!(chat.user("U0ROBOT").await.unwrap().bot);
    assert!(chat.user("U0EXTERN").await.unwrap().external);
    assert!(matches!(chat.user("U0NOBODY").await, Err(ChatError::Refused { .. })));
    assert_eq!(chat.members("S0ONCALL").await.unwrap(), ["U0BOB", "U0CAROL"]);
    assert!(matches!(chat.members("S0NONE").await, Err(ChatError::Refused { .. })));
    stage.double.clear_calls();
    for _ in 0..10 {
        chat.user("U0BOB").await.unwrap();
        chat.members("S0ONCALL").await.unwrap();
    }
    assert_eq!(stage.double.calls().len(), 0, "asked for once a minute");
    // What fails is not remembered.
    stage.double.fault(SlackFault::on("users.info", SlackEffect::CutBefore).times(1));
    assert!(matches!(chat.user("U0ALICE").await, Err(ChatError::Later { .. })));
    assert!(chat.user("U0ALICE").await.is_ok());
    let own = chat.workspace().await.unwrap();
    assert_eq!((own.team_id.as_str(), own.user_id.as_str()), ("T0TEAM", "U0SLUICE"));
}

#[tokio::test]
async fn what_slack_tells_about_waiting_is_kept_to() {
    let stage = Stage::new();
    let chat = stage.chat();
    stage.double.fault(SlackFault::on("chat.postMessage", SlackEffect::RateLimited { retry_after: 60 }).times(1));
    for _ in 0..5 {
        let error = chat.post(SECURITY, None, &message(1, 1)).await.unwrap_err();
        assert!(matches!(error, ChatError::Later { retry_after: Some(_), .. }), "{error:?}");
    }
    assert_eq!(stage.double.calls_of("chat.postMessage").len(), 1, "Slack is not asked again before its time");
    chat.post(FALLBACK, None, &message(1, 1)).await.unwrap();
}
