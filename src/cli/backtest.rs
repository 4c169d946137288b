//! `backtest`: judges an archive of CloudTrail logs.

use super::{Failure, Format, PolicyArgs, Result};
use crate::config::Config;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(super) fn backtest(_config: &Config, args: &BacktestArgs, _format: Format) -> Result {
    let _ = &args.policies;
    Err(Failure::Usage("backtest is not there yet".into()))
}
