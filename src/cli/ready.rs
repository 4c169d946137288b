//! `ready`: what observe mode and history say about switching enforce on.

use super::{Failure, Format, PolicyArgs, Result};
use crate::config::Config;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct ReadyArgs {
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(super) async fn ready(_config: &Config, args: &ReadyArgs, _format: Format) -> Result {
    let _ = &args.policies;
    Err(Failure::Usage("ready is not there yet".into()))
}
