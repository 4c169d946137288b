//! What the numbers say: over time, by outcome, principal, policy, place and source.

use super::{ROWS, number, row, table, telling, text, time};
use crate::cli::backtest::words::{self, RESPONSES, grouped};
use crate::history::{Backtest, Capped, Count, Tally, buckets};
use crate::policy::Response;
use crate::report::{Bar, Cell, Chart, Column, Row, Section, Tone};
use std::hash::Hash;

pub(super) fn chart(tally: &Tally) -> Section {
    let (period, buckets) = buckets(tally.days.iter());
    let bars = buckets.iter().map(|bucket| Bar {
        label: period.label(bucket.start),
        values: vec![bucket.count.not_allowed, bucket.count.allowed],
    });
    Section::Chart(Chart {
        title: format!("Findings by {}", period.word()),
        parts: vec![("not allowed".to_owned(), Tone::Bad), ("allowed".to_owned(), Tone::Good)],
        bars: bars.collect(),
    })
}

pub(super) fn outcomes(tally: &Tally) -> Section {
    let meaning = |response: Response| match response {
        Response::Leave => "allowed: nothing is done",
        Response::Notify => "people are told, nothing is changed",
        Response::Ask => "a person decides before anything is changed",
        Response::Disable => "the mapping is disabled at once, then a person decides",
        Response::Freeze => "the function is frozen and the mapping disabled at once, then a person decides",
    };
    let tone = |response: Response| match response {
        Response::Leave => Tone::Good,
        Response::Notify | Response::Ask => Tone::Warn,
        Response::Disable | Response::Freeze => Tone::Bad,
    };
    let mut rows: Vec<Row> = RESPONSES
        .iter()
        .filter_map(|response| tally.by_response.get(response).map(|count| (*response, *count)))
        .map(|(response, count)| {
            let verdict = if response == Response::Leave { "allowed" } else { "not allowed" };
            let word = Cell::toned(words::response(response), tone(response));
            row([word, text(verdict), number(count), text(meaning(response))])
        })
        .collect();
    if tally.restricted > 0 {
        let what = text("the actor's credentials are restricted at once as well; counted above too");
        rows.push(row([Cell::toned("restrict", Tone::Bad), text("not allowed"), number(tally.restricted), what]));
    }
    if tally.erred > 0 {
        let what = text("a policy could not be evaluated, so a person is asked; counted above too");
        rows.push(row([Cell::toned("policy error", Tone::Bad), text("not allowed"), number(tally.erred), what]));
    }
    let columns = vec![
        Column::text("Response"),
        Column::text("Verdict"),
        Column::number("Findings"),
        Column::text("What is done"),
    ];
    table("By verdict and response", "", columns, rows)
}

pub(super) fn principals(tally: &Tally) -> Section {
    let ranked = tally.principals.ranked(|principal| (principal.count.not_allowed, principal.count.allowed));
    let mut rows: Vec<Row> = ranked
        .iter()
        .take(ROWS)
        .map(|(arn, principal)| {
            let done = words::responses(&principal.by_response, principal.restricted);
            let Count { allowed, not_allowed } = principal.count;
            let who = text(words::principal(arn));
            row([who, telling(not_allowed, Tone::Bad), number(allowed), text(&done), time(principal.last)])
        })
        .collect();
    if let Some(others) = tally.principals.others() {
        let Count { allowed, not_allowed } = others.count;
        let done = words::responses(&others.by_response, others.restricted);
        let who = text("(others, too many to be told apart)");
        rows.push(row([who, telling(not_allowed, Tone::Bad), number(allowed), text(&done), time(others.last)]));
    }
    let columns = vec![
        Column::text("Principal"),
        Column::number("Not allowed"),
        Column::number("Allowed"),
        Column::text("What would be done"),
        Column::text("Last seen"),
    ];
    table("By principal", &left_out(ranked.len(), "principal"), columns, rows)
}

pub(super) fn policies(told: &Backtest<'_>) -> Section {
    let policies = &told.tally.policies;
    let ranked = policies.ranked(|count| count.total());
    let mut rows: Vec<Row> = ranked
        .iter()
        .take(ROWS)
        .map(|(id, count)| {
            let (owner, reason) = told.usage.about(id);
            let kind = if told.usage.is_entry(id) { "allowlist entry" } else { "rule" };
            row([text(id), text(kind), number(count.allowed), number(count.not_allowed), text(owner), text(reason)])
        })
        .collect();
    if let Some(count) = policies.others() {
        let (allowed, not_allowed) = (number(count.allowed), number(count.not_allowed));
        rows.push(row([text("(others)"), text(""), allowed, not_allowed, text(""), text("")]));
    }
    let columns = vec![
        Column::text("Policy"),
        Column::text("Kind"),
        Column::number("Allowed"),
        Column::number("Not allowed"),
        Column::text("Owner"),
        Column::text("Reason"),
    ];
    let note =
        "The entries and rules that decided; several may decide on one finding, and none does where nothing covers it.";
    table("By policy", &format!("{note} {}", left_out(ranked.len(), "policy")), columns, rows)
}

pub(super) fn places(tally: &Tally) -> Section {
    let rows =
        counted(&tally.places, |(account, region)| [text(account), text(region)], || [text("(others)"), text("")]);
    let columns =
        vec![Column::text("Account"), Column::text("Region"), Column::number("Not allowed"), Column::number("Allowed")];
    table("By account and region", "", columns, rows)
}

pub(super) fn sources(tally: &Tally) -> Section {
    let rows = tally
        .sources
        .iter()
        .map(|(kind, count)| row([text(kind), telling(count.not_allowed, Tone::Bad), number(count.allowed)]));
    let columns = vec![Column::text("Source"), Column::number("Not allowed"), Column::number("Allowed")];
    table("By kind of source", "", columns, rows.collect())
}

fn counted<K: Hash + Eq + Ord>(
    counts: &Capped<K, Count>,
    named: impl Fn(&K) -> [Cell; 2],
    others: impl Fn() -> [Cell; 2],
) -> Vec<Row> {
    let told = |[first, second]: [Cell; 2], count: &Count| {
        row([first, second, telling(count.not_allowed, Tone::Bad), number(count.allowed)])
    };
    let ranked = counts.ranked(|count| (count.not_allowed, count.allowed));
    let mut rows: Vec<Row> = ranked.iter().take(ROWS).map(|(key, count)| told(named(key), count)).collect();
    rows.extend(counts.others().map(|count| told(others(), count)));
    rows
}

fn left_out(all: usize, what: &str) -> String {
    match all.saturating_sub(ROWS) {
        0 => String::new(),
        left => format!("The first {ROWS}; {} more, {what} by {what}, are in --format json.", grouped(left as u64)),
    }
}
