//! The proposal as a file that `check` accepts and a person can review.

use super::draft::Draft;
use super::seen::Counts;
use super::{LeftOut, Lesson, MIN_DAYS, Options, Proposal};
use crate::detection::Change;
use std::fmt::Write as _;

/// Where comments and lists are broken.
const WIDTH: usize = 110;
/// So many values of a kind are shown.
const SHOWN: usize = 4;
/// A text from outside is shown up to so many characters.
const LONGEST: usize = 120;
/// So many kinds of findings that are left out are told one by one.
const LEFT_OUT: usize = 100;

impl Lesson {
    /// The whole file. `missing` tells what of the history could not be read.
    pub fn to_toml(&self, options: &Options, missing: &[String]) -> String {
        let mut text = self.head(options, missing);
        for (number, proposal) in self.proposals.iter().enumerate() {
            text.push('\n');
            text.push_str(&evidence(number + 1, proposal));
            text.push_str(entry(&proposal.entry).trim_start());
        }
        text.push_str(&self.tail());
        text
    }

    fn head(&self, options: &Options, missing: &[String]) -> String {
        let summary = &self.summary;
        let span = summary.first.zip(summary.last);
        let span = span
            .map_or_else(String::new, |(first, last)| format!(", {} to {}", first.strftime("%F"), last.strftime("%F")));
        let mut text = comment(
            "",
            &format!(
                "Proposed by `sluicegate learn` on {} from {}{span}. For a person to review: what was always done is not \
                 therefore right. Name an owner for each entry, strike what should not go on, and put the rest into \
                 allowlist.toml.",
                options.today,
                counted(summary.findings, "finding")
            ),
        );
        text.push_str("#\n");
        text.push_str(&comment(
            "",
            &format!(
                "A habit is what was seen at least {} times, on at least {MIN_DAYS} days. An entry allows what was seen, \
                 and what stands above it under \"wider than seen\". No key tells a function's alias or version, a \
                 source's account or a mapping's filter and destinations, so every entry allows any; the rules forbid \
                 foreign sources all the same. Without `accounts` an entry is for the role's own account, since that is \
                 where Lambda makes a role's mappings.",
                options.min_times
            ),
        ));
        text.push_str("#\n");
        text.push_str(&comment("", &self.outcome()));
        for missing in missing {
            text.push_str(&comment("  ", &format!("INCOMPLETE: {missing}")));
        }
        text
    }

    /// How it came out, in a sentence or two.
    pub fn outcome(&self) -> String {
        let summary = &self.summary;
        let suspicious = match summary.suspicious {
            0 => String::new(),
            number => format!(", {number} of them suspicious"),
        };
        let already = match summary.already_allowed {
            0 => String::new(),
            number => format!("; {number} need none, being allowed already"),
        };
        if self.proposals.is_empty() {
            let why = match (summary.findings, summary.left_out) {
                (0, _) => "the history holds no finding",
                (_, 0) => "the present allowlist allows all of it",
                _ => "nothing in it is a habit that an entry may be for",
            };
            return format!("No entry is proposed: {why}{already}. Left out: {}{suspicious}.", summary.left_out);
        }
        format!(
            "{} for {} of {}{already}. Left out: {}{suspicious}, listed at the end.",
            counted_as(self.proposals.len(), "entry", "entries"),
            summary.explained,
            counted(summary.findings, "finding"),
            summary.left_out
        )
    }

    fn tail(&self) -> String {
        if self.left_out.is_empty() {
            return String::new();
        }
        let mut text = "\n# Left out: for these no entry is proposed.\n#\n".to_owned();
        for left in self.left_out.iter().take(LEFT_OUT) {
            text.push_str(&left_out(left));
        }
        let more = self.left_out.get(LEFT_OUT..).unwrap_or_default();
        if !more.is_empty() {
            let times: usize = more.iter().map(|left| left.evidence.times).sum();
            let what = format!("and {} more with {}", counted(more.len(), "kind"), counted(times, "finding"));
            text.push_str(&comment("- ", &format!("{what}: `learn --format json` tells each")));
        }
        text
    }
}

/// What speaks for an entry, as comments.
fn evidence(number: usize, proposal: &Proposal) -> String {
    let seen = &proposal.evidence;
    let together = match number {
        1 => String::new(),
        _ => format!(", {} with those above", percent(proposal.cumulative_share)),
    };
    let mut text = comment(
        "",
        &format!(
            "{number}. {} on {}, {} to {}: {} of the history{together}.",
            counted(seen.times, "time"),
            counted(seen.days, "day"),
            seen.first.strftime("%F"),
            seen.last.strftime("%F"),
            percent(proposal.share)
        ),
    );
    let principals = if seen.principals.different > 1 { Some(("roles", &seen.principals)) } else { None };
    let rows = [
        ("sessions", &seen.sessions),
        ("functions", &seen.functions),
        ("sources", &seen.sources),
        ("from", &seen.addresses),
        ("agents", &seen.user_agents),
    ];
    for (what, counts) in principals.into_iter().chain(rows).filter(|(_, counts)| counts.different > 0) {
        text.push_str(&comment(&format!("   {what:<9} "), &listed(counts)));
    }
    if !proposal.wider.is_empty() {
        text.push_str(&comment("   wider than seen: ", &proposal.wider.join("; ")));
    }
    for doubt in &proposal.look_closely {
        text.push_str(&comment("   LOOK CLOSELY: ", doubt));
    }
    text
}

