//! Reading channels.

use serde_json::{Value, json};

use super::request::Request;
use super::{ApiError, Done, fields};
use crate::slack::message::Message;
use crate::slack::options::{Channel, TEAM};
use crate::slack::world::{State, World};

/// How many messages a page has unless it is said.
const PAGE: usize = 100;
/// How many it has at most.
const LARGEST_PAGE: usize = 999;
const CURSOR: &str = "next_ts:";

impl World {
    fn readable<'s>(state: &'s State, request: &Request) -> Result<&'s Channel, ApiError> {
        let channel = request.needed("channel", "channel_not_found")?;
        let found = state.channels.get(&channel).ok_or_else(|| ApiError::new("channel_not_found"))?;
        if found.is_member { Ok(found) } else { Err(ApiError::new("not_in_channel")) }
    }

    pub(super) fn history(&self, request: &Request) -> Done {
        let state = self.state();
        let channel = Self::readable(&state, request)?.id.clone();
        let in_channel =
            |message: &&Message| message.channel == channel && (message.thread_ts.is_none() || message.broadcast);
        let mut found: Vec<Message> =
            state.messages.iter().filter(in_channel).map(|message| state.with_replies(message)).collect();
        found.reverse();
        let (page, next) = paged(found, request, |ts, cursor| ts <= cursor)?;
        let with_metadata = request.flag("include_all_metadata");
        let shown: Vec<Value> = page.iter().map(|message| self.shown(message, with_metadata)).collect();
        Ok(fields(json!({
            "messages": shown,
            "has_more": next.is_some(),
            "pin_count": 0,
            "channel_actions_ts": null,
            "channel_actions_count": 0,
            "response_metadata": { "next_cursor": next.unwrap_or_default() },
        })))
    }

    pub(super) fn thread(&self, request: &Request) -> Done {
        let state = self.state();
        let channel = Self::readable(&state, request)?.id.clone();
        let ts = request.needed("ts", "thread_not_found")?;
        let parent = state.message(&channel, &ts).ok_or_else(|| ApiError::new("thread_not_found"))?;
        let replies = state.replies(&channel, &ts);
        let found = std::iter::once(state.with_replies(parent)).chain(replies).collect();
        let (page, next) = paged(found, request, |ts, cursor| ts >= cursor)?;
        let with_metadata = request.flag("include_all_metadata");
        let shown: Vec<Value> = page.iter().map(|message| self.shown(message, with_metadata)).collect();
        Ok(fields(json!({
            "messages": shown,
            "has_more": next.is_some(),
            "response_metadata": { "next_cursor": next.unwrap_or_default() },
        })))
    }

    pub(super) fn conversation(&self, request: &Request) -> Done {
        let state = self.state();
        let channel = request.needed("channel", "channel_not_found")?;
        let channel = state.channels.get(&channel).ok_or_else(|| ApiError::new("channel_not_found"))?;
        Ok(fields(json!({ "channel": {
            "id": channel.id,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": true,
            "is_group": false,
            "is_im": false,
            "is_private": false,
            "is_archived": channel.is_archived,
            "is_member": channel.is_member,
            "is_general": false,
            "is_shared": false,
            "is_ext_shared": false,
            "context_team_id": TEAM,
        }})))
    }
}

/// One page of what lies between `oldest` and `latest`, and the cursor of the next.
fn paged(
    found: Vec<Message>,
    request: &Request,
    from: impl Fn(&str, &str) -> bool,
) -> Result<(Vec<Message>, Option<String>), ApiError> {
    let limit = match request.string("limit").map(|text| text.parse::<usize>()) {
        None | Some(Ok(0)) => PAGE,
        Some(Ok(limit)) => limit.min(LARGEST_PAGE),
        Some(Err(_)) => return Err(ApiError::new("invalid_limit")),
    };
    let cursor = match request.string("cursor").filter(|cursor| !cursor.is_empty()) {
        None => None,
        Some(cursor) => Some(cursor.strip_prefix(CURSOR).ok_or_else(|| ApiError::new("invalid_cursor"))?.to_owned()),
    };
    let (oldest, latest) = (request.string("oldest"), request.string("latest"));
    let inclusive = request.flag("inclusive");
    let mut wanted = found.into_iter().filter(|message| {
        let edge = |ts: &String| inclusive && message.ts == *ts;
        oldest.as_ref().is_none_or(|ts| later(&message.ts, ts) || edge(ts))
            && latest.as_ref().is_none_or(|ts| later(ts, &message.ts) || edge(ts))
            && cursor.as_ref().is_none_or(|ts| from(&message.ts, ts))
    });
    let page: Vec<Message> = wanted.by_ref().take(limit).collect();
    let next = wanted.next().map(|message| format!("{CURSOR}{}", message.ts));
    Ok((page, next))
}

fn later(one: &str, other: &str) -> bool {
    let number = |ts: &str| ts.parse::<f64>().unwrap_or_default();
    number(one) > number(other)
}
