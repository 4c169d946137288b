//! The card's thread: audit lines, and what people are told again. Each reply says in its metadata how many events the
//! thread tells with it, by which it is known again.

use super::card::is_lost;
use super::{Cards, Now, Trouble};
use crate::case::{Case, CaseEvent, Reminder};
use crate::ports::{ChatError, Message, Metadata, Posted, Recorded};
use crate::slack::card;

/// Slack's words for a channel that has messages, and no threads.
const NO_THREADS: [&str; 2] = ["restricted_action_non_threadable_channel", "restricted_action_thread_locked"];

impl Cards {
    /// Tells the thread the next of what it lacks, in one message; gives how many events it tells then.
    pub(super) async fn thread(&self, case: &Case, now: &Now) -> Result<u64, Trouble> {
        let told = self.told_already(case, &now.home, now.threaded).await?;
        let history = self.parts.journal.history(&case.id).await?;
        let from = usize::try_from(told).unwrap_or(usize::MAX);
        let moved = history.iter().rposition(|one| matches!(one.event, CaseEvent::CardPosted { .. }));
        let rest = history.get(from..).unwrap_or_default();
        // What people were told again before the card was posted here they read as any other line.
        let is_loud = |(offset, one): (usize, &Recorded<CaseEvent>)| {
            matches!(one.event, CaseEvent::Reminded { .. })
                && moved.is_none_or(|moved| moved < from.saturating_add(offset))
        };
        let next = rest.iter().enumerate().position(is_loud);
        if let (Some(0), Some(CaseEvent::Reminded { reminder })) = (next, rest.first().map(|one| &one.event)) {
            return self.tell_again(case, &now.home, told + 1, reminder).await;
        }
        let lines = rest.get(..next.unwrap_or(rest.len())).unwrap_or(rest);
        let Some(message) = card::audit(&case.id, told, lines).into_iter().next() else {
            return Ok(told + lines.len() as u64);
        };
        self.reply(case, &now.home, false, &message).await?;
        Ok(message.metadata.map_or(told, |metadata| metadata.seq))
    }

    /// How far the thread is: as the journal knows, or as Slack shows where a reply may have been made since.
    async fn told_already(&self, case: &Case, home: &Posted, threaded: u64) -> Result<u64, Trouble> {
        let (known, uncertain) = self.memos.with(&case.id, |memo| (memo.thread_known, memo.thread_uncertain));
        if known {
            return Ok(threaded);
        }
        let mut newest = threaded;
        for look in 0..=u8::from(uncertain) {
            if look > 0 {
                self.pause(self.settings.second_look).await;
            }
            let found = self.parts.chat.find(&home.channel, Some(&home.ts), card::AUDIT, &case.id).await;
            let found = match found {
                Err(error) if is_lost(&error) || matches!(error, ChatError::Channel { .. }) => None,
                Err(error @ ChatError::Refused { .. }) => {
                    let what = format!("threads in {} cannot be read, so a line may come twice: {error}", home.channel);
                    self.parts.alarms.raise("history", &what).await;
                    None
                }
                other => other?,
            };
            newest = newest.max(found.map_or(0, |found| found.seq));
            if newest > threaded {
                break;
            }
        }
        self.memos.with(&case.id, |memo| {
            memo.thread_known = true;
            memo.thread_uncertain = false;
        });
        Ok(newest)
    }

    /// What people are told again: in the thread and in the channel; and in the fallback channel, where those of the
    /// card's own did not answer or it cannot wait.
    async fn tell_again(&self, case: &Case, home: &Posted, seq: u64, reminder: &Reminder) -> Result<u64, Trouble> {
        let message = card::reminder(case, reminder);
        if let Some(fallback) = self.settings.fallback.as_ref().filter(|_| is_loud(*reminder))
            && *fallback != home.channel
        {
            self.page(case, fallback, seq, &message).await?;
        }
        let reply = as_seq(&message, card::AUDIT, case, seq);
        self.reply(case, home, true, &reply).await?;
        Ok(seq)
    }

    async fn page(&self, case: &Case, fallback: &str, seq: u64, message: &Message) -> Result<(), Trouble> {
        // There are few of these: whether it was made already is always looked up.
        let found = match self.parts.chat.find(fallback, None, card::CASE_TOLD, &case.id).await {
            Err(ChatError::Refused { .. } | ChatError::Channel { .. }) => None,
            other => other?,
        };
        if found.is_some_and(|found| found.seq >= seq) {
            return Ok(());
        }
        match self.parts.chat.post(fallback, None, &as_seq(message, card::CASE_TOLD, case, seq)).await {
            Err(error @ ChatError::Channel { .. }) => {
                self.unusable(fallback, &error).await;
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }

    async fn reply(&self, case: &Case, home: &Posted, loud: bool, message: &Message) -> Result<(), Trouble> {
        let chat = &self.parts.chat;
        let sent = if loud {
            chat.broadcast(&home.channel, &home.ts, message).await
        } else {
            chat.post(&home.channel, Some(&home.ts), message).await
        };
        let Err(error) = sent else { return Ok(()) };
        if let ChatError::Ambiguous { .. } = error {
            self.memos.with(&case.id, |memo| {
                memo.thread_known = false;
                memo.thread_uncertain = true;
            });
        }
        if matches!(&error, ChatError::Channel { code } if NO_THREADS.contains(&code.as_str())) {
            let what = format!("{} takes no threads ({error}): what happens is in the journal", home.channel);
            self.parts.alarms.raise("threads", &what).await;
            return Ok(());
        }
        if is_lost(&error) || matches!(error, ChatError::Channel { .. }) {
            // The card's next change finds that out as well, and posts it anew.
            self.memos.with(&case.id, |memo| memo.sent = None);
            self.shown(&case.id, 1, 0).await?;
            return Err(Trouble::Lost);
        }
        Err(error.into())
    }
}

/// Whether more people than those of the card's channel are told.
fn is_loud(reminder: Reminder) -> bool {
    match reminder {
        Reminder::Waiting { nth } => nth >= 2,
        Reminder::Lapsed | Reminder::LossAhead { .. } | Reminder::Again { .. } => true,
    }
}

fn as_seq(message: &Message, event_type: &'static str, case: &Case, seq: u64) -> Message {
    Message { metadata: Some(Metadata { event_type, case_id: case.id.clone(), seq }), ..message.clone() }
}
