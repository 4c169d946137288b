//! Every state of a case, and every set of decisions.

use crate::common::{ACCOUNT, QUEUE, REGION, key};
use crate::story::{Names, Story, finding, read, start};
use jiff::SignedDuration;
use sluicegate::case::{
    CallLine, CaseEvent, CodeKept, Decision, Evidence, FunctionFacts, History, Looked, Mode, Outcome,
};
use sluicegate::case::{Processed, Provenance, Reminder, SourceFacts};
use sluicegate::containment::{Call, Observation, StepKind};
use sluicegate::detection::{Change, Detection};
use sluicegate::mapping::Baseline;
use sluicegate::policy::Response;
use sluicegate::restriction::{Cutoff, Deny, Effect, Offer, OfferedStep, Principal, Strength, Whose};

/// Each story under its name.
pub fn stories(names: &Names) -> Vec<(&'static str, Story)> {
    [at_work(names), waiting(names), decided(names), closed(names), observed(names)].into_iter().flatten().collect()
}

fn told(mut story: Story, tell: impl FnOnce(&mut Story)) -> Story {
    tell(&mut story);
    story
}

/// All that the evidence can say.
pub fn evidence(story: &mut Story) {
    let names = story.names.clone();
    let text = || names.words.clone();
    let line = |n: i64| CallLine {
        at: start() - SignedDuration::from_mins(n),
        what: "lambda:CreateFunction20150331".into(),
        on: names.function.clone(),
        error: if n % 2 == 0 { "AccessDenied".into() } else { String::new() },
        event_id: format!("e{n}"),
        by: if n == 3 { names.session.clone() } else { String::new() },
    };
    story.learn(Evidence::Function(Box::new(FunctionFacts {
        arn: names.function.clone(),
        role: format!("arn:aws:iam::{ACCOUNT}:role/exfil-role"),
        code_sha256: "4MHj5sU9T0Tn0nyM0zuQ0F9w2cQ8fXw5d6m3yqk1Z0A=".into(),
        runtime: "python3.13".into(),
        last_modified: "2026-11-24T08:21:00.000+0000".into(),
        tags: vec![(text(), text())],
        invokers: vec!["arn:aws:iam::999900001111:root".into(), text()],
        same_account: Some(true),
        shared_tags: vec![("team".into(), text())],
        changed_by_actor: vec![line(9)],
        made_by_actor: true,
    })));
    story.learn(Evidence::Source(Box::new(SourceFacts {
        arn: names.source.clone(),
        same_account: Some(true),
        tags: vec![],
        sensitive: vec![("classification".into(), "confidential".into()), (text(), text())],
        tags_unknown: text(),
        retention_s: Some(345_600),
        retention_from: "SQS: MessageRetentionPeriod".into(),
    })));
    let place = format!("/var/lib/sluicegate/code/{}", names.words);
    story.learn(Evidence::CodeKept(CodeKept { sha256: "ab".repeat(32), bytes: 52_143, place, differs: text() }));
    story.learn(Evidence::History(Box::new(History {
        since: start() - SignedDuration::from_hours(24),
        calls: (1..=8).map(line).collect(),
        more: true,
        began_sessions: vec![format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/{}", names.session)],
        query: "SELECT 1".into(),
        unread: vec![text()],
    })));
    story.learn(Evidence::Processed(Box::new(Processed {
        from: start(),
        until: Some(start() + SignedDuration::from_secs(4)),
        looked_at: vec![
            Looked { at: "LastProcessingResult".into(), said: "absent, as always for SQS".into(), processed: None },
            Looked { at: "AWS/Lambda Invocations".into(), said: text(), processed: Some(false) },
        ],
        settled: false,
    })));
    story.learn(Evidence::Unknown { what: "policy".into(), why: text() });
}

/// What can be done about the caller and the function's role.
pub fn offers(story: &mut Story) {
    let names = story.names.clone();
    let role = Principal::parse(&names.role, "AROAEXAMPLEEXAMPLE000").unwrap_or_else(|| {
        Principal::parse(&format!("arn:aws:iam::{ACCOUNT}:role/intern"), "AROAEXAMPLEEXAMPLE000").unwrap()
    });
    let name = format!("Sluicegate-{}", story.case().id.as_str().trim_start_matches("sg-"));
    let deny = Deny {
        user_id: Some(format!("AROAEXAMPLEEXAMPLE000:{}", names.session)),
        issued_before: Some(Cutoff::Decision),
    };
    let put = Call::PutPolicy { principal: role.clone(), name, deny };
    story.learn(Evidence::Credentials {
        whose: Whose::Caller,
        offer: Box::new(Offer::Restrict {
            principal: role,
            steps: vec![OfferedStep { step: StepKind::RevokeSession, call: put }],
            reach: format!("every session named {} of role intern issued before the decision", names.session),
            strength: Strength::Weak { could: vec!["iam:DeleteRolePolicy".into(), "sts:AssumeRole".into()] },
        }),
    });
    let execution =
        Principal::parse(&format!("arn:aws:iam::{ACCOUNT}:role/exfil-role"), "AROAEXECUTION00000000").unwrap();
    let attach =
        Call::AttachPolicy { principal: execution.clone(), policy_arn: "arn:aws:iam::aws:policy/AWSDenyAll".into() };
    story.learn(Evidence::Credentials {
        whose: Whose::Execution,
        offer: Box::new(Offer::Restrict {
            principal: execution,
            steps: vec![OfferedStep { step: StepKind::CapPrincipal, call: attach }],
            reach: "everything that runs as role exfil-role".into(),
            strength: Strength::Strong { why: "it may do nothing in IAM".into() },
        }),
    });
}

fn at_work(names: &Names) -> Vec<(&'static str, Story)> {
    let new = || Story::new(names);
    let tampered = told(new(), |story| {
        story.disabled();
        story.tell(CaseEvent::Tampered {
            id: 1,
            seen: Observation::Mapping { snapshot: read(names, "Enabled").into() },
        });
    });
    let stuck = told(new(), |story| {
        story.failing(StepKind::DisableMapping, false).ask("stuck: AccessDeniedException");
    });
    vec![("containing", new()), ("undone by somebody", tampered), ("stuck", stuck)]
}

fn waiting(names: &Names) -> Vec<(&'static str, Story)> {
    let ask = |change: fn(&mut sluicegate::case::Opened)| Story::with(names, Response::Ask, change);
    let disabled = |tell: fn(&mut Story)| {
        told(Story::new(names), |story| {
            story.disabled();
            tell(story);
        })
    };
    vec![
        ("disabled", disabled(|_| {})),
        ("disabled, all known", disabled(|story| [evidence, offers].iter().for_each(|learn| learn(story)))),
        ("disabled, by hand", disabled(by_hand)),
        ("disabled, everything at once", disabled(everything)),
        ("disabled, votes", disabled(votes)),
        ("disabled, made again", disabled(again)),
        (
            "disabled, nobody decided",
            disabled(|story| {
                lapse(story, false);
                story.tell(CaseEvent::Closed { outcome: Outcome::Contained, baseline: None });
            }),
        ),
        (
            "runs",
            told(ask(|_| {}), |story| {
                story.ask("policy lets a person decide");
            }),
        ),
        (
            "runs, nobody decided",
            told(ask(|_| {}), |story| {
                story.ask("policy lets a person decide");
                lapse(story, true);
            }),
        ),
        (
            "not confirmed",
            told(
                Story::with(names, Response::Disable, |opened| {
                    opened.provenance = Provenance::Refuted { why: "CloudTrail has no such record".into() };
                }),
                |story| {
                    story.ask("CloudTrail has no such record");
                },
            ),
        ),
        (
            "not found",
            told(ask(|opened| (opened.mapping, opened.snapshot) = (None, None)), |story| {
                story.ask("the mapping was not found");
            }),
        ),
        (
            "gone",
            told(Story::new(names), |story| {
                story.learn(Evidence::MappingGone { looked_at: "GetEventSourceMapping".into() });
                offers(story);
                story.ask("the mapping is gone: it was deleted before it could be disabled");
            }),
        ),
        (
            "dormant",
            told(
                Story::with(names, Response::Ask, |opened| {
                    opened.finding.call.enabled = Some(false);
                    if let Some(snapshot) = &mut opened.snapshot {
                        snapshot.state = "Disabled".into();
                    }
                }),
                |story| {
                    story.ask("policy lets a person decide");
                },
            ),
        ),
        (
            "repointed by terraform",
            told(Story::with(names, Response::Ask, repointed), |story| {
                story.ask("policy lets a person decide");
            }),
        ),
        (
            "frozen, not disabled",
            told(Story::with(names, Response::Freeze, |_| {}), |story| {
                story.step(StepKind::FreezeFunction).failing(StepKind::DisableMapping, true);
                story.ask("disable_mapping was refused for good");
            }),
        ),
    ]
}

fn repointed(opened: &mut sluicegate::case::Opened) {
    opened.finding.detection = Detection::MappingRepointed;
    opened.finding.changes = vec![Change::Repoint, Change::Enable];
    opened.finding.actor.user_agent = "APN/1.0 HashiCorp/1.0 Terraform/1.13.1".into();
    let text = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders:live");
    opened.baseline = Some(Box::new(Baseline {
        function: sluicegate::mapping::FunctionRef::parse(&text, "aws", REGION, ACCOUNT),
        source: sluicegate::mapping::SourceRef::from_arn(QUEUE),
        enabled: true,
        wiring: sluicegate::mapping::Wiring::default(),
        since: start(),
        accepted_by: "the sweep".into(),
        found_at: None,
    }));
}

fn everything(story: &mut Story) {
    evidence(story);
    by_hand(story);
    offers(story);
    again(story);
    for n in 0..12 {
        let person = format!("{n} {}", story.names.person);
        story.vote(&person, Decision::Delete, 20);
    }
    story.tell(CaseEvent::Reminded { reminder: Reminder::Waiting { nth: 1 } });
}

fn by_hand(story: &mut Story) {
    let offer = Offer::ByHand {
        why: "IAM does not let roles of Identity Center be changed".into(),
        how: vec![format!("Deny identitystore:userId of {}", story.names.session), "Delete the portal sessions".into()],
    };
    story.learn(Evidence::Credentials { whose: Whose::Caller, offer: Box::new(offer) });
}

fn votes(story: &mut Story) {
    offers(story);
    let person = story.names.person.clone();
    story.vote(&person, Decision::Delete, 2);
    let vote = story.ballot("bob", Decision::DeleteRestrict, 2);
    story.tell(CaseEvent::ConfirmationAsked { vote, code: "SECRET-CODE".into() });
}

fn again(story: &mut Story) {
    for n in 0..3 {
        let mut found = finding(&story.names, &format!("again-{n}"));
        found.event.time = start() + SignedDuration::from_mins(n + 1);
        let verdict = crate::common::verdict(Response::Disable);
        let provenance = Provenance::Verified;
        story.tell(CaseEvent::Joined { finding: Box::new(found), verdict: Box::new(verdict), provenance });
    }
    story.tell(CaseEvent::Reminded { reminder: Reminder::Again { findings: 3 } });
}

fn lapse(story: &mut Story, runs: bool) {
    story.tell(CaseEvent::Reminded { reminder: Reminder::Waiting { nth: 1 } });
    let lost_from = start() + SignedDuration::from_hours(96);
    story.tell(CaseEvent::Reminded { reminder: Reminder::LossAhead { lost_from } });
    story.tell(CaseEvent::Expired { verdict: runs.then(|| Box::new(crate::common::verdict(Response::Ask))) });
    story.tell(CaseEvent::Reminded { reminder: Reminder::Lapsed });
}

fn decided(names: &Names) -> Vec<(&'static str, Story)> {
    let acting = |decision: Decision| {
        told(Story::new(names), |story| {
            story.disabled();
            offers(story);
            story.approve(decision);
        })
    };
    let deleted = told(Story::new(names), |story| {
        story.disabled().decide(Decision::Delete).ask("somebody looks again");
    });
    let contained = told(Story::with(names, Response::Ask, |_| {}), |story| {
        story.ask("policy lets a person decide").decide(Decision::Freeze);
        story.ask("contained as alice decided: keep it so, or restore it");
    });
    vec![
        ("deleting", acting(Decision::Delete)),
        ("deleting and restricting", acting(Decision::DeleteRestrict)),
        ("restoring", acting(Decision::Restore)),
        ("deleted, waiting", deleted),
        ("frozen as decided", contained),
    ]
}

fn closed(names: &Names) -> Vec<(&'static str, Story)> {
    let closed = |decision: Decision, outcome: Outcome| {
        told(Story::new(names), |story| {
            story.disabled();
            offers(story);
            story.decide(decision).tell(CaseEvent::Closed { outcome, baseline: None });
        })
    };
    let restricted = |effect: Effect| {
        let mut story = closed(Decision::DeleteRestrict, Outcome::Removed);
        let step = story.case().restrictions().next().unwrap().id;
        story.learn(Evidence::Restricted { step, effect });
        story
    };
    let notified = told(Story::with(names, Response::Notify, |_| {}), |story| {
        story.tell(CaseEvent::Closed { outcome: Outcome::Notified, baseline: None });
    });
    let left = told(Story::with(names, Response::Ask, |_| {}), |story| {
        story.ask("policy lets a person decide").decide(Decision::Leave);
        story.tell(CaseEvent::Closed { outcome: Outcome::Left, baseline: None });
    });
    let gone = told(Story::new(names), |story| {
        story.learn(Evidence::MappingGone { looked_at: "GetEventSourceMapping".into() });
        story.ask("the mapping is gone").decide(Decision::Keep);
        story.tell(CaseEvent::Closed { outcome: Outcome::Removed, baseline: None });
    });
    let effective = Effect::Effective { by: "a call by the session was denied at 08:31".into() };
    let tampered = Effect::Tampered { seen: names.words.clone() };
    let mut recreated = closed(Decision::Delete, Outcome::Removed);
    recreate(&mut recreated);
    let mut again = closed(Decision::Delete, Outcome::Removed);
    recreate(&mut again);
    again.step(StepKind::DisableMapping).tell(CaseEvent::Closed { outcome: Outcome::Contained, baseline: None });
    vec![
        ("made again after removal", recreated),
        ("made again after removal, disabled", again),
        ("kept", closed(Decision::Keep, Outcome::Contained)),
        ("removed", closed(Decision::Delete, Outcome::Removed)),
        ("removed and restricted", closed(Decision::DeleteRestrict, Outcome::Removed)),
        ("removed and restricted, effective", restricted(effective)),
        ("removed and restricted, tampered with", restricted(tampered)),
        ("restored", closed(Decision::Restore, Outcome::Restored)),
        ("left", left),
        ("notified", notified),
        ("gone, closed", gone),
    ]
}

/// The pair that was removed is made again, under another UUID.
fn recreate(story: &mut Story) {
    let mut mapping = key(2);
    mapping.uuid = crate::common::uuid(2);
    let mut snapshot = read(&story.names, "Enabled");
    snapshot.uuid.clone_from(&mapping.uuid);
    story.tell(CaseEvent::Recreated {
        finding: Box::new(finding(&story.names, "made-again")),
        verdict: Box::new(crate::common::verdict(Response::Disable)),
        mapping,
        snapshot: Box::new(snapshot),
    });
}

fn observed(names: &Names) -> Vec<(&'static str, Story)> {
    let story = |would: bool| {
        told(
            Story::with(names, Response::Disable, |opened| {
                opened.mode = Mode::Observe;
                let snapshot = opened.snapshot.as_ref().unwrap();
                if would {
                    opened.would_do.extend(StepKind::DisableMapping.call(&key(1), snapshot));
                }
            }),
            |story| {
                story.tell(CaseEvent::Closed { outcome: Outcome::Observed, baseline: None });
            },
        )
    };
    let rated = told(story(true), |story| {
        let person = story.names.person.clone();
        story.tell(CaseEvent::Rated { person, right: true });
        story.tell(CaseEvent::Rated { person: "bob".into(), right: false });
    });
    vec![("observed", story(true)), ("observed, asked only", story(false)), ("observed, rated", rated)]
}
