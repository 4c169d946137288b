//! `test`: the policy cases in `policies/tests/*.toml`.

use super::{Failure, Format, PolicyArgs, Result, load_policies, show};
use crate::config::Config;
use crate::policy::{CaseResult, run_cases};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    policies: PolicyArgs,
}

pub(super) fn test(config: &Config, args: &TestArgs, format: Format) -> Result {
    let dir = args.policies.dir(config);
    let set = load_policies(dir, format)?;
    let refused = |problems: Vec<crate::policy::Problem>| {
        show::problems(&problems, format);
        Failure::Usage(format!("the policy cases of {} are refused", dir.display()))
    };
    let now = jiff::Timestamp::now();
    let (mut passed, mut failed) = (0, 0);
    for file in crate::policy_files::cases(dir).map_err(refused)? {
        for result in run_cases(&set, &file, now).map_err(refused)? {
            if result.passed {
                passed += 1;
            } else {
                failed += 1;
            }
            match format {
                Format::Json => show::json(&result),
                Format::Text | Format::Html => show_result(&result),
            }
        }
    }
    if format == Format::Text {
        show::line(&format!("{passed} passed, {failed} failed"));
    }
    if passed + failed == 0 {
        return Err(Failure::Usage(format!("there are no policy cases in {}", dir.join("tests").display())));
    }
    if failed == 0 { Ok(()) } else { Err(Failure::No) }
}

fn show_result(result: &CaseResult) {
    let word = if result.passed { show::coloured("ok", show::GREEN) } else { show::coloured("FAILED", show::RED) };
    show::line(&format!("{word}  {}", show::visible(&result.name)));
    for difference in &result.differences {
        show::line(&format!("      {}:{}: {}", result.file, result.line, show::visible(difference)));
    }
}
