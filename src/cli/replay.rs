//! `replay`: has an `EventBridge` archive send its events to the queue once more. What the journal knows already changes
//! nothing; what it does not know is judged, and a person is asked before anything old is changed.

use super::{Failure, Format, Result, show};
use crate::aws::{AwsSettings, EventArchive, NewReplay, Progress, Replays};
use crate::config::Config;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use std::time::Duration;

/// How often the replay is asked after.
const LOOK: Duration = Duration::from_secs(1);
/// How often in a row that may fail; the replay itself goes on whatever is asked.
const PATIENCE: u32 = 30;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// From when: a day (2026-11-24, UTC) or a time with Z.
    #[arg(long, value_name = "TIME", value_parser = begin_of)]
    from: Timestamp,
    /// Until when; a day counts whole.
    #[arg(long, value_name = "TIME", value_parser = end_of)]
    to: Timestamp,
    /// The archive's name; left out: the one archive of the bus that the queue's rule listens on.
    #[arg(long, value_name = "NAME")]
    archive: Option<String>,
    /// The rule that feeds the queue; left out: the one that does.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Do not wait for its end.
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn replay(config: &Config, args: &ReplayArgs, format: Format) -> Result {
    let queue_url = config.queue_url()?;
    if args.from >= args.to {
        return Err(Failure::Usage(format!("--from {} is not before --to {}", args.from, args.to)));
    }
    let aws = AwsSettings::load().await;
    aws.region().map_err(Failure::Usage)?;
    let replays = Replays::new(&aws);
    let new = prepare(&replays, queue_url, args).await?;
    replays.start(&new).await.map_err(|error| {
        Failure::Outside(format!(
            "the replay of {} could not be started: {error}; nothing is replayed",
            new.archive_arn
        ))
    })?;
    told(&new, format);
    if args.no_wait {
        return Ok(());
    }
    let end = watch(&replays, &new, format).await?;
    if end.is_complete() {
        return Ok(());
    }
    let why = if end.why.is_empty() { "AWS does not say why" } else { &end.why };
    Err(Failure::Outside(format!(
        "the replay {} ended as {}: {why}. What it sent until then is judged; start another for the rest",
        new.name, end.state
    )))
}

/// Finds out what would be replayed whence and to what, before anything is started.
async fn prepare(replays: &Replays, queue_url: &str, args: &ReplayArgs) -> Result<NewReplay> {
    let queue = replays.queue_arn(queue_url).await?;
    let rule = match &args.rule {
        Some(rule) => rule.clone(),
        None => only("rule", &format!("sends to {queue}"), "--rule", replays.rules_to(&queue).await?)?,
    };
    let rule_arn = replays.rule_arn(&rule).await?;
    let archives = replays.archives().await?;
    let archive = if let Some(name) = &args.archive {
        name.clone()
    } else {
        let of_default = |archive: &&EventArchive| archive.bus_arn.ends_with(":event-bus/default");
        let names = archives.iter().filter(of_default).map(|archive| archive.name.clone()).collect();
        only("archive", "keeps the events of the default bus", "--archive", names)?
    };
    let Some(found) = archives.iter().find(|known| known.name == archive) else {
        let known: Vec<&str> = archives.iter().map(|archive| archive.name.as_str()).collect();
        return Err(Failure::Usage(format!("there is no archive {archive}; there are: {}", known.join(", "))));
    };
    Ok(NewReplay {
        // Never twice the same, so that two people who replay side by side do not refuse each other.
        name: format!("sluicegate-{}-{:08x}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"), fastrand::u32(..)),
        archive_arn: archive_arn(&found.bus_arn, &archive),
        bus_arn: found.bus_arn.clone(),
        rule_arns: vec![rule_arn],
        from: args.from,
        to: args.to,
    })
}

/// An archive lies in the account and region of its bus, which answers do not name otherwise.
fn archive_arn(bus_arn: &str, name: &str) -> String {
    let place = bus_arn.split(":event-bus/").next().unwrap_or(bus_arn);
    format!("{place}:archive/{name}")
}

