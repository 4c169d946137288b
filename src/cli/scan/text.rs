//! The scan for people.

use crate::cli::show;
use crate::explanation::VerdictView;
use crate::scan::{Deed, Place, Report, Scanned, Standing};

/// All of it.
pub(super) fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    for place in &report.places {
        of_place(report, place, &mut lines);
    }
    for missing in &report.missing {
        let uuid = if missing.uuid.is_empty() { String::new() } else { format!(", mapping {}", missing.uuid) };
        lines.push(show::visible(&format!("NOT LOOKED AT  {}{uuid}: {}", missing.place, missing.error)));
    }
    lines.extend(report.notes.iter().map(|note| show::visible(&format!("note: {note}"))));
    lines.push(summary(report));
    lines.join("\n") + "\n"
}

fn of_place(report: &Report, place: &Place, lines: &mut Vec<String>) {
    let scanned: Vec<&Scanned> = report.of(place).collect();
    let incomplete = report.missing.iter().any(|missing| missing.place == *place);
    if scanned.is_empty() && incomplete {
        return;
    }
    let many = show::count(scanned.len(), "mapping");
    let more = if incomplete { ", but not all of it could be looked at" } else { "" };
    lines.push(show::visible(&format!("{place}: {many}{more}")));
    if scanned.is_empty() {
        lines.push(String::new());
        return;
    }
    let mut rows = vec![["ANSWER", "MAPPING", "STATE", "FUNCTION", "SOURCE", "MADE", "BY"].map(str::to_owned).to_vec()];
    rows.extend(scanned.iter().map(|scanned| row(scanned)));
    lines.extend(show::table_lines(&rows).into_iter().map(|line| format!("  {line}")));
    for scanned in scanned {
        lines.extend(why(scanned));
    }
    lines.push(String::new());
}

/// What follows an ARN's account: `table/orders/stream/…` has colons of its own.
fn last(text: &str) -> String {
    show::visible(text.splitn(6, ':').nth(5).unwrap_or(text))
}

fn row(scanned: &Scanned) -> Vec<String> {
    let mapping = &scanned.mapping;
    let (made, by) = match &scanned.created {
        Some(created) => (format!("{:.0}", created.finding.event.time), last(who(created))),
        // Why it could not be asked is told once, below.
        None => ("?".to_owned(), show::visible(scanned.attribution.told().split(':').next().unwrap_or("?"))),
    };
    let name = |name: &str, whole: String| if name.is_empty() { show::visible(&whole) } else { show::visible(name) };
    let function = match mapping.function.qualifier.as_str() {
        "" => name(&mapping.function.name, mapping.function.to_string()),
        qualifier => show::visible(&format!("{}:{qualifier}", mapping.function.name)),
    };
    vec![
        scanned.standing().told().to_owned(),
        show::visible(&mapping.uuid),
        show::visible(&mapping.state),
        function,
        name(&mapping.source.name, mapping.source.to_string()),
        made,
        by,
    ]
}

fn who(deed: &Deed) -> &str {
    let actor = &deed.finding.actor;
    let named = [&actor.principal_arn, &actor.arn].into_iter().find(|arn| !arn.is_empty());
    named.map_or("nobody who can be told for certain", String::as_str)
}

/// Why a mapping stands as it does; nothing for one of which nothing is to be told.
fn why(scanned: &Scanned) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(changed) = &scanned.changed {
        let event = &changed.finding.event;
        let answer = if changed.verdict.allowed { "allowed" } else { "not allowed" };
        let what = changed.finding.detection.name();
        told.push(format!("{what} by {} at {} (event {}): {answer}", who(changed), event.time, event.id));
    }
    if let (Standing::NotAllowed, Some(verdict)) = (scanned.standing(), &scanned.verdict) {
        let response = VerdictView::of(verdict).response_told();
        told.push(format!("a responder's answer: {response}; scan itself changes nothing"));
        told.extend(verdict.reasons.iter().cloned());
        told.extend(verdict.errors.iter().map(|error| format!("error: {error}")));
    }
    told.extend(scanned.smells.iter().map(|smell| format!("{}: {}", smell.smell, smell.reason)));
    told.extend(scanned.unknown.iter().map(|unknown| format!("not known: {unknown}")));
    if told.is_empty() {
        return told;
    }
    let mut lines = vec![show::visible(&format!("  {} {}", scanned.mapping.uuid, scanned.mapping.function.name))];
    lines.extend(told.iter().map(|text| format!("    {}", show::visible(text))));
    lines
}

fn summary(report: &Report) -> String {
    let all = report.summary();
    let incomplete = match all.places_incomplete {
        0 => String::new(),
        some => format!(", {some} of them not completely"),
    };
    format!(
        "{} in {}{incomplete}: {} not allowed, {} unattributed, {} allowed; {} with smells",
        show::count(all.mappings, "mapping"),
        show::count(all.places, "place"),
        all.not_allowed,
        all.unattributed,
        all.allowed,
        all.with_smells
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::fixtures::report;

    #[test]
    fn people_read_the_most_telling_first_and_what_is_missing() {
        insta::assert_snapshot!(text(&report()));
    }

    #[test]
    fn what_comes_from_outside_commands_no_terminal_and_writes_no_lines() {
        let mut hostile = report();
        let evil = "\u{1b}[2J\u{202e}\nallowed";
        for scanned in &mut hostile.scanned {
            scanned.mapping.uuid.push_str(evil);
            scanned.mapping.state.push_str(evil);
            scanned.mapping.function.name.push_str(evil);
            scanned.mapping.source.name.push_str(evil);
            for deed in scanned.created.iter_mut().chain(&mut scanned.changed) {
                deed.finding.actor.principal_arn.push_str(evil);
                deed.finding.event.id.push_str(evil);
            }
            scanned.smells.iter_mut().for_each(|smell| smell.reason.push_str(evil));
            scanned.unknown.iter_mut().for_each(|unknown| unknown.push_str(evil));
            scanned.verdict.iter_mut().for_each(|verdict| verdict.reasons.push(evil.to_owned()));
        }
        hostile.missing.iter_mut().for_each(|missing| missing.error.push_str(evil));
        let told = text(&hostile);
        assert!(!told.contains('\u{1b}') && !told.contains('\u{202e}'), "{told}");
        let ordinary = text(&report()).lines().count();
        // One more reason for the one that is not allowed, and nothing else.
        assert_eq!(told.lines().count(), ordinary + 1, "{told}");
    }
}
