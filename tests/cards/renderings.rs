//! Everything that is sent to Slack, for all stories.

use crate::stories::stories;
use crate::story::{Names, start};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sluicegate::case::{Case, Decision, Reminder, plans_for};
use sluicegate::ports::Message;
use sluicegate::slack::card::{self, About, Cost, Deciders};

pub fn about(words: &str) -> About {
    let deciders = |decision: Decision| Deciders {
        decision,
        people: if matches!(decision, Decision::Delete | Decision::DeleteRestrict) { 2 } else { 1 },
        who: vec!["security".into(), words.to_owned()],
        confirm: decision == Decision::DeleteRestrict,
    };
    About {
        cost: Some(Cost {
            words: vec!["messages wait in the queue".into(), format!("after 4 days they are gone ({words})")],
            lost_from: Some(start() + SignedDuration::from_hours(96)),
            half_at: Some(start() + SignedDuration::from_hours(48)),
        }),
        deciders: Decision::ALL.map(deciders).to_vec(),
    }
}

pub fn as_json(message: &Message) -> Value {
    let metadata = message.metadata.as_ref().map(|metadata| {
        json!({
            "event_type": metadata.event_type,
            "event_payload": {"case_id": metadata.case_id, "seq": metadata.seq},
        })
    });
    json!({"text": message.text, "blocks": message.blocks, "metadata": metadata})
}

/// All that is rendered of these names, each under a name of its own.
pub fn renderings(names: &Names) -> Vec<(String, Value)> {
    let about = about(&names.words);
    let mut all = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    for (name, story) in stories(names) {
        let case = story.case();
        all.push((name.to_owned(), as_json(&card::card(case, &about))));
        for decision in [Decision::DeleteRestrict, Decision::Lift] {
            let modal = card::modal(case, &plans_for(case, decision), &about);
            all.extend(modal.map(|modal| (format!("{name}, dialog {decision}"), modal)));
        }
        let thread = card::audit(&case.id, 0, &story.events);
        let thread = thread.iter().enumerate();
        all.extend(thread.map(|(at, message)| (format!("{name}, thread {at}"), as_json(message))));
        cases.push(case.clone());
    }
    let first = &cases[0];
    for reminder in [
        Reminder::Waiting { nth: 2 },
        Reminder::LossAhead { lost_from: start() },
        Reminder::Again { findings: 3 },
        Reminder::Lapsed,
    ] {
        all.push((format!("{reminder:?}"), as_json(&card::reminder(first, &reminder))));
    }
    let observed: Vec<Case> = cases.iter().filter(|case| !case.acts()).cycle().take(40).cloned().collect();
    all.push(("digest".into(), as_json(&card::digest(&observed, "2026-11-24".parse().unwrap()))));
    all.push(("digest of nothing".into(), as_json(&card::digest(&[], "2026-11-24".parse().unwrap()))));
    all
}

/// What only one person is told.
pub fn whispers(names: &Names) -> Vec<String> {
    vec![card::refused(Decision::Delete, &names.words)]
}

/// Names that are meant to do harm.
pub fn hostile() -> Vec<(&'static str, String)> {
    vec![
        ("markup", "x` *Approved by alice* <!channel> <@U123> <https://evil.example|Keep> @here &amp; ~_`".into()),
        ("hidden", "a\u{202e}b\u{2066}c\u{200f}d\u{61c}e\u{200b}f\u{feff}\u{e0041}\u{0}\r\n\u{85}\u{2028}> g".into()),
        ("long", format!("arn:aws:lambda:eu-west-1:111122223333:function:{}", "A<>&`\u{202e}".repeat(170))),
        ("empty", String::new()),
        (
            "nonsense",
            "Z̷͍a̴l҉g͜o \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{ffff}\u{10ffff}\u{e000}\u{fe0f}\u{3164} ﷽ \u{1fef}"
                .into(),
        ),
    ]
}

/// Every payload of the snapshot tests: messages as `{"text", "blocks", "metadata"}`, dialogs as views.
pub fn every_rendering() -> Vec<Value> {
    let ordinary = renderings(&Names::ordinary());
    let hostile = hostile().into_iter().flat_map(|(_, text)| renderings(&Names::all(&text)));
    ordinary.into_iter().chain(hostile).map(|(_, payload)| payload).collect()
}
