//! A summary that a person likes to read.

use super::words::{self, bytes, grouped, many};
use super::{Read, Sink};
use crate::cli::Result;
use crate::cli::show::{self, visible};
use crate::detection::Finding;
use crate::explanation::{known, what};
use crate::history::{Backtest, Changes, Expiry, Judged, Opinion, Outcome};
use crate::policy::{Response, Verdict};

/// How many lines a list has at most.
const LISTED: usize = 10;

/// One finding, in a few lines.
pub(super) fn finding(out: &mut Sink, finding: &Finding, opinion: &Opinion) -> Result {
    one(out, finding, &opinion.verdict)?;
    match &opinion.against {
        Some(after) if Outcome::of(after) != Outcome::of(&opinion.verdict) => differs(out, after),
        _ => Ok(()),
    }
}

pub(super) fn summary(out: &mut Sink, read: &Read<'_>, told: &Backtest<'_>, all: bool) -> Result {
    if all && told.tally.count.total() > 0 {
        out.line("")?;
    }
    what_was_read(out, read, told)?;
    if told.tally.count.total() > 0 {
        outcomes(out, told)?;
        principals(out, told)?;
        deciding(out, told)?;
        allowlist(out, told)?;
    }
    if let Some(changes) = &told.changes {
        differences(out, read, changes)?;
    }
    damaged(out, read)?;
    if all { Ok(()) } else { newest(out, told) }
}

fn what_was_read(out: &mut Sink, read: &Read<'_>, told: &Backtest<'_>) -> Result {
    let totals = &read.totals;
    let size = if totals.bytes_compressed == read.size() {
        bytes(read.size())
    } else {
        format!("{} ({} as stored)", bytes(read.size()), bytes(totals.bytes_compressed))
    };
    let took = read.took();
    out.line(&format!(
        "Read {}, {}, {size} in {}, {}",
        many(totals.files, "file"),
        many(totals.records, "record"),
        words::duration(took),
        words::speed(read.size(), took)
    ))?;
    let digest = read.digests.0.get(..12).unwrap_or_default();
    out.line(&format!("Judged by {}, digest {digest}", visible(&read.policies.display().to_string())))?;
    let tally = &told.tally;
    if tally.count.total() == 0 {
        let why = if totals.records == 0 {
            "No records were found: are these CloudTrail logs?"
        } else {
            "No findings: no record makes a mapping, or enables, repoints or rewires one."
        };
        return out.line(why);
    }
    let span = tally
        .span
        .map_or(String::new(), |(first, last)| format!(", from {} to {} UTC", words::time(first), words::time(last)));
    out.line(&format!("{}{span}", many(tally.count.total(), "finding")))?;
    if tally.undated > 0 {
        out.line(&format!("{} without a time, judged as the oldest", words::are(tally.undated, "finding")))?;
    }
    Ok(())
}

fn outcomes(out: &mut Sink, told: &Backtest<'_>) -> Result {
    let tally = &told.tally;
    let mut rows = vec![vec!["allowed".to_owned(), grouped(tally.count.allowed)]];
    rows.push(vec!["not allowed".to_owned(), grouped(tally.count.not_allowed)]);
    for (response, count) in tally.by_response.iter().rev().filter(|(response, _)| **response != Response::Leave) {
        rows.push(vec![format!("  {}", words::response(*response)), grouped(*count)]);
    }
    if tally.restricted > 0 {
        rows.push(vec!["  and restricted".to_owned(), grouped(tally.restricted)]);
    }
    if tally.erred > 0 {
        rows.push(vec!["  policy error".to_owned(), grouped(tally.erred)]);
    }
    out.line("")?;
    table(out, &rows, &[false, true])
}

