#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::*;
use crate::cloudtrail::Verb;
use crate::policy::fixtures::{
    ALLOWLIST, DEPLOYER, RULES, at, facts, finding, load, rogue, shipped, try_load, with_allowlist, with_inventory,
    with_rules,
};
use crate::policy::{SourceFile, run_cases};
use proptest::prelude::*;
use std::sync::LazyLock;

static SHIPPED: LazyLock<PolicySet> = LazyLock::new(|| load(&shipped()));

/// The shipped rules with more.
fn rules(more: &str) -> PolicySet {
    load(&with_rules(&format!("{RULES}\n{more}")))
}

const SPREE: &str = "@id(\"spree\") @reason(\"r\") permit (principal, action == Action::\"restrict\", resource);";
const FREEZE: &str = "@id(\"freeze\") @reason(\"r\") permit (principal, action == Action::\"freeze\", resource);";

#[test]
fn the_shipped_set_loads_without_a_word() {
    let loaded = try_load(&shipped()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.set.digest().len(), 64);
    assert_eq!(loaded.set.counts(), (2, 13));
}

#[test]
fn the_shipped_cases_pass() {
    let text = include_str!("../../policies/tests/default.toml");
    let file = SourceFile::new("policies/tests/default.toml", text);
    let results = run_cases(&SHIPPED, &file, facts().now).unwrap();
    let failed: Vec<_> = results.iter().filter(|result| !result.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() > 20);
}

#[test]
fn a_set_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<PolicySet>();
}

#[test]
fn what_is_allowed_says_by_what() {
    let verdict = SHIPPED.judge(&finding(), &facts());
    assert!(verdict.allowed && !verdict.restrict && verdict.errors.is_empty());
    assert_eq!(verdict.response, Response::Leave);
    assert_eq!(verdict.policies, ["orders-pipeline", "allowlisted"]);
    assert_eq!(
        verdict.reasons,
        [
            "allowlist entry orders-pipeline (team-orders): CDK pipeline owns the orders consumers",
            "rule allowlisted: an entry of allowlist.toml covers it"
        ]
    );
    assert_eq!(verdict.policy_digest, SHIPPED.digest());
}

#[test]
fn what_is_not_allowed_says_why_first() {
    let verdict = SHIPPED.judge(&rogue(), &facts());
    assert!(!verdict.allowed && verdict.errors.is_empty());
    assert_eq!(verdict.response, Response::Disable);
    assert_eq!(verdict.policies, ["disable-first"]);
    assert_eq!(
        verdict.reasons,
        [
            "no entry of allowlist.toml is for arn:aws:iam::111122223333:role/dev",
            "disabled, by rule disable-first: a disabled mapping can be enabled again"
        ]
    );
}

#[test]
fn nobody_is_allowed_whatever_the_rules_permit() {
    let set = rules(
        "@id(\"all\") @reason(\"r\") permit (principal, action in Action::\"change\", resource) \
         when { principal.name != \"zz\" };",
    );
    assert!(set.judge(&rogue(), &facts()).allowed, "a rule can permit by itself");
    let mut nameless = rogue();
    nameless.actor.principal_arn.clear();
    nameless.actor.unidentified = "the session's role has an unknown path".to_owned();
    let verdict = set.judge(&nameless, &facts());
    assert!(!verdict.allowed);
    assert_eq!(verdict.reasons[0], "who did it is not known for certain: the session's role has an unknown path");
    let mut unknown = rogue();
    unknown.actor.kind = PrincipalKind::Unknown;
    let lenient = load(&with_rules(
        &RULES
            .replace("PrincipalKind::\"Unknown\"", "PrincipalKind::\"Directory\"")
            .replace("when { context.allowlisted }", "when { principal.name != \"zz\" }"),
    ));
    assert!(!lenient.judge(&unknown, &facts()).allowed);
    let mut contradictory = rogue();
    contradictory.call.disagrees = "the request names function a, the response b".to_owned();
    let verdict = set.judge(&contradictory, &facts());
    assert!(!verdict.allowed);
    assert_eq!(verdict.reasons[0], "the record contradicts itself: the request names function a, the response b");
    assert!(lenient.judge(&rogue(), &facts()).allowed);
}

