//! Text for Slack. What comes from outside gets into a message by these types only, and they make it harmless: it cannot
//! format, link, mention, reorder or begin a line of its own. Words of ours are literals, so that nothing else passes for
//! them.

use crate::mapping::partition_of;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Text for a `mrkdwn` object, or for a message's `text`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mrkdwn(String);

/// Text for a `plain_text` object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plain(String);

/// A page of the AWS console: made only of names that hold nothing but letters, digits and `-_.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link(String);

impl Mrkdwn {
    /// Words of ours, with our formatting.
    pub(super) fn new(ours: &'static str) -> Self {
        Self(ours.to_owned())
    }

    /// More words of ours.
    pub(super) fn say(mut self, ours: &'static str) -> Self {
        self.0.push_str(ours);
        self
    }

    /// A name from outside, as code; a long one keeps its beginning and its end.
    pub(super) fn code(mut self, theirs: &str, most: usize) -> Self {
        self.0.push('`');
        self.0.push_str(&both_ends(theirs, most));
        self.0.push('`');
        self
    }

    /// A person of ours: by their id in Slack as Slack shows them to everybody, else by the name that the inventory has.
    pub(super) fn person(mut self, theirs: &str, most: usize) -> Self {
        if is_slack_user(theirs) {
            let _ = write!(self.0, "<@{theirs}>");
            return self;
        }
        self.code(theirs, most)
    }

    /// What somebody wrote, in quotes.
    pub(super) fn quote(self, theirs: &str, most: usize) -> Self {
        self.say("“").bare(theirs, most).say("”")
    }

    /// Running text that holds parts from outside.
    pub(super) fn bare(mut self, theirs: &str, most: usize) -> Self {
        self.0.push_str(&beginning(theirs, most, most * 2, true));
        self
    }

    pub(super) fn number(mut self, number: impl std::fmt::Display + Copy + Into<u64>) -> Self {
        self.0.push_str(&number.into().to_string());
        self
    }

    /// `1 person`, `2 people`.
    pub(super) fn count(self, number: usize, one: &'static str, many: &'static str) -> Self {
        self.number(number as u64).say(" ").say(if number == 1 { one } else { many })
    }

    /// A time, which Slack shows in the reader's own zone.
    pub(super) fn time(mut self, at: Timestamp) -> Self {
        let utc = at.strftime("%Y-%m-%d %H:%M:%S UTC");
        if at.as_second() < 0 {
            self.0.push_str(&utc.to_string());
        } else {
            let seconds = at.as_second();
            let _ = write!(self.0, "<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{utc}>");
        }
        self
    }

    pub(super) fn link(mut self, link: &Link, ours: &'static str) -> Self {
        let _ = write!(self.0, "<{}|{ours}>", link.0);
        self
    }

    pub(super) fn then(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// All of them with `between` in between.
    pub(super) fn joined<'m>(all: impl IntoIterator<Item = &'m Self>, between: &'static str) -> Self {
        let texts: Vec<&str> = all.into_iter().map(|one| one.0.as_str()).collect();
        Self(texts.join(between))
    }

    /// As long as Slack may count it.
    pub(super) fn length(&self) -> usize {
        self.0.encode_utf16().count()
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// The text object. `verbatim` keeps Slack from making links of what looks like one.
    pub(super) fn object(&self) -> Value {
        json!({ "type": "mrkdwn", "text": self.0, "verbatim": true })
    }
}

impl Plain {
    /// Words of ours.
    pub(super) fn new(ours: &'static str) -> Self {
        Self(ours.to_owned())
    }

    /// More words of ours.
    pub(super) fn say(mut self, ours: &'static str) -> Self {
        self.0.push_str(ours);
        self
    }

    /// Text from outside, no longer than `most` even as Slack counts it.
    pub(super) fn bare(mut self, theirs: &str, most: usize) -> Self {
        self.0.push_str(&beginning(theirs, most, most, false));
        self
    }

    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// The text object.
    pub(super) fn object(&self) -> Value {
        json!({ "type": "plain_text", "text": self.0, "emoji": false })
    }
}

impl Link {
    /// The function's page.
    pub(super) fn function(region: &str, name: &str) -> Option<Self> {
        Self::page(region, "lambda", "functions", name)
    }

