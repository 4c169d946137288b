//! What must hold for any input at all.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::fixtures::bytes;
use super::{cannot_matter, read};
use crate::detection::latent;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Any JSON at all, with the keys that are looked at among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "null",
            "true",
            "AssumedRole",
            "lambda.amazonaws.com",
            "UpdateEventSourceMapping20150331",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:sts::111122223333:assumed-role/x/y",
            "arn:aws:lambda:eu-west-1:111122223333:function:f:1",
            "111122223333:function:f",
            "2024-05-09T21:05:41Z",
        ])
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(super::document::KEYS.to_vec()).prop_map(str::to_owned),
        prop::sample::select(vec![
            "type",
            "arn",
            "principalId",
            "accountId",
            "sessionContext",
            "sessionIssuer",
            "attributes",
            "uUID",
            "functionName",
            "functionArn",
            "eventSourceArn",
            "selfManagedEventSource",
            "endpoints",
            "filterCriteria",
            "filters",
            "pattern",
            "destinationConfig",
            "onFailure",
            "destination",
            "enabled",
            "lastModified",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(key.clone(), inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The fixture with any JSON in the place of one of its values.
fn damaged_fixture() -> impl Strategy<Value = Value> {
    let names = ["create-sqs.json", "update-repoint.json", "update-rewire.json", "envelope-create.json"];
    (prop::sample::select(names.to_vec()), any::<prop::sample::Index>(), any_json()).prop_map(|(name, index, json)| {
        let mut value: Value = serde_json::from_slice(&bytes(name)).unwrap();
        let mut pointers = Vec::new();
        walk(&value, String::new(), &mut pointers);
        let pointer: &String = index.get(&pointers);
        *value.pointer_mut(pointer).unwrap() = json;
        value
    })
}

fn walk(value: &Value, at: String, pointers: &mut Vec<String>) {
    if let Value::Object(map) = value {
        for (key, value) in map {
            walk(value, format!("{at}/{key}"), pointers);
        }
    }
    pointers.push(at);
}

/// The text of `value` with some of its characters escaped, as any JSON writer may.
fn escaped(value: &Value, every: usize) -> String {
    let text = value.to_string();
    let mut result = String::new();
    let (mut inside, mut after_backslash) = (false, false);
    for (index, char) in text.chars().enumerate() {
        let plain = inside && !after_backslash && char.is_ascii_alphanumeric();
        if plain && every > 0 && index % every == 0 {
            write!(result, "\\u{:04x}", u32::from(char)).unwrap();
        } else {
            result.push(char);
        }
        if char == '"' && !after_backslash {
            inside = !inside;
        }
        after_backslash = char == '\\' && !after_backslash;
    }
    result
}

fn findings(bytes: &[u8]) -> usize {
    read(bytes).into_iter().flatten().filter(|record| latent(record).is_ok()).count()
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_text_like_json_is_survived(text in "[\\[\\]{}:,\"\\\\ \n\r0-9a-fu.eE+-]{0,200}") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn any_json_is_survived(value in any_json()) {
        let _ = findings(value.to_string().as_bytes());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(read(pretty.as_bytes()).len(), read(value.to_string().as_bytes()).len());
    }

    #[test]
    fn any_value_in_a_known_place_is_survived(value in damaged_fixture()) {
        let inputs = read(value.to_string().as_bytes());
        for record in inputs.iter().flatten() {
            let _ = latent(record);
            prop_assert!(record.actor.principal_arn.is_empty() != record.actor.unidentified.is_empty());
        }
    }

    #[test]
    fn a_cut_or_changed_byte_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = bytes("mixed.jsonl");
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at); } else { bytes[at] = byte; }
        let _ = findings(&bytes);
    }

    #[test]
    fn what_cannot_matter_holds_no_finding(value in damaged_fixture(), every in 0_usize..20, pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { escaped(&value, every) };
        prop_assert!(!cannot_matter(text.as_bytes()) || findings(text.as_bytes()) == 0, "{}", text);
    }
}

#[test]
fn the_fast_look_lets_nothing_through_that_may_matter() {
    let create = bytes("create-sqs.json");
    let value: Value = serde_json::from_slice(&create).unwrap();
    for every in 1..12 {
        let text = escaped(&value, every);
        assert_eq!(findings(text.as_bytes()), 1, "{text}");
        assert!(!cannot_matter(text.as_bytes()), "{text}");
    }
    assert!(!cannot_matter(&create));
    assert!(cannot_matter(&bytes("other-call.json")));
    assert!(cannot_matter(json!([{"eventName": "Invoke"}]).to_string().as_bytes()));
    for odd in [&b"\x1f\x8b\x08"[..], b"\xff\xfe{\0", b"\xef\xbb\xbf{}", b"", b" ", b"x"] {
        assert!(!cannot_matter(odd), "{odd:?}");
    }
}
