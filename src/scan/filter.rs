//! Whether a mapping's filter lets everything through.

use crate::mapping::Snapshot;
use serde_json::Value;

/// Fields that every record of a source has, whatever is in it: that they exist narrows nothing.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>
const ALWAYS: [&str; 13] = [
    "messageId",
    "receiptHandle",
    "body",
    "attributes",
    "eventID",
    "eventName",
    "eventSource",
    "eventSourceARN",
    "eventVersion",
    "awsRegion",
    "dynamodb",
    "kinesis",
    "data",
];

/// What a mapping's filter does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filtering {
    /// There is none.
    Absent,
    /// This pattern lets everything through; of several, one suffices.
    Open(String),
    /// It narrows.
    Narrow,
    /// It is encrypted, or could not be read: that is not the same as none.
    Unknown,
}

impl Filtering {
    /// Of a mapping as it was read. Lambda leaves an encrypted filter out of a list.
    pub fn of(mapping: &Snapshot) -> Self {
        let Some(patterns) = &mapping.wiring.filters else { return Self::Unknown };
        if patterns.is_empty() {
            return Self::Absent;
        }
        let open = patterns.iter().find(|pattern| is_open(pattern));
        open.map_or(Self::Narrow, |pattern| Self::Open(pattern.clone()))
    }

    /// Whether everything may come through.
    pub fn may_be_open(&self) -> bool {
        *self != Self::Narrow
    }
}

/// Whether a pattern certainly matches every record. What cannot be read as a pattern is taken to narrow: Lambda itself
/// would not have taken it.
fn is_open(pattern: &str) -> bool {
    match serde_json::from_str(pattern) {
        Ok(Value::Object(fields)) => fields.iter().all(|(field, condition)| field_is_open(field, condition)),
        _ => false,
    }
}

fn field_is_open(field: &str, condition: &Value) -> bool {
    match condition {
        // Only what every record has: a condition inside `body` wants a body of that shape.
        Value::Object(fields) => ALWAYS.contains(&field) && fields.is_empty(),
        // Of several values one suffices.
        Value::Array(values) => ALWAYS.contains(&field) && values.iter().any(value_is_open),
        _ => false,
    }
}

fn value_is_open(value: &Value) -> bool {
    let Value::Object(test) = value else { return false };
    let only = |name: &str| test.get(name).filter(|_| test.len() == 1);
    only("exists") == Some(&Value::Bool(true))
        || ["prefix", "suffix"].iter().any(|name| only(name).and_then(Value::as_str) == Some(""))
        || only("wildcard").and_then(Value::as_str).is_some_and(|text| text.bytes().all(|byte| byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::fixtures::mapping;
    use proptest::prelude::*;

    fn of(patterns: Option<&[&str]>) -> Filtering {
        let mut mapping = mapping();
        mapping.wiring.filters = patterns.map(|all| all.iter().map(|text| (*text).to_owned()).collect());
        Filtering::of(&mapping)
    }

    #[test]
    fn what_lets_everything_through_is_open() {
        for pattern in [
            "{}",
            " { } ",
            r#"{"body":[{"exists":true}]}"#,
            r#"{"eventSource":[{"prefix":""}]}"#,
            r#"{"eventID":[{"wildcard":"*"}]}"#,
            r#"{"eventName":["INSERT",{"exists":true}]}"#,
            r#"{"body":{}}"#,
        ] {
            assert_eq!(of(Some(&[pattern])), Filtering::Open(pattern.to_owned()), "{pattern}");
            assert!(matches!(of(Some(&[r#"{"body":["x"]}"#, pattern])), Filtering::Open(_)), "one suffices");
        }
    }

    #[test]
    fn what_narrows_is_not() {
        for pattern in [
            r#"{"body":["x"]}"#,
            r#"{"body":{"kind":[{"exists":true}]}}"#,
            r#"{"body":[{"exists":false}]}"#,
            r#"{"body":[{"exists":true,"prefix":"x"}]}"#,
            r#"{"body":[{"wildcard":"*x*"}]}"#,
            r#"{"eventName":["INSERT"],"body":{}}"#,
            r#"{"whatever":[{"exists":true}]}"#,
            r#"{"body":[]}"#,
            "",
            "[]",
            "null",
            "not json",
        ] {
            assert_eq!(of(Some(&[pattern])), Filtering::Narrow, "{pattern}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_not_the_same_as_none() {
        assert_eq!((of(None), of(Some(&[]))), (Filtering::Unknown, Filtering::Absent));
        assert!(of(None).may_be_open() && of(Some(&[])).may_be_open());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = is_open(&text);
        }

        #[test]
        fn a_value_to_be_equal_to_always_narrows(field in "[a-zA-Z]{1,12}", value in "[a-z*]{0,8}") {
            let pattern = serde_json::json!({ field: [value] }).to_string();
            prop_assert!(!is_open(&pattern));
        }
    }
}
