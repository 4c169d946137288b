//! Logs: text on a terminal, JSON lines otherwise. They go to standard error; what a command shows goes to standard
//! output. Every line about a case carries its id in the field `case`.

use std::io::IsTerminal;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// Starts logging. `SLUICEGATE_LOG` takes filters as `info,sluicegate=debug`; left out: `quiet` shows warnings, else
/// information.
pub fn start(quiet: bool) {
    let usual = if quiet { "warn" } else { "info" };
    let mut filter = EnvFilter::try_from_env("SLUICEGATE_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    // What these trace holds tokens and tickets.
    for quiet in ["tungstenite=info", "tokio_tungstenite=info", "hyper=info", "reqwest=info", "h2=info"] {
        filter = quiet.parse().into_iter().fold(filter, EnvFilter::add_directive);
    }
    let terminal = std::io::stderr().is_terminal();
    let log = fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(terminal);
    let log = if terminal { log.compact().boxed() } else { log.json().flatten_event(true).boxed() };
    // An error means that logging was started before, which does no harm.
    let _ = registry().with(filter).with(log.with_filter(filter_fn(tells_no_secret))).try_init();
}

/// At its most talkative the AWS SDK logs whole answers, and some are secrets: where a function's code can be fetched,
/// what a secret holds. No filter brings that back.
fn tells_no_secret(about: &Metadata<'_>) -> bool {
    *about.level() != Level::TRACE || !about.target().starts_with("aws_")
}
