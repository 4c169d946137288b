//! The demo. Every number that it shows is read from the emulator, from the proxy's log of calls, from the journal or
//! from the Slack double; a step that does not come true ends it with an error.

mod attack;
mod build;
mod case;
mod containment;
mod deciding;
mod denied;
mod evidence;
mod keep;
mod people;
mod pipeline;
mod removal;
mod restoring;
pub mod screen;
mod stage;
mod story;
mod traffic;

use clap::Parser;
use sandbox::SandboxError;
use tokio::signal::unix::{SignalKind, signal};

/// An attack on an emulated AWS account, the real responder's answer, and the people who decide in Slack.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
pub struct Arguments {
    /// Click by itself, as without a terminal.
    #[arg(long)]
    headless: bool,
    /// Stay up afterwards, and tell how to attack it yourself.
    #[arg(long)]
    keep: bool,
}

/// Why the demo ended early.
#[derive(Debug)]
pub struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self(error.to_string())
    }
}

type Result<T = ()> = std::result::Result<T, Failure>;

fn expect(so: bool, else_what: impl FnOnce() -> String) -> Result {
    if so { Ok(()) } else { Err(Failure(else_what())) }
}

/// Plays it, until it is over or somebody ends it.
pub async fn play(arguments: &Arguments) -> Result {
    let screen = screen::Screen::new(arguments.headless);
    let setting = Box::pin(async {
        let binary = build::sluicegate(&screen).await?;
        stage::Stage::set(&binary, &screen).await
    });
    let stage = unless_interrupted(setting).await?;
    unless_interrupted(Box::pin(story::tell(&stage, &screen))).await?;
    if arguments.keep {
        unless_interrupted(Box::pin(keep::yours(&stage, &screen))).await?;
        interrupted().await?;
    }
    stage.end(&screen).await
}

async fn unless_interrupted<T>(playing: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        played = playing => played,
        ended = interrupted() => Err(ended.err().unwrap_or_else(|| Failure("it was ended early".into()))),
    }
}

/// Waits until somebody ends it, by Ctrl-C or otherwise.
async fn interrupted() -> Result {
    let no_handler = |error| Failure(format!("no signal handler: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_handler)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_handler)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
