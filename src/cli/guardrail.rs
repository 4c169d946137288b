//! `guardrail`: the service control policy that the allowlist amounts to.

use super::{Failure, Format, PolicyArgs, Result};
use crate::config::Config;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct GuardrailArgs {
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(super) fn guardrail(_config: &Config, args: &GuardrailArgs, _format: Format) -> Result {
    let _ = &args.policies;
    Err(Failure::Usage("guardrail is not there yet".into()))
}
