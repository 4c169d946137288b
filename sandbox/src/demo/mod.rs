//! The demo. Every number that it shows is read from the emulator, from the proxy's log of calls or from the journal;
//! a step that does not come true ends it with an error.

mod build;
pub mod screen;
mod stage;
mod story;
mod traffic;

use clap::Parser;
use sandbox::SandboxError;

/// An attack on an emulated AWS account, and the real responder's answer.
#[derive(Debug, Parser)]
#[command(name = "cargo demo")]
pub struct Arguments {
    /// Go on by itself, as without a terminal.
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

/// Plays it.
pub async fn play(arguments: &Arguments) -> Result {
    let screen = screen::Screen::new(arguments.headless);
    let binary = build::sluicegate(screen).await?;
    let stage = stage::Stage::set(&binary, screen).await?;
    story::tell(&stage, screen).await?;
    if arguments.keep {
        story::keep(&stage, screen).await?;
    }
    Ok(())
}
