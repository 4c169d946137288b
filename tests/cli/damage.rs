//! Damaged input: it is told where, the exit code is 1, and everything around it is still judged.

use crate::harness::Place;
use crate::records::{create, deployer, numbered, stranger};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn call(number: usize) -> String {
    numbered(&create(&deployer()), number).to_string()
}

fn not_json(line: &Value) -> bool {
    line["error"].as_str().is_some_and(|error| error.starts_with("not JSON: "))
}

#[test]
fn a_broken_line_among_lines() {
    let place = Place::new();
    let half = call(9)[..200].to_owned();
    for broken in
        [half.as_str(), "{", "{\"eventID\":", "nonsense", "}", "]", "{\"a\" 1}", "\"\\u12\"", "[1,,2]", "{'a':1}"]
    {
        let run = place.explain(format!("{}\n{broken}\n{}\n", call(1), call(3))).ends(1);
        let told = run.told();
        assert!(told.contains(&"event-1".to_owned()) && told.contains(&"event-3".to_owned()), "{broken}: {told:?}");
        let damage = run.lines().into_iter().find(not_json).unwrap();
        let keys: BTreeSet<&str> = damage.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["error", "position", "source"]), "{damage}");
        assert_eq!(damage["source"], "input");
        assert!(damage["position"].as_str().unwrap().starts_with("line 2, column "), "{broken}: {damage}");
        let places = run.lines().into_iter().filter_map(|line| Some(line["position"].as_str()?.to_owned()));
        assert!(places.into_iter().all(|place| place.contains("line 2")), "{broken}: {:?}", run.told());
    }
}

#[test]
fn what_is_json_and_no_record() {
    let place = Place::new();
    for (text, error) in [
        ("1", "not a CloudTrail record: a number"),
        ("true", "not a CloudTrail record: a boolean"),
        ("null", "not a CloudTrail record: null"),
        ("\"x\"", "not a CloudTrail record: a text"),
        ("{}", "not a CloudTrail record: an empty object"),
        ("{\"a\":1}", "not a CloudTrail record: it has neither eventName nor eventID"),
        ("{\"detail\":[]}", "not a CloudTrail record: detail is a list"),
        ("{\"detail\":\"x\"}", "not a CloudTrail record: detail is a text"),
    ] {
        let run = place.explain(format!("{}\n{text}\n{}", call(1), call(3))).ends(1);
        assert_eq!(run.told(), ["event-1", &format!("! line 2, column 1: {error}"), "event-3"], "{text}");
        let run = place.explain(format!("[{},{text},{}]", call(1), call(3))).ends(1);
        assert_eq!(run.told(), ["event-1", run.told()[1].as_str(), "event-3"], "{text} in a list");
        assert!(run.told()[1].starts_with("! record 2"), "{:?}", run.told());
    }
}

#[test]
fn keys_that_come_twice_are_refused() {
    let place = Place::new();
    let stranger = create(&stranger()).to_string();
    let twice = |key: &str, value: &Value| stranger.replacen('{', &format!("{{{}:{value},", json!(key)), 1);
    for (text, error) in [
        (twice("userIdentity", &create(&deployer())["userIdentity"]), "the record holds userIdentity twice"),
        (
            twice("errorCode", &json!("AccessDenied")).replacen('{', "{\"errorCode\":\"\",", 1),
            "the record holds errorCode twice",
        ),
        (twice("EVENTSOURCE", &json!("s3.amazonaws.com")), "the record holds eventSource twice"),
        (
            stranger.replacen("\"functionName\"", "\"functionname\":\"orders-sink\",\"functionName\"", 1),
            "requestParameters holds functionName twice",
        ),
        (
            stranger.replacen("\"functionArn\"", "\"functionArn\":\"x\",\"functionArn\"", 1),
            "responseElements holds functionArn twice",
        ),
    ] {
        let run = place.explain(&text).ends(1);
        assert_eq!(run.told(), [format!("! line 1, column 1: {error}")], "{text}");
    }
    let arn = "\"arn\":\"arn:aws:iam::111122223333:user/contractors/mallory\"";
    assert!(stranger.contains(arn));
    let run = place.explain(stranger.replacen(arn, &format!("\"arn\":\"x\",{arn}"), 1)).ends(0);
    let reason = run.lines()[0]["verdict"]["reasons"][0].as_str().unwrap().to_owned();
    assert!(reason.contains("userIdentity holds arn twice"), "{reason}");
}

