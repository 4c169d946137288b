//! Connections: kept, replaced before they end, mended; and what only a person can mend is told.

use crate::stage::{Sink, Stage, eventually};
use sandbox::{RawClick, SocketFaults};
use sluicegate::slack::SocketSettings;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECURITY: &str = crate::stage::SECURITY;

fn value() -> String {
    format!("sg-abcdefgh234567ab:{}", "0".repeat(64))
}

async fn click(stage: &Stage) -> sandbox::Acknowledgement {
    stage.double.click_raw(RawClick::new("U0BOB", SECURITY, "1.000001", "keep", &value())).await.unwrap()
}

#[tokio::test]
async fn two_connections_are_kept_and_the_app_is_known_by_them() {
    let stage = Stage::new();
    let socket = stage.connect(Arc::new(Sink::default()));
    eventually("two", || stage.double.connections() == 2).await;
    // The double counts a connection before its hello, which names the app, has been read.
    eventually("told", || stage.health.connections() == 2).await;
    assert_eq!(stage.app.get(), "A0SLUICE");
    assert_eq!(stage.health.word(), "ok");
    socket.stop().await;
    eventually("none", || stage.double.connections() == 0).await;
}

#[tokio::test]
async fn one_that_is_about_to_end_is_replaced_first() {
    let stage = Stage::new();
    let sink = Arc::new(Sink::default());
    let socket = stage.connect(sink.clone());
    eventually("two", || stage.double.connections() == 2).await;
    stage.double.disconnect_sockets("warning");
    eventually("more than two for a while", || stage.double.connections() > 2).await;
    assert!(click(&stage).await.is_acknowledged());
    socket.stop().await;
}

#[tokio::test]
async fn ended_and_cut_connections_come_again() {
    let stage = Stage::new();
    let socket = stage.connect(Arc::new(Sink::default()));
    for reason in [Some("refresh_requested"), None, Some("warning")] {
        eventually("two", || stage.double.connections() >= 2).await;
        match reason {
            Some(reason) => stage.double.disconnect_sockets(reason),
            None => stage.double.cut_sockets(),
        }
        // The double needs a moment to see that they are gone.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    eventually("two", || stage.double.connections() >= 2).await;
    assert!(click(&stage).await.is_acknowledged());
    socket.stop().await;
}

#[tokio::test]
async fn clicks_get_through_while_slack_disconnects_every_second() {
    let stage = Stage::new();
    let sink = Arc::new(Sink { journal: Some(stage.journal.clone()), ..Sink::default() });
    stage.double.set_socket_faults(SocketFaults {
        disconnect_after_ms: Some(1_000),
        disconnect_reason: Some("warning".into()),
        ..SocketFaults::default()
    });
    let socket = stage.connect(sink.clone());
    eventually("two", || stage.double.connections() >= 2).await;
    let (began, mut lost, mut sent) = (Instant::now(), 0, 0);
    while began.elapsed() < Duration::from_secs(6) {
        sent += 1;
        lost += usize::from(!click(&stage).await.is_acknowledged());
        assert!(stage.double.connections() <= 8, "an app has ten");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // While no connection is open at all Slack has nowhere to send a click, and says so.
    assert!(lost * 2 < sent, "{lost} of {sent}");
    stage.double.set_socket_faults(SocketFaults::default());
    eventually("well again", || stage.double.connections() >= 2).await;
    socket.stop().await;
}

#[tokio::test]
async fn no_hello_and_no_sign_of_life_are_noticed() {
    let stage = Stage::with(sandbox::SlackOptions { ping_interval: Duration::from_mins(1), ..crate::stage::hasty() });
    stage.double.set_socket_faults(SocketFaults { hang: true, ..SocketFaults::default() });
    let settings = SocketSettings {
        hello_within: Duration::from_millis(200),
        dead_after: Duration::from_millis(400),
        ..SocketSettings::default()
    };
    let socket = stage.connect_with(Arc::new(Sink::default()), settings);
    eventually("told", || stage.health.word().contains("hello")).await;
    stage.double.set_socket_faults(SocketFaults::default());
    eventually("connected", || stage.double.connections() == 2).await;
    let opened = stage.double.calls_of("apps.connections.open").len();
    eventually("replaced", || stage.double.calls_of("apps.connections.open").len() >= opened + 2).await;
    socket.stop().await;
}

#[tokio::test]
async fn refused_connections_are_waited_for() {
    let stage = Stage::new();
    stage.double.set_socket_faults(SocketFaults { refuse: true, ..SocketFaults::default() });
    let socket = stage.connect(Arc::new(Sink::default()));
    eventually("told", || stage.health.word().contains("HTTP 503")).await;
    assert!(!stage.health.word().contains("ticket"));
    stage.double.set_socket_faults(SocketFaults::default());
    eventually("connected", || stage.double.connections() == 2).await;
    eventually("told", || stage.health.word() == "ok").await;
    socket.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_told_once_and_taken_up_when_it_is_good() {
    let stage = Stage::new();
    let socket = stage.connect(Arc::new(Sink::default()));
    eventually("two", || stage.double.connections() == 2).await;
    stage.double.revoke_tokens();
    eventually("told", || stage.health.word().contains("token_revoked")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let alarms = stage.alarms();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains("app_token"), "{alarms:?}");
    stage.double.restore_tokens();
    eventually("two", || stage.double.connections() == 2).await;
    eventually("told", || stage.health.word() == "ok").await;
    socket.stop().await;
}
