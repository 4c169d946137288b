//! Clicks: durable before they are acknowledged, acknowledged in time, and the same however often they come.

use crate::stage::{SECURITY, Sink, Stage, eventually};
use sandbox::{RawClick, RawSubmission, SlackEffect, SlackFault, SocketFaults};
use serde_json::json;
use sluicegate::case::Decision;
use sluicegate::ports::{Interaction, Journal, Proof};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn value(n: u32) -> String {
    format!("sg-abcdefgh234567ab:{n:064x}")
}

async fn ready(stage: &Stage) -> (Arc<Sink>, crate::stage::Running) {
    let sink = Arc::new(Sink { journal: Some(stage.journal.clone()), ..Sink::default() });
    let socket = stage.connect(sink.clone());
    eventually("two", || stage.double.connections() == 2).await;
    (sink, socket)
}

fn keep(user: &str, n: u32) -> RawClick {
    RawClick::new(user, SECURITY, "1790000000.000100", "keep", &value(n))
}

#[tokio::test]
async fn a_click_is_a_ballot_in_the_journal_once_it_is_acknowledged() {
    let stage = Stage::new();
    let (_sink, socket) = ready(&stage).await;
    let ack = stage.double.click_raw(keep("U0BOB", 1)).await.unwrap();
    assert!(ack.is_acknowledged());
    let ballots = stage.journal.ballots().await.unwrap();
    assert_eq!((ballots.len(), ballots[0].decision), (1, Decision::Keep));
    let Proof::Slack(proof) = &ballots[0].proof else { panic!() };
    assert_eq!(
        (proof.user_id.as_str(), proof.team_id.as_str(), proof.app_id.as_str()),
        ("U0BOB", "T0TEAM", "A0SLUICE")
    );
    assert!(proof.response_url.starts_with("http"));
    // Replayed as it was, and in an envelope of its own: the same ballot.
    for new in [false, true] {
        assert!(stage.double.replay(&ack.envelope_id, new).await.unwrap().is_acknowledged());
    }
    assert_eq!(stage.journal.ballots().await.unwrap().len(), 1);
    socket.stop().await;
}

#[tokio::test]
async fn what_is_not_durable_is_not_acknowledged() {
    let stage =
        Stage::with(sandbox::SlackOptions { acknowledge_within: Duration::from_millis(500), ..crate::stage::hasty() });
    let (sink, socket) = ready(&stage).await;
    sink.failing.store(true, Ordering::SeqCst);
    let ack = stage.double.click_raw(keep("U0BOB", 1)).await.unwrap();
    assert!(!ack.is_acknowledged());
    assert!(!stage.double.warnings().is_empty(), "the person sees it");
    sink.failing.store(false, Ordering::SeqCst);
    assert!(stage.double.replay(&ack.envelope_id, false).await.unwrap().is_acknowledged());
    assert_eq!(stage.journal.ballots().await.unwrap().len(), 1);
    socket.stop().await;
}

