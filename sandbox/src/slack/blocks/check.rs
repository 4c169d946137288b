//! Collecting complaints, each with a pointer to its place.

use std::fmt::Display;

use serde_json::{Map, Value};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    complaints: Vec<String>,
}

impl Check {
    pub(super) fn into_complaints(self) -> Vec<String> {
        self.complaints
    }

    pub(super) fn say(&mut self, at: &str, what: impl Display) {
        self.complaints.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    /// An object with these fields and no others; none where one that is required is missing.
    pub(super) fn object<'v>(
        &mut self,
        value: &'v Value,
        at: &str,
        required: &[&str],
        optional: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(map) = value.as_object() else {
            self.say(at, "should be an object");
            return None;
        };
        for unknown in map.keys().filter(|key| !required.contains(&key.as_str()) && !optional.contains(&key.as_str())) {
            self.say(at, format!("invalid additional property: {unknown}"));
        }
        let missing: Vec<&&str> = required.iter().filter(|key| !map.contains_key(**key)).collect();
        for key in &missing {
            self.say(at, format!("missing required field: {key}"));
        }
        missing.is_empty().then_some(map)
    }

    /// A string of this many characters, where it is there.
    pub(super) fn string<'v>(
        &mut self,
        map: &'v Map<String, Value>,
        key: &str,
        at: &str,
        min: usize,
        max: usize,
    ) -> Option<&'v str> {
        let value = map.get(key)?;
        let at = format!("{at}/{key}");
        let Some(text) = value.as_str() else {
            self.say(&at, "should be a string");
            return None;
        };
        self.length(text, &at, min, max);
        Some(text)
    }

    pub(super) fn length(&mut self, text: &str, at: &str, min: usize, max: usize) {
        let length = text.chars().count();
        if length < min {
            self.say(at, format!("must be more than {} characters", min.saturating_sub(1)));
        }
        if length > max {
            self.say(at, format!("must be less than {} characters", max.saturating_add(1)));
        }
    }

    pub(super) fn boolean(&mut self, map: &Map<String, Value>, key: &str, at: &str) {
        if map.get(key).is_some_and(|value| !value.is_boolean()) {
            self.say(&format!("{at}/{key}"), "should be a boolean");
        }
    }

    /// A list of this many items.
    pub(super) fn list<'v>(
        &mut self,
        map: &'v Map<String, Value>,
        key: &str,
        at: &str,
        min: usize,
        max: usize,
    ) -> Option<&'v Vec<Value>> {
        let at = format!("{at}/{key}");
        let Some(list) = map.get(key).and_then(Value::as_array) else {
            self.say(&at, "should be an array");
            return None;
        };
        if list.len() < min {
            self.say(&at, format!("no less than {min} items allowed"));
        }
        if list.len() > max {
            self.say(&at, format!("no more than {max} items allowed"));
        }
        Some(list)
    }

    /// One of these words, where it is there.
    pub(super) fn one_of(&mut self, map: &Map<String, Value>, key: &str, at: &str, words: &[&str]) {
        if map.get(key).is_some_and(|value| !value.as_str().is_some_and(|word| words.contains(&word))) {
            self.say(&format!("{at}/{key}"), format!("must be one of: {}", words.join(", ")));
        }
    }
}
