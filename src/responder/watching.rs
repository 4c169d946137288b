//! Restrictions that are on are watched for as long as they are: somebody may take one off, or it may not hold.

use super::Responder;
use crate::case::{Case, CaseEvent, Evidence, Mode, Step};
use crate::containment::Observation;
use crate::ports::{CallError, JournalError, SearchBy};
use crate::restriction::{Effect, Restriction, RestrictionEvent, RestrictionId, RestrictionState, Sign, signs};
use jiff::SignedDuration;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often a restriction is looked at while it is young, and later.
const OFTEN: Duration = Duration::from_secs(5);
const SELDOM: Duration = Duration::from_mins(1);
const YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// What is missing is looked at once more after this: IAM may still answer from before.
const ONCE_MORE: Duration = Duration::from_secs(1);
/// How often CloudTrail is asked whether it holds; it answers two look-ups a second for a whole account.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// How often the journal is asked which restrictions there are.
const PASS: Duration = Duration::from_secs(1);

/// When each restriction was last looked at.
type Memory = HashMap<RestrictionId, Instant>;

impl Responder {
    /// Watches restrictions until the responder stops: what is missing or changed is put on again with an alarm; whether
    /// it takes effect is looked for in CloudTrail; people are reminded of what is still on. Nothing comes off by itself.
    pub async fn watch_restrictions(&self) {
        if self.settings.mode == Mode::Observe {
            return;
        }
        // CloudTrail is slow, and must not hold up the look at IAM.
        tokio::join!(Box::pin(self.guard()), Box::pin(self.look_for_effects()));
    }

    /// Looks once at every restriction that is on, whenever it was last looked at.
    pub async fn watch_once(&self) -> Result<(), JournalError> {
        self.guard_once(&mut Memory::new()).await?;
        self.look_for_effects_once(&mut Memory::new()).await
    }

    async fn guard(&self) {
        let mut looked = Memory::new();
        while !self.is_stopping() {
            if let Err(error) = self.guard_once(&mut looked).await {
                tracing::error!(%error, "restrictions cannot be watched: the journal failed");
            }
            self.pause(PASS).await;
        }
    }

    async fn look_for_effects(&self) {
        let mut asked = Memory::new();
        while !self.is_stopping() {
            if let Err(error) = self.look_for_effects_once(&mut asked).await {
                tracing::error!(%error, "whether restrictions hold cannot be recorded: the journal failed");
            }
            self.pause(PASS).await;
        }
    }

    async fn guard_once(&self, looked: &mut Memory) -> Result<(), JournalError> {
        for held in self.on(looked).await? {
            let age = held.applied_at.map_or(SignedDuration::ZERO, |at| self.age(at));
            if due(looked, &held.id, if age < YOUNG { OFTEN } else { SELDOM }) {
                Box::pin(self.check(&held)).await?;
            }
            self.remind(&held).await?;
        }
        Ok(())
    }

    async fn look_for_effects_once(&self, asked: &mut Memory) -> Result<(), JournalError> {
        for held in self.on(asked).await? {
            let age = held.applied_at.map_or(SignedDuration::ZERO, |at| self.age(at));
            if held.effective_at.is_none() && due(asked, &held.id, if age < YOUNG { ASK_EVERY } else { SELDOM }) {
                Box::pin(self.effect(&held)).await?;
            }
        }
        Ok(())
    }

    /// The restrictions that are on, or should be.
    async fn on(&self, memory: &mut Memory) -> Result<Vec<Restriction>, JournalError> {
        let mut all = self.ports.journal.restrictions().await?;
        all.retain(|held| matches!(held.state, RestrictionState::On | RestrictionState::Tampered));
        memory.retain(|id, _| all.iter().any(|held| held.id == *id));
        Ok(all)
    }

