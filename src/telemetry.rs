//! Logs: text on a terminal, JSON lines otherwise. They go to standard error; what a command shows goes to standard
//! output. Every line about a case carries its id in the field `case`.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

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
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).with_ansi(terminal);
    // An error means that logging was started before, which does no harm.
    let _ = if terminal { log.compact().try_init() } else { log.json().flatten_event(true).try_init() };
}
