//! Slack's own client takes the double for Slack.

use std::process::Stdio;
use std::time::Duration;

use sandbox::{SlackDouble, SlackEffect, SlackFault, SlackSdk, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::app::{buttons, view};
use crate::hasty;

struct Client {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Client {
    fn start(sdk: &SlackSdk, slack: &SlackDouble) -> Self {
        let mut child = Command::new(sdk.python())
            .args(["-c", include_str!("client.py")])
            .env_clear()
            .env("API_URL", slack.api_url())
            .env("BOT_TOKEN", slack.bot_token())
            .env("APP_TOKEN", slack.app_token())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { lines: BufReader::new(child.stdout.take().unwrap()).lines(), _child: child }
    }

    async fn says(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.expect("the client goes on")).unwrap()
    }
}

async fn sdk() -> SlackSdk {
    tokio::task::spawn_blocking(SlackSdk::install).await.unwrap().unwrap()
}

#[tokio::test]
async fn slacks_own_client_works_with_it() {
    let (sdk, slack) = (sdk().await, hasty());
    slack.fault(SlackFault::on("*", SlackEffect::RateLimited { retry_after: 1 }).containing("throttled").times(2));
    let mut client = Client::start(&sdk, &slack);
    let seen = client.says().await;
    assert_eq!(
        (&seen["team"], &seen["text"], &seen["user"]),
        (&json!("T0TEAM"), &json!("two"), &json!("Alice Archer"))
    );
    assert_eq!(seen["metadata"]["event_payload"]["case_id"], "sg-1");
    assert_eq!(seen["members"], json!(["U0BOB", "U0CAROL"]));
    let refused = client.says().await;
    assert_eq!(refused["refused"], "invalid_blocks");
    assert_eq!(refused["messages"][0], "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]");
    assert_eq!(client.says().await, json!({ "status": 429, "error": "ratelimited", "after": "1" }));
    assert_eq!(client.says().await["retried"], true);

    let connected = client.says().await;
    assert_eq!(connected["connected"], true);
    let ts = connected["ts"].as_str().unwrap();
    let click = slack.click("U0ALICE", "C0SECURITY", ts, "keep").await.unwrap();
    assert!(click.is_acknowledged());
    let seen = client.says().await;
    assert_eq!(
        (&seen["type"], &seen["kind"], &seen["attempt"]),
        (&json!("interactive"), &json!("block_actions"), &json!(0))
    );
    assert_eq!(seen["action"]["value"], "sg-1:abc");
    let view = client.says().await["view"].as_str().unwrap().to_owned();
    let submit = async || slack.submit("U0ALICE", &view, &[("reason", "reason", "ours".into())]).await.unwrap();
    assert_eq!(submit().await.response_payload.unwrap()["errors"]["reason"], "Say more.");
    assert!(submit().await.is_acknowledged());
    let seen = client.says().await;
    assert_eq!(seen["values"]["reason"]["reason"]["value"], "ours");
    assert_eq!(seen["metadata"], "sg-1");

    slack.disconnect_sockets("refresh_requested");
    let gone_and_back = eventually(async || {
        let click = slack.click("U0ALICE", "C0SECURITY", ts, "keep").await.unwrap();
        click.is_acknowledged().then_some(())
    });
    assert!(gone_and_back.await.is_some());
    assert_eq!(client.says().await["back"], true);
}

#[tokio::test]
async fn slacks_own_models_judge_blocks() {
    let sdk = sdk().await;
    let text = |length: usize| json!({ "type": "plain_text", "text": "x".repeat(length) });
    let fine = [json!({ "text": "t", "blocks": buttons() }), view()];
    assert_eq!(sdk.check(&fine).unwrap(), Vec::<String>::new());
    let wrong: [(&str, Value, Value); 9] = [
        (
            "/blocks/0/elements/0/text",
            text(76),
            json!("0/blocks/0/elements/0: text attribute cannot exceed 75 characters"),
        ),
        (
            "/blocks/0/elements/0/value",
            "x".repeat(2_001).into(),
            json!("0/blocks/0/elements/0: value attribute cannot exceed 2000 characters"),
        ),
        (
            "/blocks/0/elements/0/action_id",
            "x".repeat(256).into(),
            json!("0/blocks/0/elements/0: action_id attribute cannot exceed 255 characters"),
        ),
        (
            "/blocks/0/elements/1/confirm/title",
            text(101),
            json!("0/blocks/0/elements/1/confirm: title attribute cannot exceed 100 characters"),
        ),
        (
            "/blocks/0/elements/1/confirm/text",
            text(301),
            json!("0/blocks/0/elements/1/confirm: text attribute cannot exceed 300 characters"),
        ),
        (
            "/blocks/0/elements/1/confirm/deny",
            text(31),
            json!("0/blocks/0/elements/1/confirm: deny attribute cannot exceed 30 characters"),
        ),
        ("/blocks/0/elements/1/colour", "red".into(), json!("0/blocks/0/elements/1: colour is not known")),
        ("/blocks/0/type", "carrousel".into(), json!("0/blocks/0: unknown type 'carrousel'")),
        ("/blocks/0/elements/0", json!({ "type": "knob" }), Value::Null),
    ];
    for (pointer, value, complaint) in wrong {
        let mut message = fine[0].clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match message.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
            place => place[key] = value,
        }
        let said = sdk.check(&[message]).unwrap();
        assert!(!said.is_empty(), "{pointer}");
        assert!(complaint.is_null() || json!(said) == json!([complaint]), "{said:?}");
    }
    let mut long = view();
    long["title"] = text(25);
    long["blocks"][1]["element"]["options"][0]["text"] = text(76);
    let said = sdk.check(&[fine[0].clone(), long]).unwrap();
    assert_eq!(
        said,
        [
            "1: title must be between 1 and 24 characters",
            "1/blocks/1/element/options/0: text attribute cannot exceed 75 characters",
        ]
    );
}