#[test]
fn a_forbid_stands_above_every_entry() {
    let mut root = finding();
    root.actor.kind = PrincipalKind::Root;
    let verdict = SHIPPED.judge(&root, &facts());
    assert!(!verdict.allowed);
    assert_eq!(verdict.policies, ["never-root", "disable-first"]);
    assert_eq!(verdict.reasons[0], "forbidden by rule never-root: root wires no mappings, whatever the allowlist says");
}

#[test]
fn a_rule_that_errs_is_never_a_yes() {
    let overflow = "9223372036854775807 + context.findingsByActor > 0";
    let set = rules(&format!(
        "@id(\"overflow\") @reason(\"r\") forbid (principal, action in Action::\"change\", resource) when {{ {overflow} }};"
    ));
    let verdict = set.judge(&finding(), &facts());
    assert!(!verdict.allowed && !verdict.restrict);
    assert_eq!(verdict.response, Response::Ask);
    assert_eq!(verdict.errors.len(), 1);
    assert!(verdict.errors[0].contains("overflow"), "{:?}", verdict.errors);
    assert_eq!(verdict.reasons[0], "a rule could not be evaluated, which is never a yes");
    for action in ["notify", "freeze", "restrict"] {
        let set = rules(&format!(
            "@id(\"o\") @reason(\"r\") forbid (principal, action == Action::\"{action}\", resource) when {{ {overflow} }};\n\
             {SPREE}\n{FREEZE}"
        ));
        let verdict = set.judge(&rogue(), &facts());
        assert_eq!((verdict.response, verdict.restrict), (Response::Ask, false), "{action}");
        assert!(!verdict.errors.is_empty(), "{action}");
    }
}

#[test]
fn a_question_that_cannot_be_put_is_not_allowed() {
    let mut ancient = finding();
    ancient.event.time = at("-000044-03-15T00:00:00Z");
    let verdict = SHIPPED.judge(&ancient, &facts());
    assert!(!verdict.allowed);
    assert_eq!(verdict.response, Response::Ask);
    assert!(verdict.errors[0].contains("could not be put"), "{:?}", verdict.errors);
}

#[test]
fn all_changes_must_be_allowed() {
    let mut update = finding();
    update.call.verb = Verb::Update;
    update.changes = vec![Change::Repoint, Change::Enable];
    let verdict = SHIPPED.judge(&update, &facts());
    assert!(!verdict.allowed);
    assert!(verdict.reasons[0].contains("covers `repoint`"), "{:?}", verdict.reasons);
    assert_eq!(verdict.policies, ["disable-first"]);
    update.changes = vec![Change::Enable];
    assert!(SHIPPED.judge(&update, &facts()).allowed);
    update.changes.clear();
    update.detection = Detection::MappingRewired;
    assert!(!SHIPPED.judge(&update, &facts()).allowed);
}

#[test]
fn an_open_case_takes_the_allowlist_away() {
    let open = Facts { case_open: true, ..facts() };
    let verdict = SHIPPED.judge(&finding(), &open);
    assert!(!verdict.allowed);
    assert!(verdict.reasons[0].starts_with("the mapping has an open case"));
    assert_eq!(verdict.response, Response::Disable);
}

#[test]
fn without_a_baseline_an_update_is_asked_about() {
    let blind = Facts { baseline_known: false, ..facts() };
    let mut update = rogue();
    update.call.verb = Verb::Update;
    update.changes = vec![Change::Repoint];
    let set = rules(&format!("{SPREE}\n{FREEZE}"));
    let verdict = set.judge(&update, &blind);
    assert_eq!((verdict.response, verdict.restrict), (Response::Ask, false));
    assert!(verdict.reasons.iter().any(|reason| reason.contains("what the mapping was before is not known")));
    assert_eq!(set.judge(&update, &facts()).response, Response::Freeze);
    assert_eq!(set.judge(&rogue(), &blind).response, Response::Freeze, "a create has no past");
}

#[test]
fn a_forbid_caps_all_that_is_stronger() {
    let set = rules(&format!(
        "{FREEZE}\n@id(\"cap\") @reason(\"r\") forbid (principal, action == Action::\"disable\", resource);"
    ));
    let verdict = set.judge(&rogue(), &facts());
    assert_eq!(verdict.response, Response::Ask, "freezing disables too");
    assert_eq!(verdict.policies, ["ask-everywhere", "cap"]);
    let silent = rules("@id(\"cap\") @reason(\"r\") forbid (principal, action in Action::\"respond\", resource);");
    let verdict = silent.judge(&rogue(), &facts());
    assert_eq!(verdict.response, Response::Ask, "never silence");
    let notify = rules("@id(\"cap\") @reason(\"r\") forbid (principal, action == Action::\"ask\", resource);");
    assert_eq!(notify.judge(&rogue(), &facts()).response, Response::Notify);
}