fn principals(out: &mut Sink, told: &Backtest<'_>) -> Result {
    let principals = &told.tally.principals;
    let ranked = principals.ranked(|principal| principal.count.not_allowed);
    let wrong: Vec<_> = ranked.into_iter().filter(|(_, principal)| principal.count.not_allowed > 0).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    heading(out, "Not allowed, by principal, and what would have been done")?;
    let rows: Vec<Vec<String>> = wrong
        .iter()
        .take(LISTED)
        .map(|(arn, principal)| {
            let last = principal.last_not_allowed.map_or(String::new(), |last| format!("last {}", words::time(last)));
            let done = words::responses(&principal.by_response, principal.restricted);
            vec![grouped(principal.count.not_allowed), visible(words::principal(arn)), done, last]
        })
        .collect();
    table(out, &rows, &[true])?;
    more(out, wrong.len())?;
    match principals.others() {
        Some(others) => {
            let many = many(others.count.not_allowed, "finding");
            out.line(&format!("  {many} not allowed by principals too many to be told apart"))
        }
        None => Ok(()),
    }
}

fn deciding(out: &mut Sink, told: &Backtest<'_>) -> Result {
    heading(out, "Decided by")?;
    let ranked = told.tally.policies.ranked(|count| count.total());
    let rows: Vec<Vec<String>> = ranked
        .iter()
        .take(LISTED)
        .map(|(id, count)| {
            let kind = if told.usage.is_entry(id) { "entry" } else { "rule" };
            let each = [(count.allowed, "allowed"), (count.not_allowed, "not allowed")];
            let each = each.into_iter().filter(|(count, _)| *count > 0);
            let each: Vec<String> = each.map(|(count, word)| format!("{} {word}", grouped(count))).collect();
            vec![format!("{kind} {}", visible(id)), each.join(", ")]
        })
        .collect();
    table(out, &rows, &[])?;
    more(out, ranked.len())
}

fn allowlist(out: &mut Sink, told: &Backtest<'_>) -> Result {
    let usage = &told.usage;
    let newest = told.tally.span.map(|(_, last)| last);
    let expiry = |expires| newest.map_or(Expiry::Live, |newest| Expiry::of(expires, newest));
    let mut notes = Vec::new();
    for (id, expires, used) in usage.entries() {
        let id = visible(id);
        match expiry(expires) {
            Expiry::Expired => {
                let late = match used.too_late {
                    0 => String::new(),
                    late => format!("; {} since then would have been covered", many(late, "finding")),
                };
                notes.push(format!("{id} expired after {expires}{late}"));
            }
            Expiry::Expiring => notes.push(format!("{id} expires after {expires}")),
            Expiry::Live => {}
        }
        if used.unused() && expiry(expires) != Expiry::Expired {
            notes.push(format!("{id} was never used"));
        }
        if used.overruled > 0 {
            let overruled = words::are(used.overruled, "finding");
            notes.push(format!("{id}: {overruled} covered by it and not allowed all the same"));
        }
    }
    for (first, second, count) in usage.pairs() {
        let (first, second) = (visible(first), visible(second));
        notes.push(format!("{first} and {second} overlap: both cover {}", many(count, "finding")));
    }
    if notes.is_empty() {
        return Ok(());
    }
    heading(out, "Allowlist")?;
    for note in notes.iter().take(2 * LISTED) {
        out.line(&format!("  {note}"))?;
    }
    if notes.len() > 2 * LISTED {
        out.line(&format!("  and {} more; --format html lists all", grouped((notes.len() - 2 * LISTED) as u64)))?;
    }
    Ok(())
}

fn differences(out: &mut Sink, read: &Read<'_>, changes: &Changes) -> Result {
    let other = visible(&read.against.map_or(String::new(), |dir| dir.display().to_string()));
    if changes.changed == 0 {
        return heading(out, &format!("{other} changes nothing: every finding is judged the same"));
    }
    let many = many(changes.changed, "finding");
    heading(out, &format!("{other} changes {many}"))?;
    let rows: Vec<Vec<String>> = changes
        .by_change
        .iter()
        .map(|((before, after), count)| vec![grouped(*count), before.told(), "→".to_owned(), after.told()])
        .collect();
    table(out, &rows, &[true])?;
    for changed in changes.kept.iter().take(LISTED) {
        one(out, &changed.finding, &changed.before)?;
        differs(out, &changed.after)?;
    }
    let left = changes.changed.saturating_sub(LISTED as u64);
    if left > 0 {
        out.line(&format!("  and {} more; --format json has all", grouped(left)))?;
    }
    Ok(())
}

