//! The Slack double: its Web API, its rules, its sockets, its clicks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "slack/app.rs"]
mod app;
#[path = "slack/clicks.rs"]
mod clicks;
#[path = "slack/faults.rs"]
mod faults;
#[path = "slack/messages.rs"]
mod messages;
#[path = "slack/rules.rs"]
mod rules;
#[path = "slack/sdk.rs"]
mod sdk;

use sandbox::{SlackDouble, SlackOptions};

/// A workspace that keeps no pace.
fn hasty() -> SlackDouble {
    start(|options| options.post_burst = 10_000)
}

fn start(change: impl FnOnce(&mut SlackOptions)) -> SlackDouble {
    let mut options = SlackOptions::default();
    change(&mut options);
    SlackDouble::start(options).unwrap()
}
