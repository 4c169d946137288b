//! What people are told again, and when their time is up. It follows from the journal alone, so that it survives a restart.

use super::{Case, Reminder, State};
use crate::containment::StepKind;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// When people are reminded, and when a question lapses: `[approval]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// After how long since they were asked; from then on each wait is twice the one before.
    pub remind_after: Vec<Duration>,
    /// After how long since they were asked the question lapses; `None`: never.
    pub expires_after: Option<Duration>,
}

/// What is to happen by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Tell people again.
    Remind(Reminder),
    /// The question lapses.
    Expire,
}

/// Made again and again, a mapping pages people once in this time.
const PAGE_EVERY: SignedDuration = SignedDuration::from_mins(5);

impl Default for Schedule {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self { remind_after: vec![minutes(30), minutes(120)], expires_after: Some(minutes(480)) }
    }
}

impl Schedule {
    /// How long after the question the `nth` reminder comes.
    fn reminder(&self, nth: u32) -> Option<Duration> {
        let given = u32::try_from(self.remind_after.len()).unwrap_or(u32::MAX);
        let at = |index: u32| usize::try_from(index).ok().and_then(|index| self.remind_after.get(index)).copied();
        match nth.checked_sub(1)? {
            index if index < given => at(index),
            index => Some(at(given.checked_sub(1)?)?.saturating_mul(2_u32.saturating_pow((index + 1 - given).min(20)))),
        }
    }
}

/// What comes next for a case by the clock, and when. `half_at`: half of the time is over then after which records that
/// wait in the source are lost; `lost_from`: all of it.
pub fn due(case: &Case, schedule: &Schedule, loss: Option<(Timestamp, Timestamp)>) -> Option<(Timestamp, Due)> {
    if !case.acts() {
        return None;
    }
    let all = [again(case), loss_ahead(case, loss), waiting(case, schedule), lapses(case, schedule)];
    all.into_iter().flatten().min_by_key(|(at, _)| *at)
}

/// A mapping that is made again, or enabled again, stays disabled, and people are paged.
fn again(case: &Case) -> Option<(Timestamp, Due)> {
    let findings = u32::try_from(case.joined.len()).unwrap_or(u32::MAX);
    let paged = case.reminders.iter().rev().find_map(|(reminder, at)| match reminder {
        Reminder::Again { findings } => Some((*findings, *at)),
        _ => None,
    });
    let (known, at) = match paged {
        Some((known, last)) => (known, last.checked_add(PAGE_EVERY).ok()?),
        None => (0, case.opened_at),
    };
    (findings > known).then_some((at, Due::Remind(Reminder::Again { findings })))
}

/// Nobody decided to keep it, and it is disabled.
fn loss_ahead(case: &Case, loss: Option<(Timestamp, Timestamp)>) -> Option<(Timestamp, Due)> {
    let (half_at, lost_from) = loss?;
    let told = |(reminder, _): &(Reminder, Timestamp)| matches!(reminder, Reminder::LossAhead { .. });
    let undecided = case.approved.is_none() && case.in_force(StepKind::DisableMapping);
    (undecided && !case.reminders.iter().any(told)).then_some((half_at, Due::Remind(Reminder::LossAhead { lost_from })))
}

fn waiting(case: &Case, schedule: &Schedule) -> Option<(Timestamp, Due)> {
    if !matches!(case.state, State::AwaitingDecision | State::Stuck) || case.expired_at.is_some() {
        return None;
    }
    let asked_at = case.asked_at?;
    let since =
        |(reminder, at): &&(Reminder, Timestamp)| matches!(reminder, Reminder::Waiting { .. }) && *at >= asked_at;
    let told = case.reminders.iter().filter(since);
    let nth = u32::try_from(told.count()).unwrap_or(u32::MAX).saturating_add(1);
    let at = asked_at.checked_add(schedule.reminder(nth)?).ok()?;
    Some((at, Due::Remind(Reminder::Waiting { nth })))
}

fn lapses(case: &Case, schedule: &Schedule) -> Option<(Timestamp, Due)> {
    // A case cannot be closed while a step is under way: once that is done.
    if case.state != State::AwaitingDecision || case.expired_at.is_some() || case.under_way().is_some() {
        return None;
    }
    Some((case.asked_at?.checked_add(schedule.expires_after?).ok()?, Due::Expire))
}
