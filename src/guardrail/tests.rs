#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;
use crate::cloudtrail::{Actor, MappingCall, Mentions, PrincipalKind, Verb};
use crate::detection::{Change, Detection, Event, Trigger};
use crate::mapping::{FunctionRef, SourceKind, SourceRef, Wiring};
use crate::policy::{Facts, PolicyFiles, SourceFile};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

const RESPONDER: &str = "arn:aws:iam::*:role/sluicegate-responder";
/// The allowlist is all that decides.
const RULES: &str = r#"
@id("allowlisted")
@reason("an entry covers it")
permit (principal, action in Action::"change", resource)
when { context.allowlisted };
"#;

fn today() -> Date {
    Date::new(2026, 11, 24).unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn set(allowlist: &str) -> PolicySet {
    let files = PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", allowlist),
        rules: SourceFile::new("rules.cedar", RULES),
        inventory: SourceFile::new("inventory.toml", ""),
        schema: None,
    };
    PolicySet::load(&files, today()).unwrap_or_else(|problems| panic!("{allowlist}\n{problems:#?}")).set
}

fn entry(id: &str, principal: &str, more: &str) -> String {
    format!(
        "[[allow]]\nid = \"{id}\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-06-30\nprincipal = \"{principal}\"\n{more}\n"
    )
}

fn guardrail_of(allowlist: &str) -> Guardrail {
    generate(&set(allowlist), today(), &[RESPONDER.to_owned()], Limits::SAFE).unwrap()
}

fn statements(guardrail: &Guardrail) -> Vec<Value> {
    let documents = guardrail.documents();
    let of = |text: &String| serde_json::from_str::<Value>(text).unwrap()["Statement"].as_array().unwrap().clone();
    documents.iter().flat_map(of).collect()
}

fn call(principal: &str, verb: Verb, function: &str, region: &str) -> Finding {
    let account = principal.split(':').nth(4).unwrap().to_owned();
    let (name, qualifier) = function.split_once(':').unwrap_or((function, ""));
    let (detection, change) = match verb {
        Verb::Create => (Detection::MappingCreated, Change::Create),
        Verb::Update => (Detection::MappingEnabled, Change::Enable),
    };
    Finding {
        detection,
        changes: vec![change],
        trigger: Trigger::Event,
        event: Event { id: "e".into(), name: "n".into(), time: now(), request_id: "r".into() },
        account: account.clone(),
        region: region.into(),
        actor: Actor {
            kind: if principal.contains(":user/") { PrincipalKind::IamUser } else { PrincipalKind::AssumedRole },
            arn: principal.to_owned(),
            principal_arn: principal.to_owned(),
            session_name: "run".into(),
            account: account.clone(),
            ..Actor::default()
        },
        call: MappingCall {
            verb,
            uuid: "11111111-2222-3333-4444-555555555555".into(),
            mapping_arn: String::new(),
            function: FunctionRef {
                arn: format!("arn:aws:lambda:{region}:{account}:function:{function}"),
                name: name.into(),
                qualifier: qualifier.into(),
                account: account.clone(),
            },
            names_function: true,
            source: SourceRef {
                kind: SourceKind::Sqs,
                arn: format!("arn:aws:sqs:{region}:{account}:q"),
                name: "q".into(),
                account,
            },
            enabled: None,
            wiring: Wiring::default(),
            state: String::new(),
            last_modified: None,
            mentions: Mentions::default(),
            withheld: false,
            disagrees: String::new(),
            asked: None,
        },
    }
}

fn create(principal: &str, function: &str) -> Finding {
    call(principal, Verb::Create, function, "eu-west-1")
}

const CI: &str = "arn:aws:iam::111122223333:role/ci/deployer";

