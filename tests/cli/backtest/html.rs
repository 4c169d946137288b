//! The report, from the outside: one file, that holds what it should and nothing that acts.

use super::{at, log, of_mapping};
use crate::harness::Place;
use crate::records::{create, deployer, numbered, stranger, with};
use serde_json::{Value, json};

const HOSTILE: &str = "x</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onclick=x\u{202e}gnp\u{0}\n";

fn report(place: &Place, more: &[&str]) -> String {
    let run = place.run(&[&["--format", "html", "backtest"], more].concat()).ends(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

#[test]
fn a_report_is_one_file_with_everything_in_it() {
    let place = Place::new();
    let records: Vec<Value> = (0..3)
        .map(|number| at(&numbered(&of_mapping(&create(&stranger()), number), number), &format!("10:0{number}:00")))
        .chain([at(&numbered(&create(&deployer()), 7), "11:00:00")])
        .collect();
    place.write("log.json", log(&records));
    let page = report(&place, &["log.json"]);
    for told in [
        "<title>Backtest</title>",
        "Findings by day",
        "By verdict and response",
        "By principal",
        "By policy",
        "By account and region",
        "By kind of source",
        "Allowlist entries",
        "user/contractors/mallory",
        "AKIAMALLORY000000001",
        "event-2",
        "no entry of policies/allowlist.toml is for",
        "never used",
    ] {
        assert!(page.contains(told), "{told}");
    }
    for fetched in ["http:", "https:", "src=", "url(", "<link", "@import"] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    assert!(page.trim_end().ends_with("</html>"));
}

#[test]
fn what_an_attacker_writes_stays_text() {
    let place = Place::new();
    let mut record = create(&stranger());
    for pointer in [
        "/eventID",
        "/eventName",
        "/awsRegion",
        "/userAgent",
        "/sourceIPAddress",
        "/userIdentity/arn",
        "/userIdentity/accessKeyId",
        "/requestParameters/functionName",
        "/requestParameters/eventSourceArn",
        "/responseElements/uUID",
        "/responseElements/functionArn",
        "/responseElements/eventSourceArn",
    ] {
        let text = if pointer == "/eventName" { "CreateEventSourceMapping20150331" } else { HOSTILE };
        record = with(&record, pointer, json!(text));
    }
    place.write("log.json", log(&[record]));
    for more in [&["log.json"][..], &["--against", "policies", "log.json"]] {
        let page = report(&place, more);
        assert_eq!(page.matches("<script").count(), 1);
        assert!(!page.contains("<img") && !page.contains("\" onclick"));
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"), "it is shown");
        assert!(page.contains("\\u{202e}gnp\\u{0}") && !page.contains(['\u{202e}', '\u{0}']));
    }
}

#[test]
fn a_comparison_comes_first() {
    let place = Place::new();
    for name in ["allowlist.toml", "rules.cedar", "inventory.toml"] {
        place.write(&format!("next/{name}"), std::fs::read(place.path(&format!("policies/{name}"))).unwrap());
    }
    place.replace("next/allowlist.toml", "regions   = [\"eu-west-1\"]", "regions   = [\"eu-west-2\"]");
    place.write("log.json", log(&[create(&deployer())]));
    let page = report(&place, &["--against", "next", "log.json"]);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(at("id=\"s0\">What changes") < at("id=\"s1\">Findings that are judged differently"));
    assert!(at("id=\"s1\">") < at(">Findings by day</h2>"));
    assert!(page.contains("0 would be allowed that are not now, 1 would no longer be allowed"));
}

#[test]
fn damage_is_in_the_report_and_makes_the_answer_no() {
    let place = Place::new();
    place.write("logs/a.json", log(&[create(&stranger())]));
    place.write("logs/b.json", "{\"Records\": [<b>");
    let run = place.run(&["backtest", "--format", "html", "--output", "report.html", "logs"]).ends(1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("1 place could not be read"), "{}", run.stderr);
    let page = std::fs::read_to_string(place.path("report.html")).unwrap();
    assert!(page.contains("Damaged places") && page.contains("logs/b.json") && page.contains("mallory"));
}

#[test]
fn an_archive_without_findings_has_a_report_too() {
    let place = Place::new();
    place.write("log.json", log(&[with(&create(&stranger()), "/eventName", json!("Invoke"))]));
    let page = report(&place, &["--against", "policies", "log.json"]);
    assert!(page.contains("1 record") && page.contains("None."), "{page}");
}