fn damaged(out: &mut Sink, read: &Read<'_>) -> Result {
    let errors = read.totals.errors;
    if errors == 0 {
        return Ok(());
    }
    heading(out, &format!("{} could not be read; everything else was judged", many(errors, "place")))?;
    for place in read.damaged.iter().take(LISTED) {
        out.line(&format!("  {}", visible(&words::place(place))))?;
    }
    let left = errors.saturating_sub(LISTED as u64);
    if left > 0 { out.line(&format!("  and {} more", grouped(left))) } else { Ok(()) }
}

/// The newest that are not allowed; those of one principal and for one reason once.
fn newest(out: &mut Sink, told: &Backtest<'_>) -> Result {
    let mut groups: Vec<(&Judged, u64)> = Vec::new();
    for judged in told.kept.iter().filter(|judged| !judged.verdict.allowed) {
        match groups.iter_mut().find(|(first, _)| alike(first, judged)) {
            Some((_, more)) => *more += 1,
            None => groups.push((judged, 0)),
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    heading(out, "Not allowed, newest first")?;
    for (judged, more) in groups.iter().take(LISTED) {
        one(out, &judged.finding, &judged.verdict)?;
        if *more > 0 {
            out.line(&format!("      and {} more like it", grouped(*more)))?;
        }
    }
    let shown: u64 = groups.iter().take(LISTED).map(|(_, more)| more + 1).sum();
    if shown == told.tally.count.not_allowed {
        return Ok(());
    }
    let left = grouped(told.tally.count.not_allowed - shown);
    out.line(&format!("  and {left} others: --all shows each, --format html --output FILE writes a report"))
}

fn alike(one: &Judged, other: &Judged) -> bool {
    one.finding.actor.principal_arn == other.finding.actor.principal_arn
        && one.finding.detection == other.finding.detection
        && Outcome::of(&one.verdict) == Outcome::of(&other.verdict)
        && one.verdict.reasons.first() == other.verdict.reasons.first()
}

/// When and what, by whom, between what, and why.
fn one(out: &mut Sink, finding: &Finding, verdict: &Verdict) -> Result {
    let call = &finding.call;
    let told = Outcome::of(verdict).told();
    let colour = if verdict.allowed { show::GREEN } else { show::RED };
    let told = if out.is_file() { told } else { show::coloured(&told, colour) };
    out.line(&format!("  {}  {}: {told}", words::time(finding.event.time), what(finding)))?;
    out.line(&format!("      by {}", visible(words::principal(&finding.actor.principal_arn))))?;
    let source = known(&call.source.arn).or(known(&call.source.name)).unwrap_or("?");
    let function = known(&call.function.name).unwrap_or("?");
    let place = format!("{source} → {function}, in {} {}", finding.account, finding.region);
    out.line(&format!("      {}", visible(&place)))?;
    match verdict.reasons.first() {
        Some(reason) => out.line(&format!("      {}", visible(reason))),
        None => Ok(()),
    }
}

fn differs(out: &mut Sink, after: &Verdict) -> Result {
    let why = after.reasons.first().map_or("", String::as_str);
    out.line(&format!("      → {}: {}", Outcome::of(after).told(), visible(why)))
}

fn heading(out: &mut Sink, text: &str) -> Result {
    out.line("")?;
    if out.is_file() { out.line(text) } else { out.line(&show::coloured(text, show::BOLD)) }
}

fn more(out: &mut Sink, all: usize) -> Result {
    match all.saturating_sub(LISTED) {
        0 => Ok(()),
        left => out.line(&format!("  and {} more", grouped(left as u64))),
    }
}

/// Columns, each as wide as its widest cell; numbers to the right.
fn table(out: &mut Sink, rows: &[Vec<String>], numbers: &[bool]) -> Result {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| match numbers.get(column) {
                Some(true) => format!("{cell:>width$}", width = width(column)),
                _ => format!("{cell:<width$}", width = width(column)),
            })
            .collect();
        out.line(format!("  {}", cells.join("  ")).trim_end())?;
    }
    Ok(())
}