#[test]
fn everybody_but_the_listed_and_the_responder_is_denied() {
    let guardrail = guardrail_of(&entry("ci", CI, ""));
    assert_eq!(
        guardrail.documents(),
        [
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"OnlyListedPrincipals","Effect":"Deny","Action":["lambda:CreateEventSourceMapping","lambda:UpdateEventSourceMapping"],"Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/sluicegate-responder","arn:aws:iam::111122223333:role/ci/deployer"]}}}]}"#
        ]
    );
    assert_eq!(guardrail.denied_by(&create(CI, "f")), None);
    assert_eq!(guardrail.denied_by(&create("arn:aws:iam::999988887777:role/sluicegate-responder", "f")), None);
    assert!(guardrail.denied_by(&create("arn:aws:iam::111122223333:role/deployer", "f")).is_some());
    assert!(guardrail.denied_by(&create("arn:aws:iam::111122223333:root", "f")).is_some());
    let mut nobody = create(CI, "f");
    nobody.actor.principal_arn.clear();
    assert!(guardrail.denied_by(&nobody).is_some(), "a negated operator holds where the key is missing");
}

#[test]
fn functions_hold_on_creation_with_and_without_qualifier() {
    let guardrail = guardrail_of(&entry("ci", CI, "functions = [\"orders-*\", \"billing\"]"));
    for (function, denied) in [
        ("orders-in", false),
        ("orders-in:live", false),
        ("billing", false),
        ("billing:7", false),
        ("billings", true),
        ("x", true),
    ] {
        assert_eq!(guardrail.denied_by(&create(CI, function)).is_some(), denied, "{function}");
        assert_eq!(guardrail.denied_by(&call(CI, Verb::Update, function, "eu-west-1")), None);
    }
    let mut without = create(CI, "x");
    without.call.function.arn.clear();
    assert_eq!(guardrail.denied_by(&without), None, "what is not told is not denied");
    assert!(guardrail.not_expressed.iter().any(|lost| lost.what == "functions" && lost.entry == "ci"));
}

#[test]
fn entries_of_one_principal_count_together() {
    let both = entry("a", CI, "functions = [\"a-*\"]") + &entry("b", CI, "functions = [\"b-*\"]");
    let guardrail = guardrail_of(&both);
    assert_eq!(guardrail.denied_by(&create(CI, "a-1")), None);
    assert_eq!(guardrail.denied_by(&create(CI, "b-1")), None);
    assert!(guardrail.denied_by(&create(CI, "c-1")).is_some());
    assert!(guardrail.not_expressed.iter().all(|lost| lost.what != "combination"), "one dimension is exact");
    // One without functions lifts the scope, also when it is written wider.
    let guardrail = guardrail_of(&(both + &entry("c", "arn:aws:iam::*:role/ci/*", "")));
    assert_eq!(guardrail.denied_by(&create(CI, "c-1")), None);
    // A wider one with functions adds its own, and is not lifted by the narrower one.
    let nested = entry("a", CI, "") + &entry("w", "arn:aws:iam::*:role/ci/*", "functions = [\"w-*\"]");
    let guardrail = guardrail_of(&nested);
    assert_eq!(guardrail.denied_by(&create(CI, "x")), None);
    let other = "arn:aws:iam::111122223333:role/ci/other";
    assert!(guardrail.denied_by(&create(other, "x")).is_some());
    assert_eq!(guardrail.denied_by(&create(other, "w-1")), None);
}

#[test]
fn a_star_that_stays_in_its_segment_stays_there_in_iam_too() {
    let wide = "arn:aws:iam::*:role/terraform/*";
    let guardrail = guardrail_of(&entry("tf", wide, ""));
    assert_eq!(guardrail.denied_by(&create("arn:aws:iam::111122223333:role/terraform/apply", "f")), None);
    let deep = "arn:aws:iam::111122223333:role/terraform/prod/apply";
    assert_eq!(guardrail.denied_by(&create(deep, "f")), Some("PathsAsWritten1"));
    let guardrail = guardrail_of(&(entry("tf", wide, "") + &entry("deep", deep, "")));
    assert_eq!(guardrail.denied_by(&create(deep, "f")), None);
    assert!(guardrail.denied_by(&create("arn:aws:iam::111122223333:role/terraform/x/apply", "f")).is_some());
    assert_eq!(statements(&guardrail).len(), 2);
    let guardrail = guardrail_of(&(entry("tf", wide, "") + &entry("all", "arn:aws:iam::*:role/terraform/**", "")));
    assert_eq!(guardrail.denied_by(&create(deep, "f")), None);
    assert_eq!(statements(&guardrail).len(), 1);
}

