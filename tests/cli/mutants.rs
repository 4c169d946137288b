//! Every value of an allowed record replaced by everything odd, one at a time: whatever is still allowed must be allowed
//! for the same reason as before, and nothing may bring the command down.

use crate::harness::Place;
use crate::records::{DEPLOYER, create, deployer, envelope};
use serde_json::{Map, Value, json};

/// JSON pointers to every value, containers too.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    if !at.is_empty() {
        found.push(at.to_owned());
    }
    if let Some(object) = value.as_object() {
        for (key, value) in object {
            pointers(value, &format!("{at}/{key}"), found);
        }
    }
}

fn odd_values() -> Vec<Value> {
    let mut odd = vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1.5e300),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([[["x"]]]),
        json!({"arn": DEPLOYER, "type": "Role"}),
        json!([DEPLOYER]),
    ];
    let texts = [
        "",
        " ",
        "*",
        "**",
        "null",
        "true",
        "/",
        ":",
        "\u{0}",
        "\u{202e}",
        "\u{fffd}",
        "-",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::111122223333:root",
        DEPLOYER,
        "orders-*",
        "orders-sink",
        "sqs:orders-in",
        "111122223333",
        "999988887777",
        "eu-west-1",
        "AssumedRole",
        "Role",
        "Root",
        "cloudformation.amazonaws.com",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "lambda.amazonaws.com",
        "aws.lambda",
    ];
    odd.extend(texts.map(|text| json!(text)));
    odd.push(json!("x".repeat(10_000)));
    odd
}

/// Each value of the record replaced, or taken away.
fn mutants(record: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    pointers(record, "", &mut places);
    let mut mutants = Vec::new();
    for place in places {
        let (parent, key) = place.rsplit_once('/').unwrap();
        let mut change = |what: String, change: &dyn Fn(&mut Map<String, Value>)| {
            let mut mutant = record.clone();
            change(mutant.pointer_mut(parent).unwrap().as_object_mut().unwrap());
            mutants.push((what, mutant));
        };
        change(format!("without {place}"), &|object| drop(object.remove(key)));
        for odd in odd_values() {
            change(format!("{place} = {odd:.80}"), &|object| drop(object.insert(key.to_owned(), odd.clone())));
        }
    }
    mutants
}

/// What the entry `orders-pipeline` asks for, told by what is shown.
fn rightly(line: &Value) -> bool {
    let (actor, mapping) = (&line["actor"], &line["mapping"]);
    let function = mapping["function_name"].as_str().unwrap_or_default();
    actor["principal_arn"] == DEPLOYER
        && actor["kind"] != "Unknown"
        && actor["invoked_by"] == "cloudformation.amazonaws.com"
        && function.starts_with("orders-")
        && mapping["source_arn"] == "arn:aws:sqs:eu-west-1:111122223333:orders-in"
        && mapping["region"] == "eu-west-1"
        && line["verdict"]["policies"] == json!(["orders-pipeline", "allowlisted"])
}

fn judged(record: &Value) -> usize {
    let place = Place::new();
    let mutants = mutants(record);
    let text: String = mutants.iter().map(|(_, mutant)| mutant.to_string()).collect::<Vec<_>>().join("\n");
    let run = place.explain(&text);
    assert!(run.code <= 1, "{}", run.stderr);
    let lines = run.lines();
    assert_eq!(lines.len(), mutants.len(), "one line a record");
    for ((what, _), line) in mutants.iter().zip(&lines) {
        let verdict = &line["verdict"];
        if verdict["allowed"] == true {
            assert!(rightly(line), "{what}: {line}");
            continue;
        }
        let reason = [&line["ignored_because"], &line["error"], &verdict["reasons"][0]];
        let told = reason.into_iter().filter_map(Value::as_str).filter(|text| text.len() > 10).count();
        assert_eq!(told, 1, "{what}: it says why, and once: {line}");
    }
    lines.iter().filter(|line| line["verdict"]["allowed"] == true).count()
}

#[test]
fn no_mutant_is_allowed_by_mistake() {
    let record = create(&deployer());
    let allowed = judged(&record);
    assert!(allowed > 100, "what decides nothing may change freely: {allowed}");
    assert!(judged(&envelope(&record)) > 100);
}

#[test]
fn numbers_and_texts_at_the_edge() {
    let place = Place::new();
    let text = create(&deployer()).to_string();
    for odd in [
        "1e999",
        "-0",
        "123456789012345678901234567890",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\\/\"",
        "[1e999,{\"a\":\"\\udc00\"}]",
    ] {
        let mutant = text.replacen("\"batchSize\":10", &format!("\"batchSize\":{odd}"), 1);
        assert_ne!(mutant, text);
        let run = place.explain(&mutant).ends(0);
        assert_eq!(run.lines()[0]["verdict"]["allowed"], true, "{odd}");
        let mutant = text.replacen("\"orders-sink\"", odd, 1);
        let run = place.explain(&mutant);
        assert_eq!(run.lines().len(), 1, "{odd}: {run:?}");
    }
}
