//! `check`: configuration and policies, every problem with its place and what to do.

use super::{Failure, Format, PolicyArgs, Result, read_policies, show};
use crate::config::Config;
use crate::policy::Severity;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Exit with 1 where there are warnings.
    #[arg(long)]
    strict: bool,
}

pub(super) fn check(config: &Config, args: &CheckArgs, format: Format) -> Result {
    config.journal_file()?;
    if let Some(slack) = &config.slack {
        slack.check()?;
    }
    for unused in config.unused_sections() {
        show::complain(unused);
    }
    let dir = args.policies.dir(config);
    let (problems, set) = match read_policies(dir) {
        Ok((set, warnings)) => (warnings, Some(set)),
        Err(problems) => (problems, None),
    };
    show::problems(&problems, format);
    let Some(set) = set else {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        let errors = show::count(errors, "error");
        return Err(Failure::Usage(format!("{errors}: the policies in {} are refused", dir.display())));
    };
    if format == Format::Text {
        let digest = set.digest().get(..12).unwrap_or_default();
        let warnings = show::count(problems.len(), "warning");
        let dir = show::visible(&dir.display().to_string());
        show::line(&format!("{dir} is good ({warnings}); digest {digest}"));
    }
    if args.strict && !problems.is_empty() { Err(Failure::No) } else { Ok(()) }
}
