#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::cloudtrail::fixtures::bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write as _;

/// What was found, a word each: a record's id, or `!` and the position of a damage.
fn found(bytes: &[u8]) -> Vec<String> {
    let told = |input: Input| match input {
        Ok(record) => record.event_id,
        Err(damage) => format!("! {}: {}", damage.position, damage.error),
    };
    read(bytes).into_iter().map(told).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn one_record_in_every_shape() {
    let bare = r#"{"eventID":"a","eventName":"X"}"#;
    let envelope = format!(r#"{{"detail-type":"T","source":"s","replay-name":"r","detail":{bare},"debug":1}}"#);
    for text in [
        bare.to_owned(),
        format!("\u{feff}{bare}"),
        format!("\r\n\n  {bare}\r\n\n"),
        format!("[{bare}]"),
        format!("[[[{bare}],[]]]"),
        format!(r#"{{"Records":[{bare}]}}"#),
        format!(r#"[{{"Records":[{envelope}]}}]"#),
        envelope,
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(bare).unwrap()).unwrap(),
    ] {
        assert_eq!(found(text.as_bytes()), ["a"], "{text}");
        assert_eq!(found(&gzip(text.as_bytes())), ["a"], "{text}");
    }
}

#[test]
fn nothing_is_nothing() {
    for text in ["", " \n\t\r\n", "\u{feff}", "[]", r#"{"Records":[]}"#] {
        assert_eq!(found(text.as_bytes()), [""; 0], "{text}");
    }
    assert!(is_blank(b"") && is_blank(b"\xef\xbb\xbf \n") && !is_blank(b"[]"));
}

#[test]
fn documents_one_after_the_other() {
    let pretty = "{\n  \"eventID\": \"b\"\n}";
    let text = format!("{{\"eventID\":\"a\"}}{{\"eventID\":\"a2\"}} {pretty}\n{pretty}{{\"eventID\":\"c\"}}\n");
    assert_eq!(found(text.as_bytes()), ["a", "a2", "b", "b", "c"]);
}

#[test]
fn members_of_gzip_are_read_as_one() {
    let mut file = gzip(b"{\"eventID\":\"a\"}\n{\"event");
    file.extend(gzip(b"ID\":\"b\"}\n"));
    assert_eq!(found(&file), ["a", "b"]);
}

#[test]
fn broken_gzip_keeps_what_came_before() {
    let mut text = String::new();
    for number in 0..20_000 {
        writeln!(text, "{{\"eventID\":\"{number}\"}}").unwrap();
    }
    let file = gzip(text.as_bytes());
    let found = found(&file[..file.len() / 2]);
    assert_eq!(found[0], "0");
    assert!(found.len() > 1000 && found.last().unwrap().contains("broken gzip"), "{:?}", found.last());
}

#[test]
fn a_bomb_is_damage() {
    let (raw, damage) = inflate(&gzip(&vec![b' '; 100_000]), 99_999);
    assert!(raw.is_empty());
    insta::assert_snapshot!(damage.unwrap().error, @"more than 99999 bytes after decompression: none of it was judged");
    assert!(inflate(&gzip(&vec![b' '; 100_000]), 100_000).1.is_none());
}

#[test]
fn a_broken_line_spoils_no_other() {
    insta::assert_snapshot!(found(&bytes("mixed.jsonl")).join("\n"), @r#"
    e5a1c0de-0000-4000-8000-000000000033
    ! line 3, column 35: not JSON: EOF while parsing a value
    e5a1c0de-0000-4000-8000-000000000034
    ! line 5, column 2: not JSON: expected ident
    e5a1c0de-0000-4000-8000-000000000035
    e5a1c0de-0000-4000-8000-000000000036
    e5a1c0de-0000-4000-8000-000000000037
    "#);
}

#[test]
fn a_broken_element_spoils_no_other() {
    insta::assert_snapshot!(found(&bytes("log-file.json")).join("\n"), @r#"
    e5a1c0de-0000-4000-8000-000000000031
    e5a1c0de-0000-4000-8000-000000009999
    ! record 3 (of line 1): not a CloudTrail record: a text
    ! record 4 (line 127): the record holds eventID twice
    e5a1c0de-0000-4000-8000-000000000032
    "#);
}

#[test]
fn a_broken_document_is_told_once() {
    insta::assert_snapshot!(found(&bytes("broken.json")).join("\n"), @"! line 3, column 14: not JSON: expected value");
    let mut text = bytes("broken.json");
    text.extend(b"{\"eventID\":\"after\"}\n  {\"eventID\":\"indented\"}\n");
    assert_eq!(found(&text)[1..], ["after", "indented"]);
}

#[test]
fn what_is_complete_in_a_broken_file_is_kept() {
    let cut = br#"{"Records":[{"eventID":"a"},{"eventID":"b"},{"eventID":"c","#;
    insta::assert_snapshot!(found(cut).join("\n"), @r#"
    a
    b
    ! line 1, column 59: not JSON: EOF while parsing a value
    "#);
    let lines =
        b"{\"Records\":[\n{\"eventID\":\"a\"},\n{\"eventID\":\"b\"},\n{\"eventID\":oops},\n{\"eventID\":\"d\"}\n]}\n";
    insta::assert_snapshot!(found(lines).join("\n"), @r#"
    a
    b
    ! line 1, column 12: not JSON: EOF while parsing a list
    ! line 4, column 12: not JSON: expected value
    d
    ! line 6, column 1: not JSON: expected value
    "#);
}

#[test]
fn a_broken_line_does_not_swallow_the_next() {
    for broken in [r#"{"eventID":"x","#, r#"{"eventID":"x","y":"#, r#"{"eventID":"x"#, "[", "{\"Records\":["] {
        let text = format!("{{\"eventID\":\"a\"}}\n{broken}\n{{\"eventID\":\"b\"}}\n{{\"eventID\":\"c\"}}\n");
        let found = found(text.as_bytes());
        for id in ["a", "b", "c"] {
            assert!(found.iter().any(|told| told == id), "{broken}: {found:?}");
        }
        assert!(found.iter().any(|told| told.starts_with("! line 2")), "{broken}: {found:?}");
    }
}

#[test]
fn other_encodings_are_told() {
    assert!(found(b"\xff\xfe{\0}\0")[0].contains("UTF-16"));
    let stray = b"{\"eventID\":\"a\xff\"}\n{\"eventID\":\"b\"}\n";
    assert_eq!(found(stray), ["! line 1, column 14: not UTF-8", "a\u{fffd}", "b"]);
}

#[test]
fn what_is_no_record_is_told() {
    for text in ["7", "\"x\"", "null", "true", "{}", r#"{"a":1}"#, r#"{"Records":7}"#, r#"{"detail":{}}"#, "-1e999"] {
        let found = found(text.as_bytes());
        assert!(found.len() == 1 && found[0].starts_with("! "), "{text}: {found:?}");
    }
    for detail in ["[]", "7", "[{\"eventID\":\"a\"}]", "\"text\"", r#"{"Records":[{"eventID":"a"}]}"#] {
        let found = found(format!(r#"{{"source":"aws.lambda","detail":{detail}}}"#).as_bytes());
        assert!(found[0].contains("detail is"), "{detail}: {found:?}");
    }
}

#[test]
fn a_key_that_is_there_twice_is_damage() {
    for key in ["eventID", "userIdentity", "eventName", "requestParameters", "recipientAccountId", "errorCode"] {
        let text = format!(r#"{{"eventID":"a","{key}":null,"{key}":{{}}}}"#);
        assert!(found(text.as_bytes())[0].ends_with("twice"), "{key}");
    }
    let request = r#"{"functionName":"good","FunctionName":"bad"}"#;
    let mut text = String::from_utf8(bytes("create-sqs.json")).unwrap();
    let start = text.find("\"requestParameters\"").unwrap();
    text.insert_str(start, &format!("\"requestParameters\": {request}, \"was\": {{}}, \"x\": "));
    let text = text.replacen(", \"x\": \"requestParameters\":", ", \"wasRequest\":", 1);
    insta::assert_snapshot!(found(text.as_bytes()).join("\n"), @"! line 1, column 1: requestParameters holds functionName twice");
}

#[test]
fn depth_and_size_are_survived() {
    let deep = bytes("deep-nesting.json");
    assert_eq!(found(&deep).len(), 1);
    assert!(!found(&deep)[0].starts_with('!'), "what is not looked at may be as deep as it likes");
    for open in ["[", "{\"detail\":", "{\"Records\":", "{\"userIdentity\":", "{\"Records\":["] {
        let text = open.repeat(100_000);
        assert!(!found(text.as_bytes()).is_empty(), "{open}");
        let lines = format!("{open}\n").repeat(3_000);
        assert!(!found(lines.as_bytes()).is_empty(), "{open}");
    }
    let long = format!(r#"{{"eventID":"a","requestParameters":{{"x":"{}"}}}}"#, "é\\n".repeat(100_000));
    assert_eq!(found(long.as_bytes()), ["a"]);
}