#[test]
fn regions_accounts_and_verbs_are_exact() {
    let wide = "arn:aws:iam::*:role/tf";
    let guardrail = guardrail_of(&entry(
        "tf",
        wide,
        "regions = [\"eu-west-1\"]\naccounts = [\"111122223333\"]\nactions = [\"create\"]",
    ));
    let role = |account: &str| format!("arn:aws:iam::{account}:role/tf");
    let at = |account: &str, verb, region| guardrail.denied_by(&call(&role(account), verb, "f", region));
    assert_eq!(at("111122223333", Verb::Create, "eu-west-1"), None);
    assert_eq!(at("111122223333", Verb::Create, "us-east-1"), Some("Regions1"));
    assert_eq!(at("444455556666", Verb::Create, "eu-west-1"), Some("Accounts1"));
    assert_eq!(at("111122223333", Verb::Update, "eu-west-1"), Some("CreateAlone1"));
    let guardrail = guardrail_of(&entry("tf", wide, "actions = [\"repoint\"]"));
    assert!(guardrail.denied_by(&call(&role("111122223333"), Verb::Create, "f", "eu-west-1")).is_some());
    assert_eq!(guardrail.denied_by(&call(&role("111122223333"), Verb::Update, "f", "eu-west-1")), None);
}

#[test]
fn federated_sessions_of_a_user_pass_unless_the_entry_says_otherwise() {
    let user = "arn:aws:iam::111122223333:user/ci";
    let mut finding = create(user, "f");
    finding.actor.kind = PrincipalKind::FederatedUser;
    finding.actor.arn = "arn:aws:sts::111122223333:federated-user/run".into();
    assert_eq!(guardrail_of(&entry("u", user, "")).denied_by(&finding), None);
    let narrow = guardrail_of(&entry("u", user, "sessions = [\"run*\"]"));
    assert_eq!(narrow.denied_by(&finding), None);
    finding.actor.arn = "arn:aws:sts::111122223333:federated-user/other".into();
    assert!(narrow.denied_by(&finding).is_some());
    assert!(guardrail_of(&entry("u", user, "kinds = [\"IAMUser\"]")).denied_by(&finding).is_some());
}

#[test]
fn what_cannot_be_said_is_told() {
    let all = "sessions = [\"run-*\"]\nvia = [\"cloudformation.amazonaws.com\"]\nsources = [\"sqs\"]\naddresses = [\"10.0.0.0/8\"]\n\
               user_agents = [\"x*\"]\nmfa = true\nfunctions = [\"f*\"]";
    let guardrail = guardrail_of(&entry("e", CI, all));
    let told: Vec<&str> = guardrail.not_expressed.iter().map(|lost| lost.what.as_str()).collect();
    assert_eq!(told, ["actions", "addresses", "functions", "mfa", "sessions", "sources", "user_agents", "via"]);
    let expired = entry("old", "arn:aws:iam::111122223333:role/old", "").replace("2027-06-30", "2026-11-23");
    let guardrail = guardrail_of(&(entry("e", CI, "") + &expired));
    assert_eq!(guardrail.expired, ["old"]);
    assert!(guardrail.denied_by(&create("arn:aws:iam::111122223333:role/old", "f")).is_some());
}

#[test]
fn without_a_responder_there_is_none() {
    let set = set(&entry("e", CI, ""));
    for wrong in
        [&[][..], &["*".to_owned()], &["arn:aws:iam::*:role/*".to_owned()], &["arn:aws:iam::1:group/x".to_owned()]]
    {
        assert!(matches!(generate(&set, today(), wrong, Limits::SAFE), Err(Refused::Responder(_))), "{wrong:?}");
    }
}

