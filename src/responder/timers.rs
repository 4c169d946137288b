//! What happens by the clock: reminders, escalation, and what policy permits once nobody has decided in time.

use super::Responder;
use crate::case::{Case, CaseEvent, CaseId, Due, Mode, Outcome, Reminder, State, due};
use crate::detection::Trigger;
use crate::evidence::cost_of;
use crate::policy::{Facts, Response};
use crate::ports::JournalError;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often a case is looked at of which nothing is due: it may have moved on.
const LOOK: Duration = Duration::from_secs(5);

impl Responder {
    /// Looks at the clock until it has to stop.
    pub async fn keep_time(&self) {
        let mut next: HashMap<CaseId, Timestamp> = HashMap::new();
        while !self.is_stopping() {
            if let Err(error) = self.tick(&mut next).await {
                tracing::error!(%error, "the clock cannot be kept: the journal failed");
            }
            self.pause(TICK).await;
        }
    }

    async fn tick(&self, next: &mut HashMap<CaseId, Timestamp>) -> Result<(), JournalError> {
        if self.settings.mode == Mode::Observe {
            return Ok(());
        }
        let open = self.ports.journal.unfinished().await?;
        next.retain(|id, _| open.contains(id));
        for id in open {
            let now = self.ports.clock.now();
            if next.get(&id).is_some_and(|at| *at > now) {
                continue;
            }
            let at = match self.look_at_the_clock(&id, now).await {
                // The others' time goes on.
                Err(error @ JournalError::Damaged(_)) => {
                    tracing::error!(case = %id, %error, "a case's clock cannot be kept");
                    None
                }
                looked => looked?,
            };
            let soon = now + LOOK;
            next.insert(id, at.map_or(soon, |at| at.min(soon)));
        }
        Ok(())
    }

    /// Does what is due for a case; gives when it is to be looked at again, where that is known.
    async fn look_at_the_clock(&self, id: &CaseId, now: Timestamp) -> Result<Option<Timestamp>, JournalError> {
        let Some(mut case) = self.ports.journal.case(id).await? else { return Ok(None) };
        let cost = cost_of(&case);
        let loss = cost.half_at.zip(cost.lost_from);
        let Some((at, what)) = due(&case, &self.settings.schedule, loss) else { return Ok(None) };
        if at > now {
            return Ok(Some(at));
        }
        match what {
            Due::Remind(reminder) => {
                self.append_next(&mut case, &[CaseEvent::Reminded { reminder }]).await?;
                tracing::warn!(subject = %case.subject(), ?reminder, "people are told again: sluicegate case {id}");
            }
            Due::Expire => self.expire(&mut case).await?,
        }
        Ok(Some(now))
    }

    /// Nobody decided in time. What is disabled stays so. What runs is disabled where policy permits that now; else it is
    /// left, and somebody else is called.
    async fn expire(&self, case: &mut Case) -> Result<(), JournalError> {
        let mut events = Vec::new();
        if case.contained() || case.gone {
            events.push(CaseEvent::Expired { verdict: None });
            events.push(CaseEvent::Reminded { reminder: Reminder::Lapsed });
            let outcome = if case.gone { Outcome::Removed } else { Outcome::Contained };
            events.push(CaseEvent::Closed { outcome, baseline: None });
        } else {
            let mut finding = case.opened.finding.clone();
            finding.trigger = Trigger::Expiry;
            let facts = Facts {
                now: self.ports.clock.now(),
                trigger: Trigger::Expiry,
                confirmed: case.believed(),
                findings_by_actor: 1,
                wrong_of_last_ten: self.ports.journal.wrong_of_last_ten(&finding.account).await?,
                case_open: true,
                baseline_known: case.baseline.is_some(),
            };
            let verdict = self.policies.current().judge(&finding, &facts);
            let contains = verdict.response >= Response::Disable && !verdict.allowed && case.believed();
            events.push(CaseEvent::Expired { verdict: Some(Box::new(verdict)) });
            if !contains {
                events.push(CaseEvent::Reminded { reminder: Reminder::Lapsed });
            }
        }
        if self.append_next(case, &events).await? {
            tracing::error!(subject = %case.subject(), state = ?case.state, "nobody decided in time: sluicegate case {}", case.id);
            if case.state != State::Closed {
                self.nudge(&case.id);
            }
        }
        Ok(())
    }
}
