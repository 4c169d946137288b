//! Interactions: a payload, by whatever transport, → what was done. Only its shape is checked here. Names, e-mails and
//! the content of messages in a payload are chosen by others, and never read.

use super::card::{CALLBACK, REASON, RIGHT, WIDEN, WRONG};
use crate::case::{CaseId, Decision};
use crate::ports::{Ack, Ballot, Interaction, ModalWanted, Proof, Rating, SlackProof};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How much of a reason is kept.
const LONGEST_REASON: usize = 2_000;

/// What a payload is.
#[derive(Debug, PartialEq)]
pub enum Parsed {
    /// Something to be taken.
    Is(Interaction),
    /// Nothing that concerns us: acknowledged, and no more.
    Ignored(String),
    /// The modal stays open, and says why.
    Incomplete(Ack),
    /// It is not what a card of ours sends: acknowledged, and the person told.
    Malformed {
        /// What is wrong.
        why: String,
        /// Who did it, where that is told.
        proof: Option<SlackProof>,
    },
}

/// Reads a payload that came at `now`.
pub fn parse(payload: &Value, now: Timestamp) -> Parsed {
    let kind = text(&payload["type"]);
    if kind != "block_actions" && kind != "view_submission" {
        return Parsed::Ignored(format!("a payload of type {:.40}", plain(kind)));
    }
    let Some(proof) = proof(payload, now) else {
        return Parsed::Malformed { why: "it does not say who it is from".into(), proof: None };
    };
    let parsed = if kind == "block_actions" { click(payload, &proof) } else { submission(payload, &proof) };
    parsed.unwrap_or_else(|why| Parsed::Malformed { why, proof: Some(proof) })
}

fn proof(payload: &Value, now: Timestamp) -> Option<SlackProof> {
    let id = |value: &Value| value.as_str().filter(|id| is_id(id)).map(str::to_owned);
    let own = |value: &Value| id(value).unwrap_or_default();
    let user_team_id = own(&payload["user"]["team_id"]);
    // An app that a whole organisation installed gets no team with some payloads.
    let team_id = id(&payload["team"]["id"]).or_else(|| Some(user_team_id.clone()).filter(|id| !id.is_empty()))?;
    let container = [
        &payload["container"]["message_ts"],
        &payload["message"]["ts"],
        &payload["container"]["view_id"],
        &payload["view"]["id"],
    ];
    Some(SlackProof {
        team_id,
        user_team_id,
        app_id: id(&payload["api_app_id"])?,
        user_id: id(&payload["user"]["id"])?,
        channel: id(&payload["channel"]["id"]).unwrap_or_else(|| own(&payload["container"]["channel_id"])),
        container: container.into_iter().map(text).find(|id| !id.is_empty()).unwrap_or_default().to_owned(),
        at: payload.pointer("/actions/0/action_ts").and_then(Value::as_str).and_then(time).unwrap_or(now),
        response_url: text(&payload["response_url"]).to_owned(),
    })
}

fn click(payload: &Value, proof: &SlackProof) -> Result<Parsed, String> {
    if !payload["view"].is_null() {
        return Ok(Parsed::Ignored("something was ticked in a modal; it counts once it is submitted".into()));
    }
    let action = &payload["actions"][0];
    let (name, value) = (text(&action["action_id"]), text(&action["value"]));
    if let RIGHT | WRONG = name {
        let case_id = value.split(':').next().unwrap_or_default().parse()?;
        let id = stable(proof, &["rating", name, text(&action["action_ts"]), value]);
        let rating = Rating { id, case_id, right: name == RIGHT, proof: proof.clone() };
        return Ok(Parsed::Is(Interaction::Rating(rating)));
    }
    let Ok(decision) = name.parse::<Decision>() else {
        return Ok(Parsed::Ignored(format!("a click on {:.40}", plain(name))));
    };
    let (case_id, plan) = value.split_once(':').ok_or("a button without a case and a plan")?;
    let (case_id, plan) = (case_id.parse::<CaseId>()?, digest(plan)?);
    if let Decision::DeleteRestrict | Decision::Lift = decision {
        let trigger_id = text(&payload["trigger_id"]).to_owned();
        let wanted = ModalWanted { case_id, decision, plan, trigger_id, proof: proof.clone() };
        return Ok(Parsed::Is(Interaction::Modal(wanted)));
    }
    let id = stable(proof, &["click", name, text(&action["action_ts"]), value]);
    Ok(Parsed::Is(Interaction::Vote(ballot(id, case_id, decision, plan, "clicked in Slack".into(), proof))))
}

fn submission(payload: &Value, proof: &SlackProof) -> Result<Parsed, String> {
    let view = &payload["view"];
    if text(&view["callback_id"]) != CALLBACK {
        return Ok(Parsed::Ignored("a modal of somebody else's".into()));
    }
    let metadata = text(&view["private_metadata"]);
    let mut parts = metadata.split(':');
    let (Some(case_id), Some(shown), Some(decision), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("a modal without a case, a plan and a decision".into());
    };
    let (case_id, decision) = (case_id.parse::<CaseId>()?, decision.parse::<Decision>()?);
    let values = &view["state"]["values"];
    let reason = text(&values[REASON][REASON]["value"]).trim();
    if reason.is_empty() {
        let errors = json!({"response_action": "errors", "errors": {REASON: "Say why: the journal keeps it."}});
        return Ok(Parsed::Incomplete(Ack(Some(errors))));
    }
    let widened = values[WIDEN][WIDEN]["selected_options"][0]["value"].as_str();
    let plan = digest(widened.unwrap_or(shown))?;
    let id = stable(proof, &["view", text(&view["id"]), text(&view["hash"]), metadata, &plan]);
    let reason = reason.chars().take(LONGEST_REASON).collect();
    Ok(Parsed::Is(Interaction::Vote(ballot(id, case_id, decision, plan, reason, proof))))
}

fn ballot(id: String, case_id: CaseId, decision: Decision, plan: String, reason: String, proof: &SlackProof) -> Ballot {
    Ballot { id, case_id, decision, plan, reason, proof: Proof::Slack(proof.clone()), confirms: None }
}

/// The same for the same click, whichever envelope it comes in.
fn stable(proof: &SlackProof, parts: &[&str]) -> String {
    let who = [proof.team_id.as_str(), &proof.user_id, &proof.container];
    let whole = who.iter().chain(parts).copied().collect::<Value>().to_string();
    HEXLOWER.encode(&Sha256::digest(whole.as_bytes())[..16])
}

/// A plan's digest.
fn digest(text: &str) -> Result<String, String> {
    let hex = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hex { Ok(text.to_owned()) } else { Err("what should be a plan's digest is none".into()) }
}

/// Slack's ids are short, upper-case and plain.
fn is_id(id: &str) -> bool {
    (2..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Slack's time: seconds, and six digits behind the point.
fn time(text: &str) -> Option<Timestamp> {
    let (seconds, micros) = text.split_once('.')?;
    let micros = if micros.len() == 6 { micros.parse::<i32>().ok()? } else { 0 };
    Timestamp::new(seconds.parse().ok()?, micros.checked_mul(1_000)?).ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text from outside, for a line of a log.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
#[path = "interaction_tests.rs"]
mod tests;
