//! The card itself: posted once, found again where nobody knows whether it was, changed when the case has moved on.

use super::memo::Content;
use super::{Cards, HISTORY, Now, Trouble};
use crate::case::{Case, CaseEvent};
use crate::ports::{CardState, ChatError, Message, Posted};
use crate::slack::card;
use sha2::{Digest as _, Sha256};
use std::time::Instant;

/// Slack's words for a message that cannot be changed any more: another one takes its place.
const LOST: [&str; 6] = [
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "thread_not_found",
    "cannot_reply_to_message",
    "is_inactive",
];

/// Where a card is now, and whether it was there already.
struct Placed {
    posted: Posted,
    found: bool,
}

pub(super) fn is_lost(error: &ChatError) -> bool {
    matches!(error, ChatError::Refused { code, .. } if LOST.contains(&code.as_str()))
}

impl Cards {
    /// Posts the card of a case that has none.
    pub(super) async fn first(&self, case: &Case) -> Result<(), Trouble> {
        let message = self.render(case);
        let placed = self.place(case, &message, None).await?;
        let now = self.at_home(case, &message, placed).await?;
        self.shown(&case.id, now.shown, now.threaded).await?;
        tracing::info!(case = %case.id, channel = %now.home.channel, "shown in Slack");
        Ok(())
    }

