//! `response_url`s: answers to an interaction without a token.

use bytes::Bytes;
use serde_json::Value;

use super::api::Draft;
use super::serve::Answer;
use super::world::{State, World};

/// How often one can be used.
const USES: u32 = 5;

/// Answers a POST to one.
pub(crate) fn answer(world: &World, id: &str, body: &Bytes) -> Answer {
    match respond(world, id, body) {
        Ok(()) => Answer::text(200, "text/plain", "ok"),
        Err((status, error)) => Answer::text(status, "text/plain", error),
    }
}

fn respond(world: &World, id: &str, body: &Bytes) -> Result<(), (u16, String)> {
    let said: Value = serde_json::from_slice(body).map_err(|_| (400, "invalid_payload".to_owned()))?;
    let text = said.get("text").and_then(Value::as_str).map(str::to_owned);
    let draft = Draft::checked(text, said.get("blocks"), said.get("metadata").cloned());
    let draft = draft.map_err(|error| (400, error.error))?;
    let mut state = world.state();
    let (user, channel, ts) = used(world, &mut state, id)?;
    let yes = |key: &str| said.get(key).is_some_and(|value| value == true || value == "true");
    if yes("delete_original") {
        state.messages.retain(|message| message.channel != channel || message.ts != ts);
        state.ephemerals.retain(|message| message.channel != channel || message.ts != ts);
    } else if yes("replace_original") {
        let edited = state.next_ts();
        let State { messages, ephemerals, .. } = &mut *state;
        let mut all = messages.iter_mut().chain(ephemerals);
        if let Some(message) = all.find(|message| message.channel == channel && message.ts == ts) {
            draft.change(message, edited);
        }
    } else {
        let mut message = draft.into_message(state.next_ts(), &channel, &world.options.bot_user_id);
        message.thread_ts = said.get("thread_ts").and_then(Value::as_str).map(str::to_owned);
        if said["response_type"] == "in_channel" {
            state.messages.push(message);
        } else {
            message.only_for = Some(user);
            state.ephemerals.push(message);
        }
    }
    state.changed();
    Ok(())
}

/// Counts one use: who acted, in which channel, on which message.
fn used(world: &World, state: &mut State, id: &str) -> Result<(String, String, String), (u16, String)> {
    let url = state.response_urls.get_mut(id).ok_or_else(|| (404, "no_service".to_owned()))?;
    if url.made.elapsed() > world.options.response_url_lifetime {
        return Err((404, "expired_url".to_owned()));
    }
    if url.uses >= USES {
        return Err((404, "used_url".to_owned()));
    }
    url.uses += 1;
    Ok((url.user.clone(), url.channel.clone(), url.ts.clone()))
}
