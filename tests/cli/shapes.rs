//! Every accepted shape of input, by file and by standard input: the same records come out.

use crate::harness::Place;
use crate::records::{create, deployer, envelope, numbered, stranger};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn three() -> Vec<Value> {
    let call = create(&deployer());
    vec![numbered(&call, 1), numbered(&create(&stranger()), 2), envelope(&numbered(&call, 3))]
}

fn shapes() -> Vec<(&'static str, String)> {
    let records = three();
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let pretty: Vec<String> = records.iter().map(|record| serde_json::to_string_pretty(record).unwrap()).collect();
    vec![
        ("an array", json!(records).to_string()),
        ("a pretty array", serde_json::to_string_pretty(&records).unwrap()),
        ("a log file", json!({"Records": records}).to_string()),
        ("log files in an array", json!([{"Records": [records[0], records[1]]}, [[records[2]]]]).to_string()),
        ("JSON lines", lines.join("\n") + "\n"),
        ("JSON lines without a last line end", lines.join("\n")),
        ("JSON lines with CRLF", lines.join("\r\n") + "\r\n"),
        ("JSON lines with empty lines between", format!("\n\n{}\n  \n", lines.join("\n\n"))),
        ("documents on one line", lines.concat()),
        ("pretty documents", pretty.join("\n")),
        ("pretty documents back to back", pretty.concat()),
        ("pretty documents with CRLF", pretty.join("\n").replace('\n', "\r\n")),
        ("behind a byte order mark", format!("\u{feff}{}", lines.join("\n"))),
        (
            "log files, one a line",
            format!("{}\n{}", json!({"Records": records[..2]}), json!({"Records": [records[2]]})),
        ),
    ]
}

#[test]
fn the_same_records_in_every_shape() {
    let place = Place::new();
    let told = ["event-1", "event-2", "event-3"];
    for (shape, text) in shapes() {
        assert_eq!(place.explain(&text).ends(0).told(), told, "{shape}");
        let piped = place.run_with(&["explain", "--format", "json", "-"], &[], &gzip(text.as_bytes()));
        let piped = piped.ends(0);
        assert_eq!(piped.told(), told, "{shape}, compressed and piped");
        assert_eq!(piped.lines()[0]["verdict"]["allowed"], true, "{shape}");
        assert_eq!(piped.lines()[1]["verdict"]["allowed"], false, "{shape}");
    }
}

#[test]
fn members_of_a_gzip_follow_each_other() {
    let place = Place::new();
    let [one, two, three] = &three()[..] else { unreachable!() };
    let mut bytes = gzip(format!("{one}\n").as_bytes());
    bytes.extend(gzip(format!("{two}\n{three}").as_bytes()));
    assert_eq!(place.explain(&bytes).ends(0).told(), ["event-1", "event-2", "event-3"]);
}

#[test]
fn nothing_in_a_file_is_nothing_said() {
    let place = Place::new();
    for text in ["", "\n", " \r\n\t", "\u{feff}", "[]", "{\"Records\":[]}", "[[],[{\"Records\":[]}]]"] {
        let run = place.explain(text).ends(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{text:?}");
    }
    assert_eq!(place.explain(gzip(b"")).ends(0).stdout, "");
}

#[test]
fn several_files_are_judged_in_order() {
    let place = Place::new();
    let records = three();
    place.write("a", records[0].to_string());
    place.write("b.json.gz", gzip(records[1].to_string().as_bytes()));
    let arguments = ["explain", "--format", "json", "b.json.gz", "-", "a"];
    let run = place.run_with(&arguments, &[], records[2].to_string().as_bytes()).ends(0);
    assert_eq!(run.told(), ["event-2", "event-3", "event-1"]);
}

#[test]
fn a_record_of_a_hundred_kilobytes_and_more() {
    let place = Place::new();
    let mut record = create(&deployer());
    record["userAgent"] = json!("x".repeat(120_000));
    record["requestParameters"]["filterCriteria"] = json!({"filters": [{"pattern": "\u{1f4a5}\"\\".repeat(20_000)}]});
    record["additionalEventData"] = json!({"deep": "y".repeat(200_000)});
    let line = place.explain_one(&record);
    assert_eq!(line["detection"], "mapping-created");
    assert_eq!(line["verdict"]["allowed"], true, "nothing in it speaks against the pipeline");
    assert_eq!(line["actor"]["user_agent"].as_str().unwrap().len(), 120_000);
}

#[test]
fn many_records_at_once() {
    let place = Place::new();
    let call = create(&stranger());
    let other = json!({"eventID": "x", "eventName": "Invoke", "eventSource": "lambda.amazonaws.com"});
    let mut text = String::new();
    for number in 0..500 {
        writeln!(text, "{}\n{other}", numbered(&call, number)).unwrap();
    }
    let lines = place.explain(&text).ends(0).lines();
    assert_eq!(lines.len(), 1_000);
    assert_eq!(lines.iter().filter(|line| line["verdict"]["allowed"] == false).count(), 500);
    assert_eq!(lines.iter().filter(|line| line["ignored_because"] == "not a mapping call: Invoke").count(), 500);
}
