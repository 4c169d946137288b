//! `scan`: judges the mappings that exist now.

use super::{Failure, Format, PolicyArgs, Result};
use crate::config::Config;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(super) async fn scan(_config: &Config, args: &ScanArgs, _format: Format) -> Result {
    let _ = &args.policies;
    Err(Failure::Usage("scan is not there yet".into()))
}