#[test]
fn nothing_permitted_is_ask() {
    let set = load(&with_rules(
        "@id(\"allowlisted\") @reason(\"r\") permit (principal, action in Action::\"change\", resource) \
         when { context.allowlisted };",
    ));
    let verdict = set.judge(&rogue(), &facts());
    assert_eq!((verdict.allowed, verdict.response), (false, Response::Ask));
    assert_eq!(verdict.policies, [] as [String; 0]);
}

#[test]
fn a_rule_has_its_say_however_it_names_the_action() {
    for scope in [
        "action",
        "action == Action::\"create\"",
        "action in Action::\"change\"",
        "action in Action::\"create\"",
        "action in [Action::\"enable\", Action::\"change\"]",
    ] {
        let set = rules(&format!("@id(\"no\") @reason(\"r\") forbid (principal, {scope}, resource);"));
        let verdict = set.judge(&finding(), &facts());
        assert!(!verdict.allowed, "{scope}");
        assert!(verdict.policies.contains(&"no".to_owned()), "{scope}");
    }
    let elsewhere = rules("@id(\"no\") @reason(\"r\") forbid (principal, action == Action::\"enable\", resource);");
    assert!(elsewhere.judge(&finding(), &facts()).allowed);
}

#[test]
fn an_entry_alone_permits_nothing() {
    let set = load(&with_rules("@id(\"ask\") @reason(\"r\") permit (principal, action == Action::\"ask\", resource);"));
    let verdict = set.judge(&finding(), &facts());
    assert!(!verdict.allowed);
    assert_eq!(verdict.reasons[0], "entry orders-pipeline covers it, but no rule permits what an entry covers");
}

#[test]
fn a_restriction_needs_certainty() {
    let set = rules(SPREE);
    assert!(set.judge(&rogue(), &facts()).restrict);
    assert_eq!(set.judge(&rogue(), &facts()).policies, ["disable-first", "spree"]);
    let unconfirmed = Facts { confirmed: false, ..facts() };
    assert!(!set.judge(&rogue(), &unconfirmed).restrict);
    let mut through = rogue();
    through.actor.invoked_by = "cloudformation.amazonaws.com".to_owned();
    assert!(!set.judge(&through, &facts()).restrict);
    let mut nameless = rogue();
    nameless.actor.principal_arn.clear();
    assert!(!set.judge(&nameless, &facts()).restrict);
    assert!(!SHIPPED.judge(&rogue(), &facts()).restrict);
}

#[test]
fn the_protected_are_neither_restricted_nor_frozen() {
    let set = rules(&format!("{SPREE}\n{FREEZE}"));
    assert_eq!(set.judge(&rogue(), &facts()).response, Response::Freeze);
    let mut glass = rogue();
    glass.actor.principal_arn = "arn:aws:iam::111122223333:role/break-glass/admin".to_owned();
    let verdict = set.judge(&glass, &facts());
    assert_eq!((verdict.response, verdict.restrict), (Response::Disable, false));
    assert!(verdict.reasons.iter().any(|reason| reason.contains("protected")), "{:?}", verdict.reasons);
}

#[test]
fn origins() {
    let origin = |set: &PolicySet, account: &str| {
        let mut source = finding().call.source;
        source.account = account.to_owned();
        set.inventory.origin(&source, "111122223333")
    };
    assert_eq!(origin(&SHIPPED, "111122223333"), "same-account");
    assert_eq!(origin(&SHIPPED, "444455556666"), "organisation");
    assert_eq!(origin(&SHIPPED, "999988887777"), "foreign");
    assert_eq!(origin(&SHIPPED, ""), "unknown");
    let bare = load(&crate::policy::PolicyFiles {
        allowlist: SourceFile::new("allowlist.toml", ""),
        ..with_inventory("[functions.tier0]\nnames = [\"x\"]\n[teams]\noncall = [\"S01\"]\nsecurity = [\"S02\"]")
    });
    assert_eq!(origin(&bare, "999988887777"), "unknown");
    assert_eq!(origin(&bare, "111122223333"), "same-account");
}

