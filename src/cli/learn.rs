//! `learn`: proposes allowlist entries from history, for a person to review.

use super::{Failure, Format, PolicyArgs, Result};
use crate::config::Config;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct LearnArgs {
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(super) async fn learn(_config: &Config, args: &LearnArgs, _format: Format) -> Result {
    let _ = &args.policies;
    Err(Failure::Usage("learn is not there yet".into()))
}
