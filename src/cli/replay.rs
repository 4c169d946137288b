//! `replay`: has an EventBridge archive send its events to the queue once more.

use super::{Failure, Format, Result};
use crate::config::Config;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// A stand-in.
    #[arg(long)]
    from: Option<String>,
}

pub(super) async fn replay(_config: &Config, args: &ReplayArgs, _format: Format) -> Result {
    let _ = &args.from;
    Err(Failure::Usage("replay is not there yet".into()))
}
