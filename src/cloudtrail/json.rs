//! Looking into JSON that may be anything: only the keys asked for are read, each value stays raw until it is wanted,
//! and nothing that is merely passed over can fail, however deep or odd it is.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The values of the keys asked for, in that order.
#[derive(Debug, Clone)]
pub(super) struct Slots<'de, const N: usize> {
    /// `None` where the object has no such key.
    pub(super) values: [Option<&'de RawValue>; N],
    /// The first key that occurred a second time: whoever reads such an object last may read another value.
    pub(super) twice: Option<&'static str>,
}

impl<'de, const N: usize> Slots<'de, N> {
    pub(super) const EMPTY: Self = Self { values: [None; N], twice: None };

    pub(super) fn fill(&mut self, names: &[&'static str; N], slot: usize, raw: &'de RawValue) {
        if self.values[slot].replace(raw).is_some() {
            self.twice.get_or_insert(names[slot]);
        }
    }
}

/// Why an object could not be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is something else: a number, a list, a text.
    NotAnObject,
    /// A key that is wanted occurs twice.
    Twice(&'static str),
    /// It cannot be read.
    Broken,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("is no JSON object"),
            Self::Twice(key) => write!(f, "holds {key} twice"),
            Self::Broken => f.write_str("cannot be read"),
        }
    }
}

/// Reads the values of `names` out of an object. Keys compare without regard to case: Lambda's records spell the same
/// member `uUID`, `uuid` and `UUID`.
pub(super) fn pick<'de, const N: usize>(
    raw: &'de RawValue,
    names: &[&'static str; N],
) -> Result<[Option<&'de RawValue>; N], Fault> {
    if !raw.get().starts_with('{') {
        return Err(Fault::NotAnObject);
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    let slots = deserializer.deserialize_map(Picker(names)).map_err(|_| Fault::Broken)?;
    match slots.twice {
        Some(key) => Err(Fault::Twice(key)),
        None => Ok(slots.values),
    }
}

struct Picker<'n, const N: usize>(&'n [&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Picker<'_, N> {
    type Value = Slots<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut slots = Slots::EMPTY;
        while let Some(slot) = map.next_key_seed(KeyOf(self.0))? {
            match slot {
                Some(slot) => slots.fill(self.0, slot, map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(slots)
    }
}

/// Which of the names a key is.
pub(super) struct KeyOf<'n, const N: usize>(pub(super) &'n [&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for KeyOf<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for KeyOf<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| name.eq_ignore_ascii_case(key)))
    }
}

/// The value, unless it is missing or `null`.
pub(super) fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

/// A text. Half a surrogate pair in it becomes U+FFFD: it must not make a record unreadable.
pub(super) fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let json = raw?.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    if let Ok(text) = serde_json::from_str(json) {
        return Some(Cow::Owned(text));
    }
    serde_json::Deserializer::from_str(json).deserialize_bytes(Lossy).ok().map(Cow::Owned)
}

struct Lossy;

impl Visitor<'_> for Lossy {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// A text, `""` where it is missing or something else.
pub(super) fn text_or_empty(raw: Option<&RawValue>) -> String {
    text(raw).map(Cow::into_owned).unwrap_or_default()
}

/// A boolean, also where it is written as a text.
pub(super) fn flag(raw: Option<&RawValue>) -> Option<bool> {
    let raw = raw?;
    match raw.get() {
        "true" => return Some(true),
        "false" => return Some(false),
        _ => {}
    }
    let text = text(Some(raw))?;
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The elements of a list.
pub(super) fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// The values of an object, whatever their keys, repeated ones too.
pub(super) fn values(raw: &RawValue) -> Option<Vec<&RawValue>> {
    struct Values;
    impl<'de> Visitor<'de> for Values {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = Vec::new();
            while let Some((IgnoredAny, value)) = map.next_entry()? {
                values.push(value);
            }
            Ok(values)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    deserializer.deserialize_map(Values).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn picks_what_is_asked_for_in_any_case() {
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let json = format!(r#"{{"deep":{deep},"uUID":"a","\ud83d\ude00":1,"enabled":"TRUE"}}"#);
        let [uuid, enabled, absent] = pick(raw(&json), &["uuid", "Enabled", "absent"]).unwrap();
        assert_eq!(text(uuid).unwrap(), "a");
        assert_eq!(flag(enabled), Some(true));
        assert!(absent.is_none());
    }

    #[test]
    fn a_key_that_is_there_twice_is_a_fault() {
        let twice = pick(raw(r#"{"uUID":"a","UUID":"b"}"#), &["uuid"]);
        assert_eq!(twice.unwrap_err(), Fault::Twice("uuid"));
        assert!(pick(raw(r#"{"other":"a","other":"b"}"#), &["uuid"]).is_ok());
        assert_eq!(pick(raw("[1]"), &["uuid"]).unwrap_err(), Fault::NotAnObject);
    }

    #[test]
    fn half_a_surrogate_pair_does_not_spoil_a_text() {
        assert_eq!(text(Some(raw(r#""a\ud800b""#))).unwrap(), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert_eq!(text(Some(raw(r#""a\u0041""#))).unwrap(), "aA");
        assert_eq!(text(Some(raw("7"))), None);
    }

    #[test]
    fn lists_and_objects_are_opened_one_level() {
        assert_eq!(elements(raw("[1,[2],{}]")).unwrap().len(), 3);
        assert_eq!(values(raw(r#"{"a":1,"a":2,"b":[3]}"#)).unwrap().len(), 3);
        assert!(elements(raw("{}")).is_none() && values(raw("[]")).is_none());
    }
}