    /// Brings the card up to date.
    pub(super) async fn current(&self, case: &Case, home: Posted, state: &CardState) -> Result<Now, Trouble> {
        let now = |home| Now { home, shown: case.seq.max(state.shown), threaded: state.threaded };
        if state.shown >= case.seq {
            return Ok(now(home));
        }
        let message = self.render(case);
        let content = content(&message);
        if self.memos.with(&case.id, |memo| memo.sent.as_ref() == Some(&content)) {
            return Ok(now(home));
        }
        let updated = match self.parts.chat.update(&home, &message).await {
            Err(error @ ChatError::Refused { .. }) if !is_lost(&error) => {
                tracing::error!(case = %case.id, %error, "Slack does not take the card; it is shown without its layout");
                self.parts.chat.update(&home, &plain(&message)).await
            }
            other => other,
        };
        match updated {
            Ok(()) => {
                self.memos.with(&case.id, |memo| memo.sent = Some(content));
                Ok(now(home))
            }
            Err(error @ ChatError::Channel { .. }) => {
                self.unusable(&home.channel, &error).await;
                self.moved(case, &home, &message).await
            }
            Err(error) if is_lost(&error) => self.moved(case, &home, &message).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The card is posted anew: it, or its channel, cannot be used any more.
    async fn moved(&self, case: &Case, from: &Posted, message: &Message) -> Result<Now, Trouble> {
        let placed = self.place(case, message, Some(from)).await?;
        tracing::warn!(case = %case.id, from = %from.channel, to = %placed.posted.channel, "the card is posted anew");
        self.at_home(case, message, placed).await
    }

    /// The journal takes note of where the card is.
    async fn at_home(&self, case: &Case, message: &Message, placed: Placed) -> Result<Now, Trouble> {
        let Placed { posted: home, found } = placed;
        self.memos.with(&case.id, |memo| {
            // What was found shows what it showed when it was posted, and may have a thread.
            memo.sent = (!found).then(|| content(message));
            memo.thread_known = !found;
            memo.thread_uncertain = false;
        });
        let event = CaseEvent::CardPosted { channel: home.channel.clone(), ts: home.ts.clone() };
        let seq = self.append(&case.id, case.seq, &event).await?;
        // That it was posted is nothing that it shows.
        let shown = match found {
            true => 1,
            false if seq == case.seq + 1 => seq,
            false => case.seq,
        };
        Ok(Now { home, shown, threaded: 0 })
    }

    /// Posts into the case's channel, or else into the fallback. `lost`: the message that cannot be used any more.
    async fn place(&self, case: &Case, message: &Message, lost: Option<&Posted>) -> Result<Placed, Trouble> {
        let mut refused = None;
        let channels = [Some(&self.settings.channel), self.settings.fallback.as_ref()];
        for channel in channels.into_iter().flatten() {
            if self.is_broken(channel) {
                let code = format!("{channel} was not usable a moment ago");
                refused = Some(ChatError::Channel { code });
                continue;
            }
            if let Some(found) = self.find_earlier(case, channel, lost).await? {
                return Ok(Placed { posted: found, found: true });
            }
            match self.post_card(case, channel, message).await {
                Err(error @ ChatError::Channel { .. }) => {
                    self.unusable(channel, &error).await;
                    refused = Some(error);
                }
                other => return Ok(Placed { posted: other?, found: false }),
            }
        }
        Err(refused.unwrap_or(ChatError::Channel { code: "no channel".into() }).into())
    }

    async fn post_card(&self, case: &Case, channel: &str, message: &Message) -> Result<Posted, ChatError> {
        let posted = match self.parts.chat.post(channel, None, message).await {
            Err(error @ ChatError::Refused { .. }) => {
                tracing::error!(case = %case.id, %error, "Slack does not take the card; it is posted without its layout");
                self.parts.chat.post(channel, None, &plain(message)).await
            }
            other => other,
        };
        match &posted {
            Err(ChatError::Ambiguous { .. }) => self.memos.with(&case.id, |memo| {
                if !memo.uncertain.iter().any(|known| known == channel) {
                    memo.uncertain.push(channel.to_owned());
                }
            }),
            Ok(_) => {
                self.broken().remove(channel);
                self.parts.alarms.over(channel);
            }
            Err(_) => {}
        }
        posted
    }

    /// The card, where it was posted without the journal taking note: by a call whose answer was lost, or by a process
    /// that ended. Slack may take a moment to show it.
    async fn find_earlier(&self, case: &Case, channel: &str, lost: Option<&Posted>) -> Result<Option<Posted>, Trouble> {
        let (uncertain, looked) = self.memos.with(&case.id, |memo| {
            let has = |all: &[String]| all.iter().any(|known| known == channel);
            (has(&memo.uncertain), has(&memo.looked))
        });
        let before = !looked && case.opened_at < self.started;
        if !uncertain && !before {
            return Ok(None);
        }
        let just_before = before && self.started.duration_since(case.updated_at) < HISTORY / 48;
        let looks = if uncertain || just_before { 2 } else { 1 };
        for look in 0..looks {
            if look > 0 {
                self.pause(self.settings.second_look).await;
                if self.is_stopping() {
                    return Err(Trouble::Stopped);
                }
            }
            let found = match self.parts.chat.find(channel, None, card::CASE, &case.id).await {
                // A channel that cannot be read was not posted to either, or there is nothing to be done about it.
                Err(ChatError::Channel { .. }) => None,
                Err(error @ ChatError::Refused { .. }) => {
                    let what = format!("messages in {channel} cannot be read, so a card may come twice: {error}");
                    self.parts.alarms.raise("history", &what).await;
                    None
                }
                other => other?,
            };
            if let Some(found) = found.filter(|found| lost.is_none_or(|lost| lost.ts != found.ts)) {
                tracing::info!(case = %case.id, channel, "its card was posted already");
                self.forget(case, channel);
                return Ok(Some(found));
            }
        }
        self.forget(case, channel);
        Ok(None)
    }

    fn forget(&self, case: &Case, channel: &str) {
        self.memos.with(&case.id, |memo| {
            memo.uncertain.retain(|known| known != channel);
            memo.looked.push(channel.to_owned());
        });
    }

    pub(super) async fn unusable(&self, channel: &str, error: &ChatError) {
        self.broken().insert(channel.to_owned(), Instant::now());
        let instead = match &self.settings.fallback {
            Some(fallback) if fallback != channel => format!("cases go to {fallback} instead"),
            _ => "cases cannot be shown in Slack: set [slack] fallback_channel".to_owned(),
        };
        let what = format!("{error}: {channel}; {instead}. Put the channel right, with the app in it");
        self.parts.alarms.raise(channel, &what).await;
    }

    pub(super) fn is_broken(&self, channel: &str) -> bool {
        self.broken().get(channel).is_some_and(|at| at.elapsed() < self.settings.look_again)
    }

    fn render(&self, case: &Case) -> Message {
        card::card(case, &(self.parts.about)(case))
    }
}

/// What people see of it: the metadata changes with every event.
fn content(message: &Message) -> Content {
    Sha256::digest(format!("{}\n{}", message.text, message.blocks).as_bytes()).into()
}

/// The same without a layout.
pub(super) fn plain(message: &Message) -> Message {
    Message { blocks: serde_json::Value::Null, ..message.clone() }
}
