//! The command line: one file a command.
//!
//! Exit codes: 0 done; 1 the answer is no; 2 usage, configuration or policy error; 3 the outside world failed.

mod archives;
mod audit;
mod backtest;
mod cases;
mod check;
mod decide;
mod explain;
mod guardrail;
mod learn;
mod places;
mod progress;
mod ready;
mod replay;
mod run;
mod scan;
mod show;
mod sink;
mod test;
mod worker;

use crate::config::{Config, ConfigError, SecretError};
use crate::policy::{PolicySet, Problem};
use crate::ports::{CallError, JournalError};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Closes rogue AWS Lambda event source mappings within seconds; a person decides the rest.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// The configuration; left out: sluicegate.toml, where there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to show things: text for people, json for programs (JSON lines), html for a report (backtest, scan).
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// How to show things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// JSON lines.
    Json,
    /// A page for a browser, where a command has one.
    Html,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The responder, until SIGTERM
    Run,
    /// Validate configuration and policies
    Check(check::CheckArgs),
    /// For each CloudTrail record: the finding, the verdict, and why; changes nothing
    Explain(explain::ExplainArgs),
    /// Run the policy cases in policies/tests/*.toml
    Test(test::TestArgs),
    /// Judge an archive of CloudTrail logs: what a responder would have done
    Backtest(backtest::BacktestArgs),
    /// Judge the mappings that exist now, in every configured account and region
    Scan(scan::ScanArgs),
    /// Propose allowlist entries from history, for a person to review
    Learn(learn::LearnArgs),
    /// Print the service control policy that the allowlist amounts to; attaching it stays with people
    Guardrail(guardrail::GuardrailArgs),
    /// What observe mode and history say about switching enforce on; switches nothing
    Ready(ready::ReadyArgs),
    /// Have an EventBridge archive send its events to the queue once more
    Replay(replay::ReplayArgs),
    /// List the cases
    Cases,
    /// One case's timeline
    Case {
        /// The case's id, sg-…
        id: String,
    },
    /// Decide a case
    Decide(decide::DecideArgs),
    /// Undo what was done in a case: the mapping and the function as they were
    Restore(decide::RestoreArgs),
    /// Confirm, under your AWS identity, what you chose in Slack
    Confirm {
        /// The code that Slack showed you.
        code: String,
    },
    /// The journal's hash chain
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

/// Where the policies are.
#[derive(Debug, Clone, Args)]
pub(crate) struct PolicyArgs {
    /// The policy directory; left out: as configured.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
}

impl PolicyArgs {
    fn dir<'a>(&'a self, config: &'a Config) -> &'a Path {
        self.policies.as_deref().unwrap_or(&config.policy.dir)
    }
}

/// What ends a command.
#[derive(Debug)]
enum Failure {
    /// The answer is no.
    No,
    /// Usage, configuration or policy.
    Usage(String),
    /// The outside world.
    Outside(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Missing(why) => Self::Usage(why),
            SecretError::Unreachable(why) => Self::Outside(why),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::Outside(error.to_string())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Outside(error.to_string())
    }
}

type Result<T = ()> = std::result::Result<T, Failure>;

/// Runs a command.
pub fn main(cli: Cli) -> ExitCode {
    crate::telemetry::start(!matches!(cli.command, Command::Run));
    let done = dispatch(cli);
    let failure = match (done, show::unwritten()) {
        (Ok(()), None) => return ExitCode::SUCCESS,
        (Ok(()) | Err(Failure::No), Some(error)) => Failure::Outside(format!("standard output: {error}")),
        (Err(failure), _) => failure,
    };
    match failure {
        Failure::No => ExitCode::from(1),
        Failure::Usage(why) => {
            show::complain(&why);
            ExitCode::from(2)
        }
        Failure::Outside(why) => {
            show::complain(&why);
            ExitCode::from(3)
        }
    }
}

fn dispatch(cli: Cli) -> Result {
    let config = Config::load(cli.config.as_deref())?;
    if cli.format == Format::Html && !matches!(cli.command, Command::Backtest(_) | Command::Scan(_)) {
        return Err(Failure::Usage("--format html is for backtest and scan".into()));
    }
    match cli.command {
        Command::Run => block_on(run::run(config)),
        Command::Check(args) => check::check(&config, &args, cli.format),
        Command::Explain(args) => explain::explain(&config, &args, cli.format),
        Command::Test(args) => test::test(&config, &args, cli.format),
        Command::Backtest(args) => backtest::backtest(&config, &args, cli.format),
        Command::Scan(args) => block_on(scan::scan(&config, &args, cli.format)),
        Command::Learn(args) => block_on(learn::learn(&config, &args, cli.format)),
        Command::Guardrail(args) => guardrail::guardrail(&config, &args, cli.format),
        Command::Ready(args) => block_on(ready::ready(&config, &args, cli.format)),
        Command::Replay(args) => block_on(replay::replay(&config, &args, cli.format)),
        Command::Cases => block_on(cases::list(&config, cli.format)),
        Command::Case { id } => block_on(cases::one(&config, &id, cli.format)),
        Command::Decide(args) => block_on(decide::decide(&config, &args, cli.format)),
        Command::Restore(args) => block_on(decide::decide(&config, &args.into(), cli.format)),
        Command::Confirm { code } => block_on(decide::confirm(&config, &code, cli.format)),
        Command::Audit(audit::AuditCommand::Verify) => block_on(audit::verify(&config, cli.format)),
    }
}

fn block_on(work: impl Future<Output = Result>) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::Outside(format!("no runtime: {error}")))?.block_on(work)
}

/// Loads a policy set; problems that refuse it are printed.
fn load_policies(dir: &Path, format: Format) -> Result<PolicySet> {
    let loaded = read_policies(dir);
    match loaded {
        Ok((set, _)) => Ok(set),
        Err(problems) => {
            show::problems(&problems, format);
            Err(Failure::Usage(format!("the policies in {} are refused", dir.display())))
        }
    }
}

fn read_policies(dir: &Path) -> std::result::Result<(PolicySet, Vec<Problem>), Vec<Problem>> {
    let today = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date();
    let loaded = PolicySet::load(&crate::policy_files::read(dir)?, today)?;
    Ok((loaded.set, loaded.warnings))
}