/// The one that there is; else an error that says which there are.
fn only(what: &str, which: &str, flag: &str, mut names: Vec<String>) -> Result<String> {
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        (None, _) => Err(Failure::Usage(format!("no {what} {which}: make one, or name another with {flag}"))),
        (Some(last), false) => {
            names.push(last);
            names.sort();
            Err(Failure::Usage(format!("more than one {what} {which}: name one with {flag}: {}", names.join(", "))))
        }
    }
}

fn told(new: &NewReplay, format: Format) {
    if format == Format::Json {
        show::json(&json!({
            "replay": new.name, "archive": new.archive_arn, "rules": new.rule_arns, "from": new.from, "to": new.to
        }));
    } else {
        show::line(&format!("replay {} of {}, {} to {}", new.name, new.archive_arn, new.from, new.to));
    }
}

async fn watch(replays: &Replays, new: &NewReplay, format: Format) -> Result<Progress> {
    let bar = bar(new);
    let (mut before, mut failed) = (String::new(), 0);
    loop {
        let progress = match replays.progress(&new.name).await {
            Ok(progress) => progress,
            Err(error) if failed < PATIENCE => {
                failed += 1;
                tracing::debug!(%error, "the replay cannot be asked after; it goes on meanwhile");
                tokio::time::sleep(LOOK).await;
                continue;
            }
            Err(error) => {
                return Err(Failure::Outside(format!(
                    "the replay {} goes on, but how far is not known: {error}",
                    new.name
                )));
            }
        };
        failed = 0;
        if let Some(last) = progress.last {
            bar.set_position(u64::try_from(last.as_second() - new.from.as_second()).unwrap_or(0));
        }
        bar.set_message(format!("{} {}", progress.state, progress.last.map_or(String::new(), |time| time.to_string())));
        if progress.state != before {
            shown(&progress, format);
            before.clone_from(&progress.state);
        }
        if progress.is_over() {
            bar.finish_and_clear();
            return Ok(progress);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Along the time of the events; hidden where standard error is no terminal.
fn bar(new: &NewReplay) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(new.to.as_second() - new.from.as_second()).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn shown(progress: &Progress, format: Format) {
    if format == Format::Json {
        show::json(&json!({ "state": progress.state, "last": progress.last, "why": progress.why }));
    } else {
        show::line(&show::visible(&progress.state.to_lowercase()));
    }
}

/// A time, or a day's begin.
fn begin_of(text: &str) -> std::result::Result<Timestamp, String> {
    moment(text, 0)
}

/// A time, or a day's end.
fn end_of(text: &str) -> std::result::Result<Timestamp, String> {
    moment(text, 1)
}

fn moment(text: &str, days: i64) -> std::result::Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let day = text.parse::<Date>().ok().filter(|_| text.len() == 10).and_then(|day| day.checked_add(days.days()).ok());
    let begin = day.and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok());
    begin.ok_or_else(|| "write 2026-11-24, or 2026-11-24T08:00:00Z".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_taken_whole() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(begin_of("2026-11-24").unwrap(), time("2026-11-24T00:00:00Z"));
        assert_eq!(end_of("2026-11-24").unwrap(), time("2026-11-25T00:00:00Z"));
        assert_eq!(end_of("2026-11-24T08:30:00+02:00").unwrap(), time("2026-11-24T06:30:00Z"));
        for wrong in ["", "yesterday", "2026-11-31", "2026-11-24T08:30:00", "24.11.2026"] {
            assert!(begin_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_archive_lies_where_its_bus_does() {
        let arn = "arn:aws-cn:events:cn-north-1:111122223333:archive/a";
        assert_eq!(archive_arn("arn:aws-cn:events:cn-north-1:111122223333:event-bus/default", "a"), arn);
        assert_eq!(archive_arn("arn:aws-cn:events:cn-north-1:111122223333:event-bus/orders/x", "a"), arn);
    }

    #[test]
    fn where_there_are_several_none_is_guessed() {
        let only =
            |names: &[&str]| only("archive", "is there", "--archive", names.iter().map(|&name| name.into()).collect());
        assert_eq!(only(&["a"]).unwrap(), "a");
        let Err(Failure::Usage(told)) = only(&["b", "a"]) else { panic!("guessed") };
        assert!(told.ends_with("--archive: a, b"), "{told}");
        assert!(only(&[]).is_err());
    }
}