#[test]
fn a_list_that_does_not_fit_is_told_apart_by_account_or_refused() {
    let roles = |account: &str, count: usize| -> String {
        let one = |n| entry(&format!("e{account}-{n}"), &format!("arn:aws:iam::{account}:role/team/deployer-{n}"), "");
        (0..count).map(one).collect()
    };
    let spread = roles("111122223333", 60) + &roles("444455556666", 60) + &roles("777788889999", 10);
    let guardrail = guardrail_of(&spread);
    let documents = guardrail.documents();
    assert!(documents.len() > 1 && documents.len() <= Limits::SAFE.policies, "{}", documents.len());
    assert!(documents.iter().all(|document| document.len() <= Limits::SAFE.size));
    for account in ["111122223333", "444455556666", "777788889999"] {
        assert_eq!(guardrail.denied_by(&create(&format!("arn:aws:iam::{account}:role/team/deployer-3"), "f")), None);
        assert!(guardrail.denied_by(&create(&format!("arn:aws:iam::{account}:role/team/x"), "f")).is_some());
        assert_eq!(
            guardrail.denied_by(&create(&format!("arn:aws:iam::{account}:role/sluicegate-responder"), "f")),
            None
        );
    }
    assert!(guardrail.denied_by(&create("arn:aws:iam::000000000000:role/team/deployer-3", "f")).is_some());
    assert_eq!(guardrail.denied_by(&create("arn:aws:iam::000000000000:role/sluicegate-responder", "f")), None);
    let only_there = ["arn:aws:iam::111122223333:role/mine".to_owned()];
    let guardrail = generate(&set(&spread), today(), &only_there, Limits::SAFE).unwrap();
    assert!(guardrail.documents().iter().all(|document| !document.contains("[]")));
    assert!(guardrail.denied_by(&create("arn:aws:iam::000000000000:role/mine", "f")).is_some());
    let many = set(&roles("111122223333", 120));
    let refused = generate(&many, today(), &[RESPONDER.to_owned()], Limits::SAFE).unwrap_err();
    assert!(
        matches!(&refused, Refused::TooLong { patterns: 121, most: 5_120, size, .. } if *size > 5_120),
        "{refused}"
    );
    assert!(generate(&many, today(), &[RESPONDER.to_owned()], Limits::NEWER).is_ok());
}

#[test]
fn scopes_without_room_are_left_out_and_told() {
    let long: Vec<String> = (0..120).map(|n| format!("\"function-with-a-long-name-{n}-*\"")).collect();
    let functions = |n: usize| format!("functions = [{}]", long[n * 10..n * 10 + 20].join(", "));
    let entries: String = (0..10)
        .map(|n| entry(&format!("e{n}"), &format!("arn:aws:iam::111122223333:role/r{n}"), &functions(n)))
        .collect();
    let guardrail =
        generate(&set(&entries), today(), &[RESPONDER.to_owned()], Limits { size: 5_120, policies: 2 }).unwrap();
    assert!(guardrail.documents().iter().all(|document| document.len() <= 5_120));
    assert!(guardrail.not_expressed.iter().any(|lost| lost.why.contains("no room")), "{:?}", guardrail.not_expressed);
}

fn arn() -> impl Strategy<Value = String> {
    let resource = prop_oneof![9 => "(role|user)(/[ab]{1,2}){1,3}", 1 => Just("root".to_owned())];
    ("(111122223333|444455556666)", resource)
        .prop_map(|(account, resource)| format!("arn:aws:iam::{account}:{resource}"))
}

fn pattern() -> impl Strategy<Value = String> {
    let account = prop_oneof![Just("111122223333"), Just("444455556666"), Just("*"), Just("1111*")];
    let rest = "(role|user)/[ab]([ab*]|[*]{2}){0,2}(/([ab*]|[*]{2}){1,2}){0,2}";
    let resource = prop_oneof![9 => rest, 1 => Just("root".to_owned())];
    (account, resource).prop_map(|(account, resource)| format!("arn:aws:iam::{account}:{resource}"))
}

fn keys() -> impl Strategy<Value = String> {
    let list = |name: &'static str, values: &'static str| {
        prop_oneof![
            2 => Just(String::new()),
            1 => prop::collection::btree_set(values, 1..3).prop_map(move |values| {
                let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
                format!("{name} = [{}]\n", values.join(", "))
            }),
        ]
    };
    (
        list("functions", "[fg][fg*]{0,2}"),
        list("regions", "(eu-west-1|us-east-1)"),
        list("accounts", "(111122223333|444455556666)"),
        list("actions", "(create|enable|repoint)"),
        list("sessions", "(run|r[*]|other)"),
        list("kinds", "(IAMUser|FederatedUser|AssumedRole)"),
    )
        .prop_map(|(functions, regions, accounts, actions, sessions, kinds)| {
            functions + &regions + &accounts + &actions + &sessions + &kinds
        })
}