    /// Whether it is on as it was put on.
    async fn check(&self, held: &Restriction) -> Result<(), JournalError> {
        let Some(seen) = self.seen_twice(held).await else { return Ok(()) };
        let gone = seen == Observation::PrincipalGone;
        if held.call.achieved(&seen) && !gone {
            if held.state == RestrictionState::Tampered {
                self.reapplied(held).await?;
            }
            return Ok(());
        }
        let _held = self.restricting.lock().await;
        let Some(mut now) = self.ports.journal.restriction(&held.id).await? else { return Ok(()) };
        if now.state == RestrictionState::On {
            let words = if gone {
                format!(
                    "{} is gone, or was made anew under the same name: that is another principal, which is not restricted",
                    now.principal.words()
                )
            } else {
                format!("{} reads: {}", now.principal.words(), super::perform::in_words(&seen))
            };
            let event = RestrictionEvent::Tampered { seen: words.clone() };
            let Some(tampered) = self.append_stream(&now.id, now.seq, &[event]).await? else { return Ok(()) };
            now = tampered;
            tracing::error!(
                restriction = %now.id, principal = %now.principal.arn, call = %now.call.describe(), seen = words,
                "ALARM: somebody took a restriction off, or changed it"
            );
            self.tell(&now, &Effect::Tampered { seen: words }).await?;
        }
        if now.state != RestrictionState::Tampered || gone {
            return Ok(());
        }
        let put = match self.change_principal(&now.call).await {
            Ok(_) => self.read_back(&now.call).await,
            Err(error) => Err(error),
        };
        match put {
            Ok(seen) if now.call.achieved(&seen) && seen != Observation::PrincipalGone => self.reapplied(&now).await,
            Ok(seen) => self.not_reapplied(&now, &format!("it reads {}", super::perform::in_words(&seen))).await,
            Err(error) => self.not_reapplied(&now, &error.to_string()).await,
        }
    }

    /// What is there; where that is not what was put, read once more. `None`: it cannot be told.
    async fn seen_twice(&self, held: &Restriction) -> Option<Observation> {
        let told = |error: &CallError| {
            tracing::warn!(restriction = %held.id, principal = %held.principal.arn, %error, "a restriction cannot be read");
        };
        match self.observe(&held.call).await {
            Ok(seen) if held.call.achieved(&seen) && seen != Observation::PrincipalGone => Some(seen),
            Ok(_) => {
                self.pause(ONCE_MORE).await;
                self.observe(&held.call).await.inspect_err(told).ok()
            }
            Err(error) => {
                told(&error);
                None
            }
        }
    }

    async fn reapplied(&self, held: &Restriction) -> Result<(), JournalError> {
        if self.append_stream(&held.id, held.seq, &[RestrictionEvent::Reapplied]).await?.is_none() {
            return Ok(());
        }
        tracing::warn!(restriction = %held.id, principal = %held.principal.arn, call = %held.call.describe(), "put on again, and read back");
        self.tell(held, &Effect::Reapplied).await.map(drop)
    }

    async fn not_reapplied(&self, held: &Restriction, why: &str) -> Result<(), JournalError> {
        if !self.tell(held, &Effect::NotReapplied { why: why.to_owned() }).await? {
            return Ok(());
        }
        tracing::error!(
            restriction = %held.id, principal = %held.principal.arn, call = %held.call.describe(), why,
            "ALARM: a restriction cannot be put on again for now; the principal is free until it is"
        );
        Ok(())
    }