    /// The page of a CloudTrail event.
    pub(super) fn event(region: &str, id: &str) -> Option<Self> {
        Self::page(region, "cloudtrailv2", "events", id)
    }

    fn page(region: &str, service: &str, kind: &str, name: &str) -> Option<Self> {
        let simple = |text: &str| {
            (1..=140).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let host = match partition_of(region) {
            "aws" => "console.aws.amazon.com",
            "aws-cn" => "console.amazonaws.cn",
            "aws-us-gov" => "console.amazonaws-us-gov.com",
            _ => return None,
        };
        (simple(region) && !region.contains(['.', '_']) && simple(name))
            .then(|| Self(format!("https://{region}.{host}/{service}/home?region={region}#/{kind}/{name}")))
    }
}

/// `U…` or `W…`, of nothing but what such ids are made of.
fn is_slack_user(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let digits = id.bytes().any(|byte| byte.is_ascii_digit());
    (5..=32).contains(&id.len()) && digits && id.starts_with(['U', 'W']) && id.bytes().all(plain)
}

/// One character from outside, as it is shown.
struct Shown {
    text: String,
    /// How many characters a reader sees.
    seen: usize,
}

/// The beginning of `text`, of at most `seen` visible characters and `raw` ones as sent; `…` stands for the rest.
fn beginning(text: &str, seen: usize, raw: usize, running: bool) -> String {
    // Each character makes at least one: more of them than fit are not looked at.
    let head: Vec<char> = text.trim().chars().take(seen + 1).collect();
    let all = shown(&head, running);
    if fits(&all, seen, raw) {
        return text_of(&all);
    }
    let head = as_many(all.iter(), seen.saturating_sub(1), raw.saturating_sub(1));
    text_of(&all[..head]) + "…"
}

/// The beginning and the end of `text`.
fn both_ends(text: &str, most: usize) -> String {
    let raw = most * 2;
    let text = text.trim();
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let chars: Vec<char> = text.chars().take(most + 1).collect();
    let all = shown(&chars, false);
    if fits(&all, most, raw) {
        return text_of(&all);
    }
    let mut tail: Vec<char> = text.chars().rev().take(most).collect();
    tail.reverse();
    let tail = shown(&tail, false);
    let (half, half_raw) = (most.saturating_sub(1) / 2, raw.saturating_sub(1) / 2);
    let (first, last) = (as_many(all.iter(), half, half_raw), as_many(tail.iter().rev(), half, half_raw));
    text_of(&all[..first]) + "…" + &text_of(&tail[tail.len() - last..])
}

fn text_of(shown: &[Shown]) -> String {
    shown.iter().map(|one| one.text.as_str()).collect()
}

fn raw_length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn fits(all: &[Shown], seen: usize, raw: usize) -> bool {
    as_many(all.iter(), seen, raw) == all.len()
}

/// How many of them fit.
fn as_many<'s>(all: impl Iterator<Item = &'s Shown>, mut seen: usize, mut raw: usize) -> usize {
    all.take_while(|one| {
        let left = seen.checked_sub(one.seen).zip(raw.checked_sub(raw_length(&one.text)));
        if let Some(left) = left {
            (seen, raw) = left;
        }
        left.is_some()
    })
    .count()
}

/// Every character as it is shown. `running`: outside of a code span, where `*_~` would format.
fn shown(chars: &[char], running: bool) -> Vec<Shown> {
    let one = |at: usize| {
        let (c, before, after) = (chars[at], at.checked_sub(1).map(|at| chars[at]), &chars[at + 1..]);
        let text = match c {
            '&' => return Shown { text: "&amp;".into(), seen: 1 },
            '<' => return Shown { text: "&lt;".into(), seen: 1 },
            '>' => return Shown { text: "&gt;".into(), seen: 1 },
            // U+1FEF is a backtick by normalisation.
            '`' | '\u{1fef}' => "ˋ".into(),
            '\n' => "⏎".into(),
            '\t' => " ".into(),
            ':' if after.starts_with(&['/', '/']) => "[:]".into(),
            '@' if mentions(after) => "＠".into(),
            '*' if running => "∗".into(),
            '~' if running => "∼".into(),
            '_' if running && !(in_word(before) && in_word(after.first().copied())) => "ˍ".into(),
            c if is_hidden(c) => c.escape_unicode().to_string(),
            c => c.to_string(),
        };
        Shown { seen: text.chars().count(), text }
    };
    (0..chars.len()).map(one).collect()
}

fn in_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

/// Whether what follows an `@` would make it a mention of many.
fn mentions(after: &[char]) -> bool {
    ["here", "channel", "everyone", "group"].iter().any(|name| {
        after.len() >= name.len() && name.chars().zip(after).all(|(one, other)| other.eq_ignore_ascii_case(&one))
    })
}

/// Characters that do not show, or change how others do: controls, spaces of other kinds, direction marks, zero widths,
/// fillers, separators, tags.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Mrkdwn::default().code(text, 40).into_string()
    }

    fn bare(text: &str) -> String {
        Mrkdwn::default().bare(text, 40).into_string()
    }

    #[test]
    fn people_are_mentioned_by_their_slack_ids_and_by_nothing_else() {
        let person = |id: &str| Mrkdwn::default().person(id, 40).into_string();
        assert_eq!((person("U0BOB").as_str(), person("W012A3CDE").as_str()), ("<@U0BOB>", "<@W012A3CDE>"));
        for other in ["alice", "UNKNOWN", "U0", "U0BOB> <!channel", "U0BOB|x", "S0SECURITY", "u0bob"] {
            assert_eq!(person(other), code(other));
        }
    }

    #[test]
    fn nothing_from_outside_is_live() {
        for (text, in_code, running) in [
            ("<!channel>", "`&lt;!channel&gt;`", "&lt;!channel&gt;"),
            ("@here a@b.example", "`＠here a@b.example`", "＠here a@b.example"),
            ("https://evil.example", "`https[:]//evil.example`", "https[:]//evil.example"),
            ("a`b\u{1fef}", "`aˋbˋ`", "aˋbˋ"),
            ("a\nb\tc\r", "`a⏎b c`", "a⏎b c"),
            ("x\u{202e}y\u{200b}z", "`x\\u{202e}y\\u{200b}z`", "x\\u{202e}y\\u{200b}z"),
            ("*b* _i_ a_b ~s~", "`*b* _i_ a_b ~s~`", "∗b∗ ˍiˍ a_b ∼s∼"),
            ("", "`(empty)`", ""),
            ("\u{3164}", "`\\u{3164}`", "\\u{3164}"),
        ] {
            assert_eq!((code(text).as_str(), bare(text).as_str()), (in_code, running), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let long = format!("begin{}end", "é".repeat(1000));
        assert_eq!(code(&long), format!("`begin{}…{}end`", "é".repeat(14), "é".repeat(16)));
        assert_eq!(bare(&long), format!("begin{}…", "é".repeat(34)));
        assert_eq!(
            code(&"&".repeat(99)),
            format!("`{0}…{0}`", "&amp;".repeat(7)),
            "what is escaped counts twice at most"
        );
        assert_eq!(Plain::default().bare(&"<".repeat(99), 10).0, "&lt;&lt;…");
        assert_eq!(bare(&"a".repeat(40)), "a".repeat(40));
        assert_eq!(code(&"\u{202e}".repeat(40)), "`\\u{202e}\\u{202e}…\\u{202e}\\u{202e}`");
    }

    #[test]
    fn links_are_made_of_simple_names_only() {
        let link = Link::function("eu-west-1", "exfil").unwrap();
        let page = "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/exfil";
        assert_eq!(Mrkdwn::default().link(&link, "Function").into_string(), format!("<{page}|Function>"));
        for (region, name) in [("eu-west-1", "a|b"), ("evil.example", "f"), ("eu-west-1", ""), ("us-iso-east-1", "f")] {
            assert_eq!(Link::function(region, name), None, "{region} {name}");
        }
    }
}
