//! What people see, as it was last looked at.

use crate::limits::problems;
use crate::renderings::{about, every_rendering, hostile, renderings, whispers};
use crate::stories::stories;
use crate::story::Names;
use serde_json::Value;
use sluicegate::case::{Decision, plan_for, plans_for};
use sluicegate::slack::card::{self, About};

fn settings(dir: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("snapshots/{dir}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn every_state_looks_as_it_did() {
    settings("ordinary").bind(|| {
        let told = ["disabled, all known, thread 0", "removed and restricted, thread 0"];
        let shown = |name: &str| !name.contains(", thread ") || told.contains(&name);
        for (name, payload) in renderings(&Names::ordinary()).into_iter().filter(|(name, _)| shown(name)) {
            insta::assert_json_snapshot!(name.replace([' ', ',', ':', '{', '}'], "_"), payload);
        }
        insta::assert_json_snapshot!("whispers", whispers(&Names::ordinary()));
    });
}

#[test]
fn hostile_names_look_as_they_did() {
    settings("hostile").bind(|| {
        for (name, text) in hostile() {
            for (story, payload) in renderings(&Names::all(&text)) {
                if ["disabled, all known", "disabled, votes, dialog delete_restrict"].contains(&story.as_str()) {
                    insta::assert_json_snapshot!(format!("{name}_{story}").replace([' ', ','], "_"), payload);
                }
            }
        }
    });
}

#[test]
fn every_rendering_is_within_the_limits() {
    let all = every_rendering();
    assert!(all.len() > 400, "{}", all.len());
    for payload in all {
        assert_eq!(problems(&payload), Vec::<String>::new(), "{payload:#}");
    }
}

#[test]
fn every_decision_that_fits_has_its_button_with_its_plan() {
    for (name, story) in stories(&Names::ordinary()) {
        let case = story.case();
        let message = card::card(case, &About::default());
        let buttons: Vec<(Value, Value)> = message
            .blocks
            .as_array()
            .unwrap()
            .iter()
            .filter(|block| block["type"] == "actions")
            .flat_map(|block| block["elements"].as_array().unwrap().clone())
            .map(|button| (button["action_id"].clone(), button["value"].clone()))
            .collect();
        let plans = case.decisions().into_iter().filter_map(|decision| plan_for(case, decision));
        let mut expected: Vec<(Value, Value)> =
            plans.map(|plan| (plan.decision.name().into(), format!("{}:{}", case.id, plan.digest).into())).collect();
        if card::is_expired(case) {
            expected.clear();
        }
        if !case.acts() {
            let value = format!("{}:000000000000", case.id);
            expected = ["right", "wrong"].map(|answer| (answer.into(), value.clone().into())).to_vec();
        }
        assert_eq!(buttons, expected, "{name}");
    }
}

#[test]
fn a_dialog_shows_every_call_whole() {
    for (name, story) in stories(&Names::ordinary()) {
        let case = story.case();
        for decision in [Decision::DeleteRestrict, Decision::Lift] {
            let plans = plans_for(case, decision);
            let Some(dialog) = card::modal(case, &plans, &About::default()) else { continue };
            let shown = dialog.to_string();
            for step in plans.iter().flat_map(|plan| &plan.steps) {
                assert!(shown.contains(&step.call.describe()), "{name}: {}", step.call.describe());
            }
            let value = format!("{}:{}:{decision}", case.id, plans[0].digest);
            assert_eq!(dialog["private_metadata"], Value::from(value));
            let wider = dialog["blocks"].as_array().unwrap().iter().find(|block| block["block_id"] == "widen");
            let wider = wider.map(|block| block["element"]["options"][0]["value"].clone());
            assert_eq!(wider, plans.get(1).map(|plan| plan.digest.clone().into()), "{name}");
        }
    }
}

#[test]
fn what_is_too_much_is_left_out_and_the_buttons_stay() {
    let names = Names::all(&"長い <名前> ".repeat(200));
    let stories = stories(&names);
    let (_, story) = stories.iter().find(|(name, _)| *name == "disabled, everything at once").unwrap();
    let message = card::card(story.case(), &about(&names.words));
    let blocks = message.blocks.as_array().unwrap();
    let all = message.blocks.to_string();
    assert!(all.contains("_… more_") && !all.contains("The same caller lately"), "{all}");
    assert_eq!(blocks.iter().filter(|block| block["type"] == "actions").count(), 1);
    assert!(blocks.last().unwrap().to_string().contains("sluicegate case "));
    assert!(all.len() <= 13_200);
}

#[test]
fn all_decisions_are_shown_by_some_story_and_a_code_by_none() {
    let all: String = every_rendering().iter().map(ToString::to_string).collect();
    for decision in Decision::ALL {
        assert!(all.contains(&format!("\"action_id\":\"{decision}\"")), "{decision}");
    }
    assert!(!all.contains("SECRET-CODE"));
    assert!(!all.to_lowercase().contains("not processed"));
}

#[test]
fn slacks_own_client_takes_every_rendering() {
    let complaints = sandbox::SlackSdk::install().unwrap().check(&every_rendering()).unwrap();
    assert_eq!(complaints, Vec::<String>::new());
}

#[tokio::test]
async fn the_slack_double_takes_every_message() {
    sluicegate::tls::prepare();
    let options = sandbox::SlackOptions { post_burst: 100_000, ..sandbox::SlackOptions::default() };
    let double = sandbox::SlackDouble::start(options).unwrap();
    let client = reqwest::Client::new();
    for payload in every_rendering().into_iter().filter(|payload| payload["type"] != "modal") {
        let mut message = payload.clone();
        message["channel"] = "C0SECURITY".into();
        let request = client.post(format!("{}/chat.postMessage", double.api_url())).bearer_auth(double.bot_token());
        let answer: Value = request.json(&message).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], true, "{answer:#} {payload:#}");
    }
    assert!(double.warnings().is_empty(), "{:?}", double.warnings());
}
