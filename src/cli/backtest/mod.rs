//! `backtest`: judges an archive of CloudTrail logs as a responder would have, oldest finding first.

mod json;
mod page;
mod text;
mod words;

use super::progress::{Progress, judging};
use super::sink::{self, Sink};
use super::{Failure, Format, PolicyArgs, Result, archives, load_policies, show};
use crate::archive::{self, Archive, Damaged, Place, Totals};
use crate::config::Config;
use crate::history::{Backtest, Limits};
use crate::policy::PolicySet;
use clap::{Args, ValueEnum};
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    #[command(flatten)]
    policies: PolicyArgs,
    /// Tell what another policy set would change. --policies (or the configured directory) is today's set, "before";
    /// this one is the set that it is compared with, "after".
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Exit with 1 where today's set does not allow a finding, or where --against judges one differently.
    #[arg(long, value_enum, value_name = "WHAT")]
    fail_on: Vec<FailOn>,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many threads read the archive; left out: one for each core.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Parse every record, instead of telling most apart by their bytes. The findings are the same, but behind a damage.
    #[arg(long)]
    thorough: bool,
    /// As text, show every finding, and not only the newest that are not allowed. (JSON always has every finding.)
    #[arg(long)]
    all: bool,
    // Told to clap and not to rustdoc, which would take the address for a link.
    #[arg(
        required = true,
        value_name = "PATH",
        help = "Files or folders with CloudTrail logs in any accepted shape, plain or gzipped, or s3://BUCKET/PREFIX"
    )]
    paths: Vec<String>,
}

/// What makes the answer a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A finding that is not allowed.
    NotAllowed,
    /// A finding that --against judges differently.
    Changed,
}

/// What was read, and by which policies it is judged.
struct Read<'a> {
    places: &'a [String],
    policies: &'a Path,
    against: Option<&'a Path>,
    /// The digests of the sets.
    digests: (&'a str, Option<&'a str>),
    totals: Totals,
    damaged: Vec<Damaged>,
    started: Instant,
}

impl Read<'_> {
    /// How many bytes of logs.
    fn size(&self) -> u64 {
        self.totals.bytes_raw.max(self.totals.bytes_compressed)
    }

    fn took(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Of how many of the newest findings text tells those that are not allowed; those that are alike it tells once.
const NEWEST: usize = 500;

pub(super) fn backtest(config: &Config, args: &BacktestArgs, format: Format) -> Result {
    let started = Instant::now();
    args.check(format)?;
    let places = args.paths.iter().map(|path| path.parse::<Place>()).collect::<std::result::Result<Vec<_>, _>>();
    let places = places.map_err(Failure::Usage)?;
    let dir = args.policies.dir(config);
    let set = load_policies(dir, format)?;
    let against = args.against.as_deref().map(|dir| load_policies(dir, format)).transpose()?;
    let Archive { totals, damaged, findings } = args.read(&places, format)?;
    let read = Read {
        places: &args.paths,
        policies: dir,
        against: args.against.as_deref(),
        digests: (set.digest(), against.as_ref().map(PolicySet::digest)),
        totals,
        damaged,
        started,
    };
    let limits = match format {
        Format::Html => Limits::default(),
        Format::Text => Limits { findings: NEWEST, ..Limits::default() },
        Format::Json => Limits { findings: 0, ..Limits::default() },
    };
    let mut told = Backtest::new(&set, against.as_ref(), limits);
    let mut out = Sink::open(args.output.as_deref())?;
    if format == Format::Json {
        json::damaged(&mut out, &read.damaged)?;
    }
    let streams = format == Format::Json || args.all;
    let progress = judging(read.totals.findings, args.progress(format) && !(streams && args.on_terminal()));
    for finding in findings {
        let finding = finding?;
        let opinion = told.judge(&finding);
        progress.inc(1);
        match format {
            Format::Json => json::finding(&mut out, &finding, &opinion)?,
            Format::Text if args.all => text::finding(&mut out, &finding, &opinion)?,
            Format::Text | Format::Html => {}
        }
    }
    progress.finish_and_clear();
    match format {
        Format::Json => json::summary(&mut out, &read, &told)?,
        Format::Text => text::summary(&mut out, &read, &told, args.all)?,
        Format::Html => page::write(&mut out, &read, &told)?,
    }
    out.finish()?;
    args.answer(&read, &told)
}

impl BacktestArgs {
    fn check(&self, format: Format) -> Result {
        if self.fail_on.contains(&FailOn::Changed) && self.against.is_none() {
            return Err(Failure::Usage("--fail-on changed needs --against DIR, the policies to compare with".into()));
        }
        if self.all && format != Format::Text {
            return Err(Failure::Usage("--all is for --format text; --format json always has every finding".into()));
        }
        let Some(output) = &self.output else {
            if format == Format::Html && std::io::stdout().is_terminal() {
                let why = "a report is for a browser, not for a terminal: add --output report.html";
                return Err(Failure::Usage(why.into()));
            }
            return Ok(());
        };
        sink::check(output)
    }

    fn read(&self, places: &[Place], format: Format) -> Result<Archive> {
        let mut options = archive::Options { thorough: self.thorough, ..archive::Options::default() };
        if let Some(threads) = self.threads {
            options.threads = threads.get();
        }
        let progress = Progress::new(self.progress(format));
        let archive = archives::read(places, &options, &progress);
        progress.end();
        archive
    }

    /// Whether what is written goes to a terminal.
    fn on_terminal(&self) -> bool {
        self.output.is_none() && std::io::stdout().is_terminal()
    }

    /// Whether progress is worth showing: not where another program reads along.
    fn progress(&self, format: Format) -> bool {
        format != Format::Json || self.output.is_some() || self.on_terminal()
    }

    /// The exit code, and on standard error what made it.
    fn answer(&self, read: &Read<'_>, told: &Backtest<'_>) -> Result {
        let mut no = false;
        let errors = read.totals.errors;
        if errors > 0 {
            let first =
                read.damaged.first().map_or(String::new(), |first| format!("; the first: {}", words::place(first)));
            show::complain(&format!("{} could not be read{first}", words::many(errors, "place")));
            no = true;
        }
        let not_allowed = told.tally.count.not_allowed;
        if self.fail_on.contains(&FailOn::NotAllowed) && not_allowed > 0 {
            show::complain(&format!("{} not allowed (--fail-on not-allowed)", words::are(not_allowed, "finding")));
            no = true;
        }
        let changed = told.changes.as_ref().map_or(0, |changes| changes.changed);
        if self.fail_on.contains(&FailOn::Changed) && changed > 0 {
            let many = words::are(changed, "finding");
            show::complain(&format!("{many} judged differently by --against (--fail-on changed)"));
            no = true;
        }
        if no { Err(Failure::No) } else { Ok(()) }
    }
}
