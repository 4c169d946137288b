//! In `observe`, where it is wanted: one message a day, instead of one a case.

use super::{Cards, Trouble};
use crate::case::{Case, SystemEvent};
use crate::ports::{ChatError, Message, Posted};
use crate::slack::card;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use std::time::Duration;

/// How often it is looked whether a digest is due.
const LOOK: Duration = Duration::from_secs(20);

impl Cards {
    pub(super) async fn digests(&self, at: Time) {
        // The day whose cases were all told: those that begin after its digest was due are the next one's.
        let mut settled = None;
        while !self.is_stopping() {
            let day = last_due(self.parts.clock.now(), at);
            let outcome = if settled == Some(day) { Ok(true) } else { self.digest(day, at).await };
            let wait = match outcome {
                Ok(all) => {
                    settled = all.then_some(day);
                    LOOK.min(self.settings.look * 100)
                }
                Err(Trouble::Stopped) => return,
                Err(trouble) => {
                    tracing::warn!(?trouble, "the day's digest waits");
                    LOOK
                }
            };
            self.pause(wait).await;
        }
    }

    /// Tells of the day's cases, unless that was done; gives whether all were told.
    async fn digest(&self, day: Date, at: Time) -> Result<bool, Trouble> {
        let told = self.parts.journal.last_digest().await?;
        let mut cases = self.untold().await?;
        if let Some(told) = told {
            // Left over where the last one's end was cut off.
            let (old, new): (Vec<Case>, Vec<Case>) =
                cases.into_iter().partition(|case| case.opened_at < moment(told, at));
            self.told(&old).await?;
            cases = new;
        }
        cases.retain(|case| case.opened_at < moment(day, at));
        if told.is_some_and(|told| told >= day) || cases.is_empty() {
            return Ok(true);
        }
        let posted = self.post_digest(&card::digest(&cases, day), &cases).await?;
        // One that was posted already, and not recorded, tells of no more than there was then.
        let told = cases.get(..usize::try_from(posted.seq).unwrap_or(usize::MAX)).unwrap_or(&cases);
        let all = told.len() == cases.len();
        if all {
            tracing::info!(%day, cases = cases.len(), channel = %posted.channel, "the day's digest is posted");
            self.parts.journal.record(&SystemEvent::Digest { day }).await?;
        }
        self.told(told).await?;
        Ok(all)
    }

    /// The observed cases that nothing was told of, the oldest first.
    async fn untold(&self) -> Result<Vec<Case>, Trouble> {
        let mut cases = Vec::new();
        for state in self.parts.journal.cards_behind().await?.into_iter().rev().filter(|state| state.shown == 0) {
            let case = self.parts.journal.case(&state.case_id).await?;
            cases.extend(case.filter(|case| case.card.is_none() && self.waits_for_digest(case)));
        }
        Ok(cases)
    }

    async fn told(&self, cases: &[Case]) -> Result<(), Trouble> {
        for case in cases {
            self.shown(&case.id, case.seq, case.seq).await?;
        }
        Ok(())
    }

    async fn post_digest(&self, message: &Message, cases: &[Case]) -> Result<Posted, Trouble> {
        let mut refused = None;
        for channel in [Some(&self.settings.channel), self.settings.fallback.as_ref()].into_iter().flatten() {
            // Once a day: whether it was made already is always looked up.
            let first = cases.first().map(|case| &case.id);
            if let Some(first) = first {
                match self.parts.chat.find(channel, None, card::DIGEST, first).await {
                    Ok(Some(found)) => return Ok(found),
                    Ok(None) | Err(ChatError::Channel { .. } | ChatError::Refused { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            match self.parts.chat.post(channel, None, message).await {
                Err(error @ ChatError::Channel { .. }) => {
                    self.unusable(channel, &error).await;
                    refused = Some(error);
                }
                other => return Ok(other?),
            }
        }
        Err(refused.unwrap_or(ChatError::Channel { code: "no channel".into() }).into())
    }
}

/// The day on which a digest was last due.
fn last_due(now: Timestamp, at: Time) -> Date {
    let today = Offset::UTC.to_datetime(now).date();
    if now >= moment(today, at) { today } else { today.yesterday().unwrap_or(today) }
}

/// When a day's digest is due: it tells of what began before.
fn moment(day: Date, at: Time) -> Timestamp {
    Offset::UTC.to_timestamp(day.to_datetime(at)).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_digest_is_due_once_a_day_from_its_time_on() {
        let at = jiff::civil::time(8, 30, 0, 0);
        for (now, day) in [
            ("2026-11-24T08:29:59Z", "2026-11-23"),
            ("2026-11-24T08:30:00Z", "2026-11-24"),
            ("2026-11-25T00:00:00Z", "2026-11-24"),
        ] {
            assert_eq!(last_due(now.parse().unwrap(), at), day.parse::<Date>().unwrap(), "{now}");
        }
        let day = "2026-11-24".parse().unwrap();
        assert_eq!(moment(day, at), "2026-11-24T08:30:00Z".parse().unwrap());
    }
}
