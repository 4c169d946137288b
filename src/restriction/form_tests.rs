#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;
use crate::restriction::{RestrictionEvent, RestrictionId};
use jiff::Timestamp;

const PEOPLE: &str = r#"{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}]}"#;
const LAMBDA: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}}"#;
const GITHUB: &str =
    r#"{"Statement": [{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/x"}}]}"#;

struct Ask {
    whose: Whose,
    principal: Principal,
    actor: Actor,
    case: CaseId,
    means: Means,
    standing: Standing,
    held: Vec<Restriction>,
}

fn ask(mode: Mode, arn: &str, session: &str, trust: &str) -> Ask {
    let kind = if arn.contains(":user/") { PrincipalKind::IamUser } else { PrincipalKind::AssumedRole };
    Ask {
        whose: Whose::Caller,
        principal: Principal::parse(arn, if kind == PrincipalKind::IamUser { "AIDAX" } else { "AROAX" }).unwrap(),
        actor: Actor { kind, session_name: session.into(), ..Actor::default() },
        case: "sg-aaaaaaaaaaaaaaaa".parse().unwrap(),
        means: Means { mode, ..Means::default() },
        standing: Standing { trust: trust.into(), ..Standing::default() },
        held: Vec::new(),
    }
}

impl Ask {
    fn form(&self) -> Result<Form, ByHand> {
        let wanted = Wanted {
            whose: self.whose,
            principal: &self.principal,
            actor: &self.actor,
            function: "exfil",
            case: &self.case,
            means: &self.means,
            standing: &self.standing,
            held: &self.held,
        };
        wanted.form()
    }

    fn deny(&self) -> (Option<String>, bool, String) {
        let form = self.form().unwrap();
        let Call::PutPolicy { deny, .. } = &form.steps[0].call else { panic!("{form:?}") };
        (deny.user_id.clone(), deny.issued_before.is_some(), form.reach)
    }
}

const ROLE: &str = "arn:aws:iam::111122223333:role/people/dev";

#[test]
fn the_narrowest_denial_that_holds() {
    let named = Some("AROAX:mallory".to_owned());
    let of = |session: &str, trust: &str| {
        let (user_id, cut, _) = ask(Mode::Session, ROLE, session, trust).deny();
        (user_id, cut)
    };
    assert_eq!(of("mallory", PEOPLE), (named.clone(), true));
    assert_eq!(of("mallory", LAMBDA), (named.clone(), false));
    assert_eq!(of("mallory", GITHUB), (named.clone(), false));
    // What cannot be read is held by the form that holds for all.
    assert_eq!(of("mallory", "?"), (named, false));
    assert_eq!(of("i-0123456789abcdef0", PEOPLE), (Some("AROAX:i-0123456789abcdef0".into()), false));
    for nameless in ["", "x", "two words", "*"] {
        assert_eq!(of(nameless, LAMBDA), (None, true), "{nameless:?}");
    }
    let mut run = ask(Mode::Session, ROLE, "mallory", PEOPLE);
    run.whose = Whose::Execution;
    let (user_id, cut, reach) = run.deny();
    assert_eq!((user_id.as_deref(), cut), (Some("AROAX:exfil"), false));
    assert!(reach.starts_with("every run of function exfil as role dev"), "{reach}");
    run.whose = Whose::CallerWhole;
    let form = run.form().unwrap();
    assert!(matches!(&form.steps[0].call, Call::PutPolicy { name, deny, .. }
        if name == "Sluicegate-sg-aaaaaaaaaaaaaaaa-role" && *deny == Deny::default()));
}

