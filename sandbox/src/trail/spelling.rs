//! `CloudTrail`'s spelling of names and times.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Maps whose keys are somebody's data, not the API's names.
const DATA: [&str; 3] = ["Tags", "Variables", "Endpoints"];

/// Every key with its first letter in lower case, as `CloudTrail` writes them: `uUID`, `kMSKeyArn`.
pub(super) fn lower_keys(map: &Map<String, Value>) -> Map<String, Value> {
    let lower = |(key, value): (&String, &Value)| {
        let kept = DATA.contains(&key.as_str()) && value.is_object();
        (lower_first(key), if kept { value.clone() } else { lower_value(value) })
    };
    map.iter().map(lower).collect()
}

fn lower_value(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(lower_keys(map)),
        Value::Array(items) => Value::Array(items.iter().map(lower_value).collect()),
        other => other.clone(),
    }
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// `2024-05-09T21:05:41Z`: whole seconds.
pub(super) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `May 9, 2024, 9:05:41 PM`: times inside a response.
pub(super) fn in_words(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string()
}

/// A time of the emulator, in seconds.
pub(super) fn from_epoch(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
    Timestamp::from_second(seconds as i64).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn names_and_times_are_spelled_as_in_the_documentation() {
        assert_eq!(lower_first("UUID"), "uUID");
        assert_eq!(lower_first("KMSKeyArn"), "kMSKeyArn");
        let time: Timestamp = "2024-05-09T21:05:41.7Z".parse().unwrap();
        assert_eq!(in_words(time), "May 9, 2024, 9:05:41 PM");
        assert_eq!(seconds(time), "2024-05-09T21:05:41Z");
        let midnight: Timestamp = "2026-11-24T00:03:01Z".parse().unwrap();
        assert_eq!(in_words(midnight), "Nov 24, 2026, 12:03:01 AM");
    }

    #[test]
    fn keys_of_tags_are_left_alone() {
        let given = serde_json::json!({ "Tags": { "Team": "x" }, "DestinationConfig": { "OnFailure": { "Destination": "d" } } });
        let expected = serde_json::json!({ "tags": { "Team": "x" }, "destinationConfig": { "onFailure": { "destination": "d" } } });
        assert_eq!(Value::Object(lower_keys(given.as_object().unwrap())), expected);
    }
}
