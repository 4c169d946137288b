//! `guardrail`, as somebody outside sees it.

use crate::harness::{Place, Run};
use crate::records::{ACCOUNT, create, deployer, runner, stranger};
use serde_json::{Value, json};

/// The shipped allowlist, and somebody's history beside it.
fn place(records: &[Value]) -> Place {
    let place = Place::new();
    let text: Vec<String> = records
        .iter()
        .enumerate()
        .map(|(number, record)| {
            let mut record = record.clone();
            record["eventID"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
            record.to_string()
        })
        .collect();
    place.write("trail/log.json", text.join("\n"));
    place
}

fn json_of(run: &Run) -> Value {
    let lines = run.lines();
    assert_eq!(lines.len(), 1, "{run:?}");
    lines.into_iter().next().unwrap()
}

fn run(place: &Place, more: &[&str]) -> Run {
    let mut arguments = vec!["guardrail", "--format", "json"];
    arguments.extend(more);
    place.run(&arguments)
}

#[test]
fn the_document_names_the_allowlist_and_the_responder() {
    let place = place(&[]);
    let told = json_of(&run(&place, &[]).ends(0));
    let statement = &told["policies"][0]["Statement"][0];
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Action"], json!(["lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping"]));
    let listed = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"].to_string();
    for one in ["role/ci/orders-deployer", "role/terraform/*", "arn:aws:iam::*:role/sluicegate/*"] {
        assert!(listed.contains(one), "{listed}");
    }
    assert!(told["backtest"].is_null());
    assert_eq!(told["sizes"][0], told["policies"][0].to_string().len());
    let lost: Vec<(&str, &str)> = told["not_expressed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lost| (lost["entry"].as_str().unwrap(), lost["what"].as_str().unwrap()))
        .collect();
    assert!(
        lost.contains(&("orders-pipeline", "via")) && lost.contains(&("terraform-runners", "sessions")),
        "{lost:?}"
    );
    for statement in told["policies"][0]["Statement"].as_array().unwrap() {
        let sid = statement["Sid"].as_str().unwrap();
        assert!(sid.chars().all(|char| char.is_ascii_alphanumeric()), "{sid}");
    }
}

#[test]
fn what_is_said_twice_is_the_same() {
    let place = place(&[]);
    assert_eq!(run(&place, &[]).stdout, run(&place, &[]).stdout);
}

#[test]
fn the_responder_is_given_or_configured_and_never_left_out() {
    let place = place(&[]);
    let given = json_of(&run(&place, &["--responder", "arn:aws:iam::111122223333:role/mine"]).ends(0));
    assert_eq!(given["responder"], json!(["arn:aws:iam::111122223333:role/mine"]));
    place.write("sluicegate.toml", "[accounts]\nrole_name = \"sluicegate-responder\"\n");
    let configured = json_of(&run(&place, &[]).ends(0));
    // In its own account it acts with what it was started with: the role for the others does not replace that one.
    let both = json!(["arn:aws:iam::*:role/sluicegate/*", "arn:aws:iam::*:role/sluicegate-responder"]);
    assert_eq!(configured["responder"], both);
    for wrong in ["", "*", "arn:aws:iam::*:role/*", "arn:aws:sts::111122223333:assumed-role/a/b"] {
        let run = run(&place, &["--responder", wrong]).ends(2);
        assert!(run.stderr.contains("responder"), "{}", run.stderr);
    }
}

#[test]
fn text_keeps_the_policy_apart_from_what_is_said() {
    let place = place(&[]);
    let run = place.run(&["guardrail"]).ends(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["Version"], "2012-10-17");
    for told in
        ["could not be expressed", "management account", "service-linked", "attach-policy", "orders-pipeline: sources"]
    {
        assert!(run.stderr.contains(told), "no {told:?} in {}", run.stderr);
    }
}

#[test]
fn files_hold_what_is_to_be_saved() {
    let place = place(&[]);
    let run = place.run(&["guardrail", "--output", "out"]).ends(0);
    let text = std::fs::read_to_string(place.path("out/sluicegate-guardrail-1.json")).unwrap();
    assert!(!text.contains(['\n', ' ']) && text.len() <= 5_120);
    assert!(run.stdout.contains("file://out/sluicegate-guardrail-1.json") && run.stdout.contains("create-policy"));
    serde_json::from_str::<Value>(&text).unwrap();
}

#[test]
fn history_tells_who_would_have_been_denied() {
    let mut enable_elsewhere = create(&runner());
    enable_elsewhere["sourceIPAddress"] = json!("203.0.113.9");
    let mut pathless = deployer();
    pathless["sessionContext"]["sessionIssuer"] = json!({});
    let records = [
        create(&deployer()),
        create(&runner()),
        create(&stranger()),
        create(&stranger()),
        enable_elsewhere,
        create(&pathless),
    ];
    let place = place(&records);
    let told = json_of(&run(&place, &["trail"]).ends(0));
    let backtest = &told["backtest"];
    assert_eq!(
        backtest["summary"]["calls"],
        json!({"wrongly_denied": 0, "allowed_then": 0, "denied": 2, "not_certain": 1, "left_to_responder": 1, "responder": 0, "passes": 2})
    );
    let denied = &backtest["denied"][0];
    assert_eq!(denied["principal_arn"], "arn:aws:iam::111122223333:user/contractors/mallory");
    assert_eq!((&denied["times"], &denied["statement"]), (&json!(2), &json!("OnlyListedPrincipals")));
    assert_eq!(denied["example"]["account"], ACCOUNT);
    assert_eq!(backtest["left_to_responder"][0]["principal_arn"], "arn:aws:iam::111122223333:role/terraform/apply");
    let text = place.run(&["guardrail", "trail"]).ends(0);
    assert!(
        text.stderr.contains("Would have been denied") && text.stderr.contains("contractors/mallory"),
        "{}",
        text.stderr
    );
    assert!(text.stderr.contains("Nothing that policy allows would have been denied"));
}

#[test]
fn what_a_rule_permits_without_an_entry_is_loud() {
    let place = place(&[create(&stranger())]);
    place.append(
        "policies/rules.cedar",
        "\n@id(\"mallory-may\")\n@reason(\"a rule, not an entry\")\npermit (principal, action in Action::\"change\", resource) when { principal.name == \"mallory\" };\n",
    );
    let told = json_of(&run(&place, &["trail"]).ends(1));
    assert_eq!(told["backtest"]["wrongly_denied"][0]["times"], 1);
    let text = place.run(&["guardrail", "trail"]).ends(1);
    assert!(text.stderr.contains("WRONGLY DENIED") && text.stderr.contains("mallory-may"), "{}", text.stderr);
}

#[test]
fn an_entry_that_ran_out_is_no_wrong_denial() {
    let place = place(&[create(&deployer())]);
    place.replace("policies/allowlist.toml", "2099-12-31", "2026-03-01");
    let told = json_of(&run(&place, &["trail"]).ends(0));
    assert_eq!(told["expired"], json!(["orders-pipeline"]));
    assert_eq!(told["backtest"]["summary"]["calls"]["allowed_then"], 1);
}

#[test]
fn a_list_that_does_not_fit_is_refused_with_the_numbers() {
    let place = place(&[]);
    let entry = |n: usize| {
        format!(
            "\n[[allow]]\nid = \"e{n}\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2099-12-31\nprincipal = \"arn:aws:iam::111122223333:role/team/deployer-of-service-{n}\"\n"
        )
    };
    place.append("policies/allowlist.toml", &(0..100).map(entry).collect::<String>());
    let run = place.run(&["guardrail"]).ends(1);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("of 5120") && run.stderr.contains("--max-size 10240"),
        "{}",
        run.stderr
    );
    place.run(&["guardrail", "--max-size", "10240"]).ends(0);
    place.run(&["guardrail", "--max-size", "99999"]).ends(2);
}

#[test]
fn damage_and_absence_are_told() {
    let place = place(&[create(&stranger())]);
    place.write("trail/broken.json", "{\"Records\": [");
    let run = run(&place, &["trail"]).ends(1);
    assert!(run.lines().iter().any(|line| line["error"].is_string()), "{run:?}");
    place.run(&["guardrail", "nowhere"]).ends(2);
}

#[test]
fn hostile_names_write_no_lines_of_their_own() {
    let mut record = create(&stranger());
    record["userIdentity"]["arn"] = json!("arn:aws:iam::111122223333:user/a\u{1b}[2J\nDENIED");
    let place = place(&[record]);
    let run = place.run(&["guardrail", "trail"]);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains("\nDENIED"), "{}", run.stderr);
}