#[test]
fn nesting_without_end() {
    let place = Place::new();
    let deep = |open: &str, close: &str| open.repeat(10_000) + "1" + &close.repeat(10_000);
    for nested in [deep("[", "]"), deep("{\"a\":", "}"), deep("{\"detail\":", "}"), deep("{\"Records\":", "}")] {
        let run = place.explain(format!("{}\n{nested}\n{}", call(1), call(3))).ends(1);
        let told = run.told();
        assert_eq!((told[0].as_str(), told[2].as_str()), ("event-1", "event-3"), "{nested:.60}");
        assert!(told[1].starts_with("! "), "{told:?}");
    }
    // Where nothing looks, depth does no harm; where something does, it is not believed.
    let within = |at: &str, key: &str| call(2).replacen(at, &format!("{at}\"{key}\":{},", deep("[", "]")), 1);
    for at in ["{", "\"requestParameters\":{", "\"responseElements\":{", "\"userIdentity\":{", "\"sessionContext\":{"] {
        let run = place.explain(within(at, "padding")).ends(0);
        assert_eq!(
            (run.told(), &run.lines()[0]["verdict"]["allowed"]),
            (vec!["event-2".to_owned()], &json!(true)),
            "{at}"
        );
    }
    let identity =
        call(2).replacen("\"userIdentity\":{", &format!("\"userIdentity\":{},\"was\":{{", deep("[", "]")), 1);
    assert_eq!(place.explain(identity).ends(0).lines()[0]["verdict"]["allowed"], false);
}

#[test]
fn bytes_that_are_no_text() {
    let place = Place::new();
    let mut bytes = call(1).into_bytes();
    bytes.extend(b"\n\xff\xfe\x00\n");
    bytes.extend(call(3).into_bytes());
    let run = place.explain(&bytes).ends(1);
    assert!(run.told().contains(&"event-1".to_owned()) && run.told().contains(&"event-3".to_owned()), "{run:?}");
    for bytes in [
        &b"\x00"[..],
        b"\x00\x00\x00{}",
        b"\xff\xfe{\x00}\x00",
        b"\x1f\x8b",
        b"\x1f\x8b\x08garbage",
        b"\x7fELF\x02\x01",
    ] {
        let run = place.explain(bytes).ends(1);
        assert!(run.lines().iter().all(|line| line["error"].is_string()) && !run.stdout.is_empty(), "{bytes:?}");
    }
    // One stray byte inside a record hides neither it nor what it did.
    let mut stray = call(1).into_bytes();
    let at = stray.windows(7).position(|window| window == b"aws-cli").unwrap();
    stray[at] = 0xfe;
    let run = place.explain(&stray).ends(1);
    assert!(run.told().iter().any(|told| told == "event-1") && run.told()[0].contains("not UTF-8"), "{run:?}");
}

#[test]
fn a_log_file_that_breaks_off() {
    let place = Place::new();
    let text = format!("{{\"Records\":[{},{},{}", call(1), call(2), &call(3)[..150]);
    let run = place.explain(&text).ends(1);
    assert_eq!(run.told()[..2], ["event-1", "event-2"]);
    assert_eq!(run.told().len(), 3, "{:?}", run.told());
    assert!(run.told()[2].contains("not JSON: EOF"), "{:?}", run.told());
}

#[test]
fn records_that_cannot_be_judged_are_damage() {
    let place = Place::new();
    let mut record = create(&stranger());
    record.as_object_mut().unwrap().remove("awsRegion");
    let told = place.explain(record.to_string()).ends(1).told();
    let error = "CreateEventSourceMapping20150331 cannot be judged: the record does not tell its account and region";
    assert_eq!(told, [format!("! line 1, column 1: {error}")]);
}

#[test]
fn what_is_no_readable_file_is_usage() {
    let place = Place::new();
    place.write("good", call(1));
    for (files, named) in
        [(vec!["missing.json"], "missing.json"), (vec!["policies"], "policies"), (vec!["good", "gone"], "gone")]
    {
        let mut arguments = vec!["explain", "--format", "json"];
        arguments.extend(&files);
        let run = place.run(&arguments).ends(2);
        assert!(run.stderr.contains(named), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    let run = place.run(&["explain"]).ends(2);
    assert!(run.stderr.contains("<FILE>"), "{}", run.stderr);
}
