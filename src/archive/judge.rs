//! A text of JSON → what is in it: records counted, findings made, damage told.

use super::split::{Splitter, Unit};
use crate::cloudtrail::{self, Input};
use crate::detection::{Finding, inspect};
use memchr::{memchr, memchr_iter};

/// What was found in a text.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) records: u64,
    pub(super) findings: Vec<Finding>,
    /// Error and position of each place that could not be read.
    pub(super) damage: Vec<(String, String)>,
}

impl Tally {
    /// Parses `text`, which stands at `position` in the file (`""`: it is the file), as it is.
    pub(super) fn parse(&mut self, text: &[u8], position: &str) {
        // What was decompressed is not decompressed again.
        if text.starts_with(&[0x1f, 0x8b]) {
            let shifted = [b" ", text].concat();
            cloudtrail::each(&shifted, |input| self.take(input, position));
        } else {
            cloudtrail::each(text, |input| self.take(input, position));
        }
    }

    pub(super) fn damaged(&mut self, error: String, position: String) {
        self.damage.push((error, position));
    }

    fn take(&mut self, input: Input, position: &str) {
        match input {
            Ok(record) => {
                self.records += 1;
                self.findings.extend(inspect(&record).ok());
            }
            Err(damage) if position.is_empty() => self.damaged(damage.error, damage.position),
            Err(damage) => self.damaged(damage.error, format!("{position}, {} from there", damage.position)),
        }
    }
}

/// Judges a text whose bytes something vouches for, such as a checksum. `None`: it is not regular, or damaged
/// somewhere, and has to be parsed as a whole.
///
/// The findings are those of parsing it. So are the counts for records as CloudTrail writes them; where a record holds
/// nothing that could be a mapping call, it is not looked at whether it says something twice, or holds further records.
/// A record that is no JSON in spite of braces and quotes that fit, and could be no mapping call, hides no other here.
pub(super) fn regular(text: &[u8]) -> Option<Tally> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut tally = Tally::default();
    let mut splitter = Splitter::whole();
    let mut sink = |unit: Unit| {
        let whole = &text[unit.start..unit.end];
        if is_of_no_account(whole, &unit) {
            tally.records += 1;
        } else {
            tally.parse(whole, "");
        }
        tally.damage.is_empty()
    };
    splitter.feed(text, &mut sink).ok()?;
    splitter.finish().ok()?;
    Some(tally)
}

/// Whether a unit is for certain one record and no mapping call, so that it need not be parsed.
pub(super) fn is_of_no_account(whole: &[u8], unit: &Unit) -> bool {
    let calls = |name: &[u8]| [&b"CreateE"[..], b"UpdateE"].iter().any(|call| name.starts_with(call));
    plain_name(whole, unit).is_some_and(|name| !unit.mentions || !(calls(name) || may_wrap(whole)))
}

/// The name of the call, and what follows it, where a unit is for certain one record and its words are what they seem:
/// CloudTrail writes the caller first, and right behind that the time, the service and the name.
fn plain_name<'t>(whole: &'t [u8], unit: &Unit) -> Option<&'t [u8]> {
    const TIME: &[u8] = b",\"eventTime\":\"";
    const SOURCE: &[u8] = b"\",\"eventSource\":\"";
    const NAME: &[u8] = b"\",\"eventName\":\"";
    /// `2024-05-09T21:05:41Z`
    const TIME_LENGTH: usize = 20;
    if unit.escaped || unit.inner == 0 || !(unit.ascii || std::str::from_utf8(whole).is_ok()) {
        return None;
    }
    let rest = whole[unit.inner - unit.start..].strip_prefix(TIME)?;
    let rest = rest.get(TIME_LENGTH..)?.strip_prefix(SOURCE)?;
    rest.get(memchr(b'"', rest)?..)?.strip_prefix(NAME)
}

/// Whether a record may hold other records: under `detail` or `Records`, in whatever case.
fn may_wrap(whole: &[u8]) -> bool {
    let keys = [&b"detail\""[..], b"records\""];
    memchr_iter(b'"', whole).any(|quote| {
        let rest = &whole[quote + 1..];
        keys.iter().any(|key| rest.get(..key.len()).is_some_and(|word| word.eq_ignore_ascii_case(key)))
    })
}