#[test]
fn a_cap_is_of_the_principals_partition_and_account() {
    let cap = |arn: &str| {
        let form = ask(Mode::Cap, arn, "m", PEOPLE).form().unwrap();
        let Call::AttachPolicy { policy_arn, .. } = form.steps[0].call.clone() else { panic!("{form:?}") };
        policy_arn
    };
    assert_eq!(cap(ROLE), DENY_ALL);
    assert_eq!(cap("arn:aws-cn:iam::111122223333:role/dev"), "arn:aws-cn:iam::aws:policy/AWSDenyAll");
    let mut other = ask(Mode::Cap, ROLE, "m", PEOPLE);
    other.means.cap_policy = "arn:aws:iam::999988887777:policy/x".into();
    assert!(other.form().unwrap_err().why.contains("of another account"));
    let mut there = ask(Mode::Cap, ROLE, "m", PEOPLE);
    there.standing.attached = vec![DENY_ALL.into()];
    assert!(there.form().unwrap_err().why.contains("not by sluicegate"));
}

#[test]
fn what_another_case_has_put_on_is_joined_where_it_reaches_as_far() {
    let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
    let mut first = ask(Mode::Session, ROLE, "mallory", PEOPLE);
    let step = first.form().unwrap().steps.remove(0);
    let call = step.call.decided(at(0));
    let id = RestrictionId::of(step.step, &call);
    let claimed = RestrictionEvent::Claimed {
        case_id: first.case.clone(),
        principal: first.principal.clone(),
        step: step.step,
        call: call.clone(),
        undo: None,
    };
    let on = Restriction::fold(&id, [(&claimed, at(0)), (&RestrictionEvent::Applied, at(1))]).unwrap().unwrap();
    first.held = vec![on];
    first.case = "sg-bbbbbbbbbbbbbbbb".parse().unwrap();
    first.actor.issued_at = Some(at(-60));
    assert_eq!(first.form().unwrap().steps[0].call, call);
    // A session that was begun later is not covered by it.
    first.actor.issued_at = Some(at(60));
    let own = first.form().unwrap().steps.remove(0).call;
    assert!(matches!(&own, Call::PutPolicy { name, .. } if name.ends_with("bbbbbbbbbbbbbbbb")));
    assert_eq!(RestrictionId::of(step.step, &own), id);
    assert_ne!(RestrictionId::apart(step.step, &own), id);
    // The id is of a principal, not of a name.
    let mut anew = ask(Mode::Session, ROLE, "mallory", PEOPLE);
    anew.principal.id = "AROAY".into();
    assert_ne!(RestrictionId::of(step.step, &anew.form().unwrap().steps[0].call), id);
}

#[test]
fn a_user_is_denied_before_its_keys_go() {
    let mut eve = ask(Mode::Session, "arn:aws:iam::111122223333:user/eve", "", "");
    eve.standing.keys = vec![AccessKey { id: "K1".into(), active: true }, AccessKey { id: "K2".into(), active: false }];
    let kinds: Vec<_> = eve.form().unwrap().steps.iter().map(|step| step.step.name()).collect();
    assert_eq!(kinds, ["deny_principal", "deactivate_keys"]);
    let Call::SetAccessKeys { keys, active: false, .. } = eve.form().unwrap().steps.remove(1).call else { panic!() };
    assert_eq!(keys, ["K1"]);
    eve.standing.inline_size = 2_000;
    let full = eve.form().unwrap();
    assert_eq!(full.steps.len(), 1);
    assert!(matches!(full.steps[0].call, Call::AttachPolicy { .. }) && full.reach.contains("2000 of 2048"), "{full:?}");
}

#[test]
fn documents_are_what_iam_is_given() {
    let session = ask(Mode::Session, ROLE, "mallory", PEOPLE).form().unwrap().steps.remove(0).call;
    let Call::PutPolicy { deny, .. } = session.decided("2026-11-24T03:29:59.4Z".parse().unwrap()) else { panic!() };
    let written = concat!(
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"Sluicegate","Effect":"Deny","Action":"*","Resource":"*","#,
        r#""Condition":{"StringEquals":{"aws:userid":"AROAX:mallory"},"#,
        r#""DateLessThan":{"aws:TokenIssueTime":"2026-11-24T03:30:00Z"}}}]}"#
    );
    assert_eq!(deny.document().unwrap(), written);
    let whole =
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"Sluicegate","Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    assert_eq!(Deny::default().document().unwrap(), whole);
    assert!(deny.document().unwrap().len() < 260);
}
