#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::*;
use crate::policy::fixtures::{INVENTORY, RULES, facts, load, problems, rogue, shipped, with_inventory, with_rules};
use std::sync::LazyLock;

static SHIPPED: LazyLock<PolicySet> = LazyLock::new(|| load(&shipped()));

const ALICE: &str = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_SecOps_0123456789abcdef/alice@example.com";

fn may(set: &PolicySet, who: &Person, actions: &[ApproveAction], caused: bool) -> Permission {
    set.may(who, actions, &rogue(), caused, true, facts().now)
}

#[test]
fn a_session_is_its_person() {
    let alice = SHIPPED.person(ALICE);
    assert_eq!((alice.id.as_str(), alice.email.as_str()), ("alice", "alice@example.com"));
    assert_eq!(alice.teams, ["security"]);
    let other = SHIPPED.person(&ALICE.replace("alice@", "bob@"));
    assert_eq!(other.id, "arn:aws:iam::111122223333:role/AWSReservedSSO_SecOps_0123456789abcdef");
    assert!(other.teams.is_empty() && other.email.is_empty());
}

#[test]
fn an_unlinked_role_is_one_person() {
    let by = |session: &str| SHIPPED.person(&format!("arn:aws:sts::111122223333:assumed-role/SecurityOps/{session}"));
    assert_eq!(by("a"), by("b"));
    assert_eq!(by("a").id, "arn:aws:iam::111122223333:role/SecurityOps");
    assert_eq!(by("a").teams, ["security"]);
    let elsewhere = SHIPPED.person("arn:aws:sts::444455556666:assumed-role/SecurityOps/a");
    assert!(elsewhere.teams.is_empty());
    assert_eq!(SHIPPED.person("arn:aws:iam::111122223333:user/x/bob").id, "arn:aws:iam::111122223333:user/x/bob");
    assert_eq!(SHIPPED.person("nonsense").id, "nonsense");
    assert!(SHIPPED.person("").teams.is_empty());
}

#[test]
fn a_session_fits_closer_than_a_role() {
    let set = load(&with_inventory(&format!(
        "{INVENTORY}\n[people.bob]\naws = [\"arn:aws:sts::111122223333:assumed-role/Ops/bob\"]\n\
         [people.aaron]\naws = [\"arn:aws:iam::111122223333:role/Ops\"]\n"
    )));
    assert_eq!(set.person("arn:aws:sts::111122223333:assumed-role/Ops/bob").id, "bob");
    assert_eq!(set.person("arn:aws:sts::111122223333:assumed-role/Ops/eve").id, "aaron");
}

#[test]
fn a_teams_role_is_never_read_as_a_session() {
    let set = load(&with_inventory(&INVENTORY.replace("role/SecurityOps\"", "role/teams/SecurityOps\"")));
    let teams = |arn: &str| set.person(arn).teams;
    assert_eq!(teams("arn:aws:sts::111122223333:assumed-role/SecurityOps/x"), ["security"]);
    assert!(teams("arn:aws:sts::111122223333:assumed-role/teams/SecurityOps").is_empty());
}

#[test]
fn who_caused_it() {
    let alice = SHIPPED.person(ALICE);
    let dev = SHIPPED.person("arn:aws:sts::111122223333:assumed-role/dev/somebody-else");
    let ops = SHIPPED.person("arn:aws:sts::111122223333:assumed-role/SecurityOps/mallory");
    let mut finding = rogue();
    assert!(SHIPPED.caused(&dev, &finding), "the same role, whatever the session");
    assert!(!SHIPPED.caused(&ops, &finding) && !SHIPPED.caused(&alice, &finding));
    finding.actor.session_name = "Alice@Example.com".to_owned();
    assert!(SHIPPED.caused(&alice, &finding), "her e-mail as the session of another role");
    finding.actor.principal_arn = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/\
        AWSReservedSSO_SecOps_0123456789abcdef"
        .to_owned();
    assert!(SHIPPED.caused(&alice, &finding));
    finding.actor.session_name = "carol@example.com".to_owned();
    assert!(!SHIPPED.caused(&alice, &finding), "another session of the role that she uses");
    let mut nameless = rogue();
    nameless.actor.principal_arn.clear();
    assert!(SHIPPED.caused(&dev, &nameless), "the session's own ARN still tells the role");
}