fn left_out(left: &LeftOut) -> String {
    let seen = &left.evidence;
    let (first, last) = (seen.first.strftime("%F").to_string(), seen.last.strftime("%F").to_string());
    let when = if first == last { format!("on {first}") } else { format!("{first} to {last}") };
    let what = format!("{} on {}", listed(&seen.functions), listed(&seen.sources));
    let from = listed(&seen.addresses);
    let from = if from.is_empty() { String::new() } else { format!(", from {from}") };
    let who = safe(&left.left_out);
    comment(
        "- ",
        &format!("{who}, {} {when}: {}. {what}{from}", counted(seen.times, "time"), cut(&left.why, LONGEST * 4)),
    )
}

/// `a (12), b (3) and 4 others`
fn listed(counts: &Counts) -> String {
    let one = |count: &super::Count| format!("{} ({})", safe(count.value.trim_end_matches('/')), count.times);
    let shown: Vec<String> = counts.top.iter().take(SHOWN).map(one).collect();
    match counts.different - shown.len() {
        0 => shown.join(", "),
        others => format!("{} and {}", shown.join(", "), counted(others, "other")),
    }
}

/// One entry, as TOML.
pub(super) fn entry(draft: &Draft) -> String {
    let mut keys: Vec<(&str, String)> = vec![
        ("id", string(&draft.id)),
        ("owner", string(&draft.owner)),
        ("reason", string(&draft.reason)),
        ("expires", draft.expires.to_string()),
        ("principal", string(&draft.principal)),
    ];
    let kinds: Vec<String> = draft.kinds.iter().map(word).collect();
    let actions: Vec<String> = draft.actions.iter().map(word::<Change>).collect();
    let width = if draft.user_agents.is_empty() { "principal".len() } else { "user_agents".len() };
    for (key, values) in [
        ("kinds", &kinds),
        ("sessions", &draft.sessions),
        ("via", &draft.via),
        ("accounts", &draft.accounts),
        ("regions", &draft.regions),
        ("functions", &draft.functions),
        ("sources", &draft.sources),
        ("addresses", &draft.addresses),
        ("user_agents", &draft.user_agents),
        ("actions", &actions),
    ] {
        if !values.is_empty() {
            keys.push((key, list(values, width + 3)));
        }
    }
    let mut text = "\n[[allow]]\n".to_owned();
    for (key, value) in keys {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key:<width$} = {value}");
    }
    text
}

/// The allowlist's word for a value, which is the one that it is serialised as.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A TOML string in one line.
fn string(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if hostile(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A TOML list, broken where it is too long for a line.
fn list(values: &[String], indent: usize) -> String {
    let values: Vec<String> = values.iter().map(|value| string(value)).collect();
    let one = format!("[{}]", values.join(", "));
    if indent + one.len() <= WIDTH {
        return one;
    }
    let mut text = "[\n".to_owned();
    let mut line = String::new();
    for value in &values {
        if !line.is_empty() && line.len() + value.len() + 6 > WIDTH {
            let _ = writeln!(text, "    {}", line.trim_end());
            line.clear();
        }
        let _ = write!(line, "{value}, ");
    }
    let _ = writeln!(text, "    {}", line.trim_end());
    text + "]"
}

/// A text as comment lines, each but the first indented as far as the first.
fn comment(before: &str, text: &str) -> String {
    let indent = " ".repeat(before.chars().count());
    let mut lines = vec![format!("# {before}")];
    let mut used = before.chars().count() + 2;
    for (number, word) in clean(text).split_whitespace().enumerate() {
        let length = word.chars().count();
        if number > 0 && used + 1 + length > WIDTH {
            lines.push(format!("# {indent}{word}"));
            used = 2 + indent.len() + length;
        } else if let Some(line) = lines.last_mut() {
            let space = if number == 0 { "" } else { " " };
            line.push_str(space);
            line.push_str(word);
            used += space.len() + length;
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n") + "\n"
}

/// A text from outside, for a comment.
fn safe(text: &str) -> String {
    cut(text, LONGEST)
}

fn cut(text: &str, longest: usize) -> String {
    let mut short: String = text.chars().take(longest).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    clean(&short)
}

/// What does not show is made visible: a text must neither end its comment nor read as something else.
fn clean(text: &str) -> String {
    text.chars().flat_map(|c| if hostile(c) { c.escape_unicode().collect() } else { vec![c] }).collect()
}

fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn counted(number: usize, what: &str) -> String {
    counted_as(number, what, &format!("{what}s"))
}

fn counted_as(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comments_are_broken_and_stay_comments() {
        let text = comment("   from ", &"word ".repeat(60));
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.starts_with('#') && line.chars().count() <= WIDTH), "{text}");
    }

    proptest! {
        #[test]
        fn no_text_breaks_out(text in "\\PC*|(?s:.){0,200}") {
            let line = comment("  ", &safe(&text));
            prop_assert!(line.lines().all(|line| line.starts_with('#')), "{line}");
            let only_comments: toml::Table = toml::from_str(&line).unwrap();
            prop_assert!(only_comments.is_empty());
            let document: toml::Table = toml::from_str(&format!("a = {}", string(&text))).unwrap();
            prop_assert_eq!(document["a"].as_str().unwrap(), text.as_str());
        }
    }
}