#[test]
fn what_rules_see_is_what_happened() {
    let seen = |condition: &str, finding: &Finding| {
        let rule = format!(
            "@id(\"seen\") @reason(\"r\") forbid (principal, action in Action::\"change\", resource) when {{ {condition} }};"
        );
        let verdict = rules(&rule).judge(finding, &facts());
        assert_eq!(verdict.errors, [] as [String; 0], "{condition}");
        verdict.policies.iter().any(|id| id == "seen")
    };
    let condition = "context has sourceIp && context.sourceIp.isInRange(ip(\"203.0.113.0/24\")) && context.sourceHost == \"\" \
        && context.now == datetime(\"2026-11-24T12:00:00.987Z\") && context.eventTime < context.now \
        && principal.path == \"/\" && principal.name == \"dev\" && principal.sessionName == \"mallory\" \
        && principal in AccountGroup::\"workloads\" && resource in AccountGroup::\"workloads\" \
        && principal == Actor::\"arn:aws:iam::111122223333:role/dev\" && resource.source.kind == SourceKind::\"sqs\" \
        && resource.enabled && resource.function.name == \"orders-new\" && context.trigger == Trigger::\"event\"";
    assert!(seen(condition, &rogue()));
    assert!(seen(
        "!(context has sourceIp) && context.sourceHost == \"cloudformation.amazonaws.com\" && principal.path == \"/ci/\"",
        &finding()
    ));
    let mut elsewhere = rogue();
    elsewhere.account = "777766665555".to_owned();
    assert!(!seen("resource in AccountGroup::\"workloads\"", &elsewhere));
    let verdict = SHIPPED.judge(&elsewhere, &facts());
    assert!(verdict.reasons.contains(&"account 777766665555 is not in inventory.toml".to_owned()));
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let arn = prop_oneof![
        Just(DEPLOYER.to_owned()),
        Just(String::new()),
        "arn:aws:iam::(111122223333|444455556666):(role|user)/(terraform|ci|x)/[a-c*]{1,3}",
        ".{0,20}",
    ];
    let kinds = prop::sample::select(names::PRINCIPAL_KINDS.map(|(_, kind)| kind).to_vec());
    let changes = prop::sample::subsequence(names::CHANGES.map(|(_, change)| change).to_vec(), 0..=3);
    let text = || prop_oneof![Just(String::new()), Just("orders-new".to_owned()), ".{0,12}"];
    (arn, kinds, changes, text(), text(), text(), text()).prop_map(|(arn, kind, changes, a, b, c, d)| {
        let mut finding = finding();
        finding.actor.principal_arn = arn;
        finding.actor.kind = kind;
        finding.changes = changes;
        finding.call.function.name = a;
        finding.call.source.name = b;
        finding.actor.source_ip = c;
        finding.actor.session_name = d;
        finding
    })
}

static STRANGERS: LazyLock<PolicySet> = LazyLock::new(|| {
    let never = "[[allow]]\nid = \"never\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-06-30\n\
        principal = \"arn:aws:iam::000000000000:role/nobody/at-all-*\"\n";
    load(&with_allowlist(&format!("{ALLOWLIST}\n{never}")))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn who_no_entry_is_for_is_never_allowed(finding in any_finding()) {
        let verdict = SHIPPED.judge(&finding, &facts());
        let ours = finding.actor.principal_arn == DEPLOYER || finding.actor.principal_arn.contains(":role/terraform/");
        prop_assert!(ours || !verdict.allowed, "{:?}", verdict);
        prop_assert!(verdict.allowed || verdict.response != Response::Leave);
        prop_assert!(verdict.errors.is_empty() || (!verdict.allowed && verdict.response == Response::Ask));
        prop_assert!(!verdict.reasons.is_empty());
    }

    #[test]
    fn an_entry_for_somebody_else_changes_nothing(finding in any_finding()) {
        let (mut with, without) = (STRANGERS.judge(&finding, &facts()), SHIPPED.judge(&finding, &facts()));
        with.policy_digest.clone_from(&without.policy_digest);
        prop_assert_eq!(with, without);
    }
}