#[test]
fn permissions_add_up_to_the_larger_quorum() {
    use ApproveAction::{Delete, Leave, Lift, Restrict};
    let alice = SHIPPED.person(ALICE);
    let delete = may(&SHIPPED, &alice, &[Delete], false);
    assert!(delete.permitted && !delete.confirm_aws && delete.errors.is_empty());
    assert_eq!((delete.approvals, delete.policies.as_slice()), (1, ["security-decides".to_owned()].as_slice()));
    let both = may(&SHIPPED, &alice, &[Delete, Restrict], false);
    assert!(both.permitted);
    assert_eq!(both.approvals, 2);
    assert_eq!(may(&SHIPPED, &alice, &[Lift], false).approvals, 2);
    let own = may(&SHIPPED, &alice, &[Leave], true);
    assert!(!own.permitted);
    assert_eq!(own.policies, ["not-your-own"]);
    assert_eq!(own.reasons, ["leave is not permitted by rule not-your-own: nobody decides on what they caused"]);
    assert!(!may(&SHIPPED, &alice, &[], false).permitted, "nothing asked, nothing permitted");
    let nobody = Person { id: String::new(), email: String::new(), teams: vec!["security".to_owned()] };
    assert!(!may(&SHIPPED, &nobody, &[Delete], false).permitted);
}

#[test]
fn a_stranger_may_nothing() {
    let stranger = SHIPPED.person("arn:aws:sts::111122223333:assumed-role/dev/x");
    for (word, action) in APPROVALS {
        let permission = may(&SHIPPED, &stranger, &[action], false);
        assert!(!permission.permitted && permission.policies.is_empty(), "{word}");
        assert_eq!(permission.reasons, [format!("no rule lets arn:aws:iam::111122223333:role/dev decide {word}")]);
    }
}

#[test]
fn confirmation_and_errors() {
    let confirm = "@id(\"x\") @reason(\"r\") @confirm(\"aws\") @approvals(\"3\")\n\
        permit (principal == Approver::\"alice\", action == Action::\"approve.delete\", resource);";
    let set = load(&with_rules(&format!("{RULES}\n{confirm}")));
    let permission = may(&set, &set.person(ALICE), &[ApproveAction::Delete], false);
    assert!(permission.permitted && permission.confirm_aws);
    assert_eq!(permission.approvals, 3, "the largest of all that permit");
    // The mapping's account is an entity with no attribute to fail on, so an error is made by a number.
    let errs = "@id(\"x\") @reason(\"r\") forbid (principal, action in Action::\"approve\", resource) \
        when { context.now.toTime().toMilliseconds() + 9223372036854775807 > 0 };";
    let set = load(&with_rules(&format!("{RULES}\n{errs}")));
    let permission = may(&set, &set.person(ALICE), &[ApproveAction::Delete], false);
    assert!(!permission.permitted && !permission.errors.is_empty());
}

#[test]
fn mistakes_of_the_inventory_are_told_where_they_stand() {
    for (text, expected) in [
        ("[acounts]", "1:2: error: unknown key `acounts`; did you mean `accounts`?"),
        ("[accounts]\n", "1:1: error: `[accounts]` lists no account"),
        ("[accounts]\n\"1\" = {}", "2:1: error: `1` is no account; an account has twelve digits"),
        (
            "[accounts]\n\"111122223333\" = { grups = [\"x\"] }",
            "2:20: error: unknown key `grups`; did you mean `groups`?",
        ),
        ("[accounts]\n\"111122223333\" = \"x\"", "2:18: error: account 111122223333 must be a table, not a string"),
        ("[functions.x]\n", "1:12: error: function group `x` has no `names`"),
        ("[functions.x]\nnames = [\"a:b\"]", "2:10: error: `a:b` is no function's name"),
        ("[protected]\nprincipals = [\"role/x\"]", "2:15: error: `role/x` is no ARN"),
        ("[people.a]\nslack = \"alice\"", "2:9: error: `alice` is no Slack user id"),
        ("[people.a]\nemail = \"alice\"", "2:9: error: `alice` is no e-mail address"),
        ("[people.a]\naws = [\"alice\"]", "2:8: error: `alice` names no role, session or user"),
        ("[people.a]\nslack = \"U01\"\n[people.b]\nslack = \"U01\"", "4:9: error: `U01` is already `a`'s"),
        (
            "[people.a]\naws = [\"arn:aws:iam::111122223333:role/x/y\"]",
            "2:8: warning: `arn:aws:iam::111122223333:role/x/y` may be a role with a path",
        ),
        (
            "[people.alice]\nslack = \"U01\"\n[teams]\nt = [\"alise\"]",
            "4:6: error: `alise` is nobody in [people]; did you mean `alice`?",
        ),
        ("[teams]\nt = [\"arn:aws:iam::1:role/x\"]", "2:6: error: `arn:aws:iam::1:role/x` names no role or user"),
        ("[teams]\nt = []", "2:5: error: `t` is an empty list"),
        ("[teams]\nt = \"S01\"", "2:5: error: `t` must be a list of strings, not a string; write t = [\"S01\"]"),
    ] {
        let told = problems(&with_inventory(text), "inventory.toml");
        let expected = format!("inventory.toml:{expected}");
        assert!(told.iter().any(|told| told.starts_with(&expected)), "{text}\nexpected {expected}\ngot {told:#?}");
    }
}