    /// Whether it is seen to hold, by what CloudTrail has of the restricted credentials since.
    async fn effect(&self, held: &Restriction) -> Result<(), JournalError> {
        let (Some(applied), Some(first)) = (held.applied_at, held.holders.first()) else { return Ok(()) };
        let case = self.load(first).await?;
        let finding = &case.opened.finding;
        let actor = &finding.actor;
        let by = if actor.principal_arn != held.principal.arn {
            SearchBy::Username(&finding.call.function.name)
        } else if !actor.access_key_id.is_empty() {
            SearchBy::AccessKey(&actor.access_key_id)
        } else if actor.session_name.is_empty() {
            SearchBy::Username(&held.principal.name)
        } else {
            SearchBy::Username(&actor.session_name)
        };
        let found = self.ports.trail.search(&finding.account, &finding.region, by, applied, 1).await;
        let records = match found {
            Ok((records, _)) => records,
            Err(error) => {
                tracing::warn!(restriction = %held.id, %error, "CloudTrail cannot be asked whether it holds");
                return Ok(());
            }
        };
        match signs(&records, applied, self.ports.clock.now(), &finding.region) {
            Sign::None => Ok(()),
            Sign::Holds(by) => {
                let event = RestrictionEvent::Effective { by: by.clone() };
                match self.append_stream(&held.id, held.seq, &[event]).await? {
                    Some(now) => self.tell(&now, &Effect::Effective { by }).await.map(drop),
                    // Something else came first: it is for the next look.
                    None => Ok(()),
                }
            }
            Sign::HoldsNot(seen) => {
                if self.tell(held, &Effect::NotEffective { seen: seen.clone() }).await? {
                    tracing::error!(
                        restriction = %held.id, principal = %held.principal.arn, seen,
                        "ALARM: calls still succeed although it is restricted"
                    );
                }
                Ok(())
            }
        }
    }

    /// Tells people that it is still on: after `[restriction] ask_after`, and then after twice as long each time.
    async fn remind(&self, held: &Restriction) -> Result<(), JournalError> {
        let after = self.settings.restriction.ask_after;
        let due = after.saturating_mul((1_u32 << held.reminders.min(20)).saturating_mul(2).saturating_sub(1));
        let Some(applied) = held.applied_at.filter(|at| self.age(*at).unsigned_abs() >= due) else {
            return Ok(());
        };
        let nth = held.reminders + 1;
        // Where anything else came first it is for the next look.
        let Some(now) = self.append_stream(&held.id, held.seq, &[RestrictionEvent::Reminded { nth }]).await? else {
            return Ok(());
        };
        tracing::warn!(restriction = %now.id, principal = %now.principal.arn, since = %applied, "still restricted: a person decides whether it stays");
        for (mut case, step) in self.holding(&now).await? {
            let text = format!(
                "{} is restricted since {applied} ({}, step {}), and stays so until people lift it: sluicegate decide {} \
                 lift --reason … (reminder {nth})",
                now.principal.words(),
                now.call.describe(),
                step.id,
                case.id
            );
            self.append(&mut case, &[CaseEvent::Note { text }]).await?;
        }
        Ok(())
    }

    /// Tells the cases that hold it, where it is news to them; says whether it was to any.
    async fn tell(&self, held: &Restriction, effect: &Effect) -> Result<bool, JournalError> {
        let mut news = false;
        for (mut case, step) in self.holding(held).await? {
            if case.effect(step.id) != Some(effect) {
                let evidence = Evidence::Restricted { step: step.id, effect: effect.clone() };
                self.append(&mut case, &[CaseEvent::Evidence(evidence)]).await?;
                news = true;
            }
        }
        Ok(news)
    }

    /// The cases that hold it, each with its step.
    async fn holding(&self, held: &Restriction) -> Result<Vec<(Case, Step)>, JournalError> {
        let mut all = Vec::new();
        for id in &held.holders {
            let case = self.load(id).await?;
            let step = case.restrictions().find(|step| step.kind == held.step && step.call == held.call).cloned();
            all.extend(step.map(|step| (case, step)));
        }
        Ok(all)
    }
}

/// Whether it is time to look again, and if so, that it was looked at.
fn due(memory: &mut Memory, id: &RestrictionId, every: Duration) -> bool {
    let due = memory.get(id).is_none_or(|at| at.elapsed() >= every);
    if due {
        memory.insert(id.clone(), Instant::now());
    }
    due
}