#[tokio::test]
async fn envelopes_that_come_twice_count_once() {
    let stage = Stage::new();
    let (sink, socket) = ready(&stage).await;
    stage.double.set_socket_faults(SocketFaults { duplicate: true, ..SocketFaults::default() });
    for n in 0..10 {
        assert!(stage.double.click_raw(keep("U0BOB", n)).await.unwrap().is_acknowledged());
    }
    assert_eq!(stage.journal.ballots().await.unwrap().len(), 10);
    assert_eq!(sink.taken.lock().unwrap().len(), 10);
    socket.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_are_acknowledged_in_time_whatever_else_is_slow() {
    let stage = Arc::new(Stage::new());
    let (_sink, socket) = ready(&stage).await;
    // All but the socket hangs.
    for method in ["views.open", "users.info", "chat.postEphemeral", "chat.postMessage"] {
        stage.double.fault(SlackFault::on(method, SlackEffect::HangBefore { ms: 10_000 }));
    }
    let clicks: Vec<_> = (0..200)
        .map(|n| {
            let stage = stage.clone();
            tokio::spawn(async move {
                let action = if n % 5 == 0 { "delete_restrict" } else { "keep" };
                let click = RawClick::new("U0BOB", SECURITY, "1790000000.000100", action, &value(n));
                stage.double.click_raw(click).await.unwrap()
            })
        })
        .collect();
    let mut slowest = 0;
    for click in clicks {
        let ack = click.await.unwrap();
        assert!(ack.is_acknowledged());
        slowest = slowest.max(ack.took_ms.unwrap());
    }
    assert!(slowest < 2_000, "{slowest} ms");
    assert_eq!(stage.journal.ballots().await.unwrap().len(), 160);
    socket.stop().await;
}

#[tokio::test]
async fn a_modal_is_wanted_at_once_and_its_submission_is_a_vote() {
    let stage = Stage::new();
    let (sink, socket) = ready(&stage).await;
    let click = RawClick::new("U0BOB", SECURITY, "1790000000.000100", "delete_restrict", &value(1));
    assert!(stage.double.click_raw(click).await.unwrap().is_acknowledged());
    let wanted = match sink.taken.lock().unwrap().pop().unwrap() {
        Interaction::Modal(wanted) => wanted,
        other => panic!("{other:?}"),
    };
    let view = json!({
        "type": "modal", "callback_id": "sluicegate_decide", "private_metadata": format!("{}:delete_restrict", value(1)),
        "title": {"type": "plain_text", "text": "Restrict"}, "submit": {"type": "plain_text", "text": "Restrict"},
        "blocks": [{
            "type": "input", "block_id": "reason", "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "reason"}
        }]
    });
    sluicegate::responder::open_modal(&*stage.chat(), &wanted, &view).await.unwrap();
    let open = stage.double.open_view_of("U0BOB").unwrap();
    let view_id = open["id"].as_str().unwrap();
    let empty = stage.double.submit("U0BOB", view_id, &[("reason", "reason", json!("  "))]).await.unwrap();
    assert_eq!(empty.response_payload.unwrap()["response_action"], "errors");
    let sent = stage.double.submit("U0BOB", view_id, &[("reason", "reason", json!("it is rogue"))]).await.unwrap();
    assert!(sent.is_acknowledged());
    let ballots = stage.journal.ballots().await.unwrap();
    assert_eq!((ballots[0].decision, ballots[0].reason.as_str()), (Decision::DeleteRestrict, "it is rogue"));
    // The right to open a modal is used up: the person is told to click again.
    assert!(sluicegate::responder::open_modal(&*stage.chat(), &wanted, &view).await.is_err());
    eventually("told", || stage.double.ephemerals("U0BOB").iter().any(|said| said.text.contains("click again"))).await;
    socket.stop().await;
}

#[tokio::test]
async fn what_no_card_of_ours_sends_does_nothing_and_is_told() {
    let stage = Stage::new();
    let (sink, socket) = ready(&stage).await;
    let forged = RawClick::new("U0BOB", SECURITY, "1790000000.000100", "keep", "sg-nonsense");
    assert!(stage.double.click_raw(forged).await.unwrap().is_acknowledged());
    let view = json!({"callback_id": "sluicegate_decide", "private_metadata": "x"});
    let forged = RawSubmission { user: "U0BOB".into(), view, values: json!({}), with: vec![] };
    assert!(stage.double.submit_raw(forged).await.unwrap().is_acknowledged());
    for payload in [json!({"type": "shortcut"}), json!({"type": "block_actions"}), json!({})] {
        assert!(stage.double.inject(payload).await.unwrap().is_acknowledged());
    }
    eventually("told", || stage.double.ephemerals("U0BOB").iter().any(|said| said.text.contains("nothing was done")))
        .await;
    assert_eq!(sink.taken.lock().unwrap().len(), 0);
    assert_eq!(stage.journal.ballots().await.unwrap(), []);
    socket.stop().await;
}

#[tokio::test]
async fn a_payload_beyond_all_measure_is_refused_and_harms_nothing() {
    let stage =
        Stage::with(sandbox::SlackOptions { acknowledge_within: Duration::from_millis(500), ..crate::stage::hasty() });
    let (_sink, socket) = ready(&stage).await;
    let huge = json!({"type": "block_actions", "message": "x".repeat(2 << 20)});
    assert!(!stage.double.inject(huge).await.unwrap().is_acknowledged());
    assert!(stage.double.click_raw(keep("U0BOB", 1)).await.unwrap().is_acknowledged());
    assert_eq!(stage.double.connections(), 2);
    socket.stop().await;
}
