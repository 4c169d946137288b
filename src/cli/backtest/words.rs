//! Numbers and places, for people.

use crate::archive::Damaged;
use crate::explanation::known;
use crate::policy::Response;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// All responses, weakest first.
pub(super) const RESPONSES: [Response; 5] =
    [Response::Leave, Response::Notify, Response::Ask, Response::Disable, Response::Freeze];

/// `1,234,567`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 place`, `1,234 places`
pub(super) fn many(number: u64, what: &str) -> String {
    let end = match (number, what) {
        (1, _) => return format!("1 {what}"),
        (_, "entry") => return format!("{} entries", grouped(number)),
        _ => "s",
    };
    format!("{} {what}{end}", grouped(number))
}

/// `1 finding is`, `2 findings are`
pub(super) fn are(number: u64, what: &str) -> String {
    format!("{} {}", many(number, what), if number == 1 { "is" } else { "are" })
}

/// `512 bytes`, `1.5 kB`, `2.0 GB`
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.into_iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => {
            let tenths = u128::from(number) * 10 / u128::from(size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => many(number, "byte"),
    }
}

/// Bytes a second.
pub(super) fn speed(number: u64, took: Duration) -> String {
    let each = u128::from(number) * 1_000_000 / took.as_micros().max(1);
    format!("{}/s", bytes(u64::try_from(each).unwrap_or(u64::MAX)))
}

/// `0.42 s`, `3 min 20 s`
pub(super) fn duration(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        return format!("{}.{:02} s", seconds, took.subsec_millis() / 10);
    }
    format!("{} min {} s", seconds / 60, seconds % 60)
}

/// `2026-02-03 10:15:00`, in UTC; `no time` where the record has none.
pub(super) fn time(time: Timestamp) -> String {
    if time == Timestamp::UNIX_EPOCH {
        return "no time".to_owned();
    }
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `disable`
pub(super) fn response(response: Response) -> &'static str {
    match response {
        Response::Leave => "leave",
        Response::Notify => "notify",
        Response::Ask => "ask",
        Response::Disable => "disable",
        Response::Freeze => "freeze",
    }
}

/// `disable 3, ask 1`, strongest first.
pub(super) fn responses(by_response: &BTreeMap<Response, u64>, restricted: u64) -> String {
    let mut told: Vec<String> =
        by_response.iter().rev().map(|(which, count)| format!("{} {}", response(*which), grouped(*count))).collect();
    if restricted > 0 {
        told.push(format!("restricted {}", grouped(restricted)));
    }
    told.join(", ")
}

/// Whoever has no name of their own.
pub(super) fn principal(arn: &str) -> &str {
    known(arn).unwrap_or("(nobody that CloudTrail names for certain)")
}

/// `file: position: error`
pub(super) fn place(damaged: &Damaged) -> String {
    let Damaged { error, source, position } = damaged;
    // What cannot be opened is wrong nowhere in particular.
    if position.is_empty() { format!("{source}: {error}") } else { format!("{source}: {position}: {error}") }
}

/// At most so many characters of a text, and how many are left out.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => {
            let left = text.chars().count() - most;
            format!("{}… ({} left out)", text.get(..end).unwrap_or_default(), many(left as u64, "character"))
        }
        None => text.to_owned(),
    }
}