fn finding() -> impl Strategy<Value = Finding> {
    let verb = prop_oneof![Just(Verb::Create), Just(Verb::Update)];
    (arn(), verb, "[fg]{1,3}(:[fg])?", "(eu-west-1|us-east-1)", prop::bool::weighted(0.2)).prop_map(
        |(principal, verb, function, region, federated)| {
            let mut finding = call(&principal, verb, &function, &region);
            if federated && principal.contains(":user/") {
                finding.actor.kind = PrincipalKind::FederatedUser;
                finding.actor.arn = format!("arn:aws:sts::{}:federated-user/run", finding.account);
            }
            finding
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_the_allowlist_allows_is_never_denied_and_who_is_not_on_it_always_is(
        entries in prop::collection::vec((pattern(), keys()), 0..7),
        findings in prop::collection::vec(finding(), 40),
        size in prop_oneof![Just(800_usize), Just(5_120)],
    ) {
        let text: String = entries.iter().enumerate().map(|(n, (principal, keys))| entry(&format!("e{n}"), principal, keys)).collect();
        let set = set(&text);
        let limits = Limits { size, policies: 4 };
        let Ok(guardrail) = generate(&set, today(), &[RESPONDER.to_owned()], limits) else {
            prop_assert!(size == 800, "{text}");
            return Ok(());
        };
        for finding in findings {
            let facts = Facts {
                now: now(), trigger: Trigger::Event, confirmed: true, findings_by_actor: 1, wrong_of_last_ten: 0,
                case_open: false, baseline_known: true,
            };
            let denied = guardrail.denied_by(&finding);
            if set.judge(&finding, &facts).allowed {
                prop_assert_eq!(denied, None, "{}\n{:#?}\n{:?}", text, guardrail.readable(), finding);
            }
            let arn = &finding.actor.principal_arn;
            // Where `*` stands beside `**`, IAM finds more like the pattern than it means, which is told.
            let mixes = |text: &str| text.contains("**") && text.replace("**", "").contains('*');
            let on_it = set.entries().iter().any(|entry| {
                let text = entry.principal.glob.text();
                entry.principal.glob.matches(arn) || mixes(text) && pattern::arn_like(text, arn)
            });
            // A federated session is let through by its name, whoever made it, which is told too.
            if !on_it && size == 5_120 && finding.actor.kind != PrincipalKind::FederatedUser {
                prop_assert!(denied.is_some(), "{}\n{:#?}\n{}", text, guardrail.readable(), arn);
            }
        }
    }

    #[test]
    fn one_entry_is_expressed_exactly(principal in pattern(), keys in keys(), findings in prop::collection::vec(finding(), 40)) {
        let mixes = principal.contains("**") && principal.replace("**", "").contains('*');
        prop_assume!(!mixes);
        let told = |line: &&str| !line.starts_with("sessions") && !line.starts_with("kinds");
        let keys = keys.lines().filter(told).collect::<Vec<_>>().join("\n");
        let set = set(&entry("e", &principal, &keys));
        let guardrail = generate(&set, today(), &[RESPONDER.to_owned()], Limits::SAFE).unwrap();
        for finding in findings {
            let facts = Facts {
                now: now(), trigger: Trigger::Event, confirmed: true, findings_by_actor: 1, wrong_of_last_ten: 0,
                case_open: false, baseline_known: true,
            };
            // On updates neither functions nor the kind of change are told; a star in a function's name reaches into
            // the qualifier.
            let told = finding.call.function.qualifier.is_empty() && finding.actor.kind != PrincipalKind::FederatedUser;
            if finding.call.verb == Verb::Create && told {
                let allowed = set.judge(&finding, &facts).allowed;
                prop_assert_eq!(guardrail.denied_by(&finding).is_none(), allowed, "{} {}\n{:?}", principal, keys, finding);
            }
        }
    }
}
