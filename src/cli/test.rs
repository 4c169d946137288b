//! `test`: the policy cases in `policies/tests/*.toml`, as a test runner reports them.

mod junit;

use super::{Failure, Format, PolicyArgs, Result, load_policies, show};
use crate::config::Config;
use crate::policy::{CaseResult, PolicyName, PolicySet, Problem, run_cases};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Only the cases whose name holds this.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[allow(clippy::doc_markdown, reason = "it is shown as help, and a name")]
    /// Write the results as JUnit XML, for CI.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Exit with 1 where a smaller share of the entries and rules decided any case.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100), conflicts_with = "name")]
    min_coverage: Option<u8>,
}

/// A file's cases, run.
#[derive(Debug)]
struct FileRun {
    file: String,
    results: Vec<CaseResult>,
    took: Duration,
}

/// Which entries and rules decided at least one case.
#[derive(Debug, Serialize)]
struct Coverage<'a> {
    policies: usize,
    covered: usize,
    percent: usize,
    uncovered: Vec<&'a PolicyName>,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    cases: usize,
    passed: usize,
    failed: usize,
    /// Absent where only some of the cases were run.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a Coverage<'a>>,
}

/// The last JSON line.
#[derive(Debug, Serialize)]
struct Last<'a> {
    summary: Summary<'a>,
    /// Whether all of them passed.
    passed: bool,
}

pub(super) fn test(config: &Config, args: &TestArgs, format: Format) -> Result {
    let dir = args.policies.dir(config);
    let set = load_policies(dir, format)?;
    let runs = run_all(&set, dir, args.name.as_deref(), format)?;
    let results = || runs.iter().flat_map(|run| &run.results);
    let (cases, failed) = (results().count(), results().filter(|result| !result.passed).count());
    if cases == 0 {
        let tests = dir.join("tests").display().to_string();
        return Err(Failure::Usage(match &args.name {
            Some(name) => format!("no policy case in {tests} has {name:?} in its name"),
            None => format!("there are no policy cases in {tests}"),
        }));
    }
    let coverage = args.name.is_none().then(|| coverage(&set, results()));
    let summary = Summary { cases, passed: cases - failed, failed, coverage: coverage.as_ref() };
    match format {
        Format::Json => {
            results().for_each(show::json);
            show::json(&Last { summary, passed: failed == 0 });
        }
        Format::Text | Format::Html => {
            runs.iter().for_each(show_run);
            show_summary(&summary, runs.iter().map(|run| run.took).sum());
        }
    }
    if let Some(path) = &args.junit {
        std::fs::write(path, junit::xml(&runs, coverage.as_ref()))
            .map_err(|error| Failure::Outside(format!("{} cannot be written: {error}", path.display())))?;
    }
    let short = args.min_coverage.zip(coverage.as_ref()).filter(|(least, got)| got.percent < usize::from(*least));
    if let Some((least, got)) = &short {
        show::complain(&format!(
            "{} % of the entries and rules are covered by cases, wanted are {least} %",
            got.percent
        ));
    }
    if failed == 0 && short.is_none() { Ok(()) } else { Err(Failure::No) }
}

fn run_all(set: &PolicySet, dir: &Path, name: Option<&str>, format: Format) -> Result<Vec<FileRun>> {
    let refused = |problems: Vec<Problem>| {
        show::problems(&problems, format);
        Failure::Usage(format!("the policy cases of {} are refused", dir.display()))
    };
    let now = jiff::Timestamp::now();
    let mut runs = Vec::new();
    for file in crate::policy_files::cases(dir).map_err(refused)? {
        let begun = Instant::now();
        let mut results = run_cases(set, &file, now).map_err(refused)?;
        results.retain(|result| name.is_none_or(|name| result.name.contains(name)));
        runs.push(FileRun { file: file.name, results, took: begun.elapsed() });
    }
    Ok(runs)
}

fn coverage<'a>(set: &'a PolicySet, results: impl Iterator<Item = &'a CaseResult>) -> Coverage<'a> {
    let decided: BTreeSet<&str> = results.flat_map(|result| &result.policies).map(String::as_str).collect();
    let (covered, uncovered): (Vec<&PolicyName>, Vec<&PolicyName>) =
        set.names().iter().partition(|policy| decided.contains(policy.id.as_str()));
    let policies = set.names().len();
    Coverage {
        policies,
        covered: covered.len(),
        percent: (covered.len() * 100).checked_div(policies).unwrap_or(100),
        uncovered,
    }
}

fn show_run(run: &FileRun) {
    show::line(&show::coloured(&show::visible(&run.file), show::BOLD));
    for result in &run.results {
        let word = if result.passed { show::coloured("ok", show::GREEN) } else { show::coloured("FAILED", show::RED) };
        show::line(&format!("{word}  {}", show::visible(&result.name)));
        if result.passed {
            continue;
        }
        show::line(&format!("    {}:{}", show::visible(&result.file), result.line));
        for difference in &result.differences {
            let expected = show::coloured(&format!("- {}", show::visible(&difference.expected)), show::GREEN);
            let got = show::coloured(&format!("+ {}", show::visible(&difference.got)), show::RED);
            show::line(&format!("    {:<12} {expected}", difference.key));
            show::line(&format!("    {:<12} {got}", ""));
        }
        for reason in &result.because {
            show::line(&format!("    because      {}", show::visible(reason)));
        }
    }
}

fn show_summary(summary: &Summary<'_>, took: Duration) {
    if let Some(coverage) = summary.coverage {
        let Coverage { policies, covered, percent, uncovered } = coverage;
        show::line(&format!("coverage: {covered} of {policies} entries and rules decided a case ({percent} %)"));
        for policy in uncovered {
            let place = show::visible(&format!("{}:{}", policy.file, policy.line));
            show::line(&format!("    no case for {} ({place})", show::visible(&policy.id)));
        }
    }
    show::line(&format!(
        "{} cases in {} ms: {} passed, {} failed",
        summary.cases,
        took.as_millis(),
        summary.passed,
        summary.failed
    ));
}
