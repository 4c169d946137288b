//! Restricting credentials: what was approved is looked at once more, held, done, and taken off again.

use super::Responder;
use super::drivers::Driver;
use super::hold::{Claim, LetGo};
use super::retry::wait_after;
use crate::approval::ApprovalGrant;
use crate::case::{Case, CaseEvent, Evidence, PlannedStep, Step};
use crate::containment::{Call, Observation, StepKind};
use crate::ports::{Acknowledged, CallError, JournalError};
use crate::restriction::{Effect, Offer, OfferedStep, Whose, before};
use jiff::Timestamp;
use std::time::Duration;

/// How long to wait for another case that is taking the same off.
const WHILE_IT_COMES_OFF: Duration = Duration::from_secs(1);

/// What became of a step that was to be fixed.
pub(super) enum Fixed {
    /// It is in the journal, and can be done.
    Prepared,
    /// Not for now: look again after this long.
    Later(Duration),
    /// It is another target than the one that was meant; why, for people.
    Void(String),
}

impl Responder {
    pub(super) async fn prepare_restriction(
        &self,
        case: &mut Case,
        grant: &ApprovalGrant,
        step: PlannedStep,
        driver: &Driver,
    ) -> Result<(), JournalError> {
        if let Some(undoes) = step.undoes {
            return self.prepare_lift(case, undoes, step, driver).await;
        }
        let decided_at = case.approved.as_ref().map_or(case.updated_at, |tally| tally.at);
        let restricts = grant.plan().restricts.clone();
        match self.fix(case, &restricts, &step, decided_at, None).await? {
            Fixed::Prepared => Ok(()),
            Fixed::Later(wait) => {
                self.nap(driver, wait).await;
                *case = self.load(&case.id).await?;
                Ok(())
            }
            Fixed::Void(why) => self.ask(case, &format!("{why}: the approval of {} is void", step.step.name())).await,
        }
    }

    /// Looks at the principal once more, holds the restriction, and fixes what the step will do. `why` is noted for what
    /// nobody decided.
    pub(super) async fn fix(
        &self,
        case: &mut Case,
        restricts: &[Whose],
        step: &PlannedStep,
        decided_at: Timestamp,
        why: Option<&str>,
    ) -> Result<Fixed, JournalError> {
        let mut other = "what was approved is not on offer any more".to_owned();
        let mut still = false;
        for whose in restricts {
            match self.examine(case, *whose, false).await? {
                Err(error) => {
                    tracing::warn!(call = %step.call.describe(), %error, "the principal cannot be looked at yet");
                    return Ok(Fixed::Later(wait_after(&error, 4)));
                }
                Ok(Offer::Restrict { steps, .. }) if steps.iter().any(|now| same(now, step)) => still = true,
                Ok(Offer::Restrict { steps, .. }) => {
                    let now: Vec<String> = steps.iter().map(|offered| offered.call.describe()).collect();
                    other = format!("{} would be restricted otherwise now: {}", step.call.target(), now.join(", "));
                }
                Ok(Offer::ByHand { why, .. }) => other = why,
            }
            if still {
                break;
            }
        }
        if !still {
            return Ok(Fixed::Void(other));
        }
        let wanted = step.call.clone().decided(decided_at);
        let _held = self.restricting.lock().await;
        let seen = match self.observe(&wanted).await {
            Ok(Observation::PrincipalGone) => return Ok(Fixed::Void(format!("{} is gone", wanted.target()))),
            Ok(seen) => seen,
            Err(error) => return Ok(Fixed::Later(wait_after(&error, 4))),
        };
        let undo = before(None, seen.clone()).and_then(|prior| step.step.undo(&prior, None, None, false, &wanted));
        let held = match self.claim(case, step.step, &wanted, undo.as_ref()).await? {
            Claim::Held(held) => held,
            Claim::ComesOff => return Ok(Fixed::Later(WHILE_IT_COMES_OFF)),
            Claim::Taken(why) => return Ok(Fixed::Void(why)),
        };
        if held.undo.is_none() {
            self.abandon(case, step.step, &held.call).await?;
            return Ok(Fixed::Void(format!("{} is so already, and not by sluicegate", wanted.target())));
        }
        let call = held.call.clone();
        let prior = match case.prior_of(step.step, &call.target()) {
            Some(_) => None,
            None => before(held.undo.as_ref(), seen),
        };
        let id = case.next_step();
        let mut events: Vec<CaseEvent> =
            why.map(|why| CaseEvent::Note { text: format!("restricted by itself: {why}") }).into_iter().collect();
        events.push(CaseEvent::StepPrepared { id, step: step.step, undoes: None, call, prior });
        events.push(self.started(id));
        self.append_next(case, &events).await?;
        Ok(Fixed::Prepared)
    }

    /// Lets go of a restriction: others may hold it still. What is not byte for byte what was put is not taken off.
    async fn prepare_lift(
        &self,
        case: &mut Case,
        undoes: u32,
        step: PlannedStep,
        driver: &Driver,
    ) -> Result<(), JournalError> {
        let Some(put) = case.steps.iter().find(|done| done.id == undoes).map(|done| done.call.clone()) else {
            return Ok(());
        };
        let _held = self.restricting.lock().await;
        let seen = match self.observe(&step.call).await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::warn!(call = %step.call.describe(), %error, "it cannot be read yet, and is not taken off unread");
                self.nap(driver, wait_after(&error, 4)).await;
                *case = self.load(&case.id).await?;
                return Ok(());
            }
        };
        let id = case.next_step();
        let prepared =
            CaseEvent::StepPrepared { id, step: step.step, undoes: Some(undoes), call: step.call.clone(), prior: None };
        let mut events = vec![prepared, self.started(id)];
        let alone =
            self.stream_of(step.step, &put).await?.is_none_or(|held| held.holders.iter().all(|by| *by == case.id));
        match step.call.foreign(&seen).filter(|_| alone) {
            Some(error) => {
                tracing::error!(%error, "a restriction is not taken off; a person is needed");
                events.push(CaseEvent::StepFailed { id, error, refused: true });
            }
            None => {
                if let LetGo::HeldBy(held_by) = self.let_go(case, step.step, &put).await? {
                    events.push(CaseEvent::StepReleased { id, held_by });
                }
            }
        }
        self.append_next(case, &events).await.map(|_| ())
    }

    /// What of a step on credentials has to be in the journal before the case says that it is done, and beside it.
    pub(super) async fn settle_restriction(
        &self,
        case: &Case,
        kind: StepKind,
        id: u32,
    ) -> Result<Vec<CaseEvent>, JournalError> {
        let Some(step) = case.steps.iter().find(|step| step.id == id) else { return Ok(Vec::new()) };
        let Some(undoes) = step.undoes else {
            self.settle_stream(kind, &step.call, false).await?;
            return Ok(vec![CaseEvent::Evidence(Evidence::Restricted { step: id, effect: Effect::Applied })]);
        };
        if let Some(put) = case.steps.iter().find(|done| done.id == undoes) {
            self.settle_stream(kind, &put.call, true).await?;
        }
        Ok(Vec::new())
    }

    /// A step on credentials failed for good: what it claimed and never put on is free again.
    pub(super) async fn abandon_step(&self, case: &Case, step: &Step) -> Result<(), JournalError> {
        if step.undoes.is_some() || step.kind.is_on_mapping() {
            return Ok(());
        }
        self.abandon(case, step.kind, &step.call).await
    }

    /// Reads what a call on a principal is about. One of the same name with another id is another principal.
    pub(super) async fn observe_principal(&self, call: &Call) -> Result<Observation, CallError> {
        let Some(who) = call.principal() else {
            return Err(CallError::NotSent { message: "it is about no principal".into() });
        };
        let iam = &self.ports.iam;
        match iam.principal(who).await? {
            Some(read) if who.id.is_empty() || read.id == who.id => {}
            _ => return Ok(Observation::PrincipalGone),
        }
        Ok(match call {
            Call::PutPolicy { name, .. } | Call::DeletePolicy { name, .. } => {
                Observation::Policy { document: iam.inline_policy(who, name).await? }
            }
            Call::AttachPolicy { .. } | Call::DetachPolicy { .. } => {
                Observation::Attached { policies: iam.attached(who).await? }
            }
            Call::SetAccessKeys { .. } => Observation::AccessKeys { keys: iam.access_keys(who).await? },
            _ => Observation::Tags { tags: iam.tags(who).await? },
        })
    }

    /// Makes a call on a principal.
    pub(super) async fn change_principal(&self, call: &Call) -> Result<Acknowledged, CallError> {
        let iam = &self.ports.iam;
        match call {
            Call::PutPolicy { principal, name, deny } => {
                let unfixed = || CallError::NotSent { message: "its cut-off is not fixed".into() };
                let document = deny.document().ok_or_else(unfixed)?;
                iam.put_inline_policy(principal, name, &document).await
            }
            Call::DeletePolicy { principal, name, .. } => iam.delete_inline_policy(principal, name).await,
            Call::AttachPolicy { principal, policy_arn } => iam.attach(principal, policy_arn).await,
            Call::DetachPolicy { principal, policy_arn } => iam.detach(principal, policy_arn).await,
            Call::SetAccessKeys { principal, keys, active } => {
                let mut last = Acknowledged { request_id: String::new() };
                for key in keys {
                    match iam.set_access_key(principal, key, *active).await {
                        Ok(acknowledged) => last = acknowledged,
                        // A key that was deleted can do nothing, and cannot come back.
                        Err(CallError::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(last)
            }
            Call::Tag { principal, tags } => iam.tag(principal, tags).await,
            Call::Untag { principal, tags } => {
                let was: Vec<(String, String)> =
                    tags.iter().filter_map(|(key, _, was)| Some((key.clone(), was.clone()?))).collect();
                let gone: Vec<String> =
                    tags.iter().filter(|(.., was)| was.is_none()).map(|(key, ..)| key.clone()).collect();
                let mut last = Acknowledged { request_id: String::new() };
                if !was.is_empty() {
                    last = iam.tag(principal, &was).await?;
                }
                if !gone.is_empty() {
                    last = iam.untag(principal, &gone).await?;
                }
                Ok(last)
            }
            _ => Err(CallError::NotSent { message: "it is about no principal".into() }),
        }
    }
}

/// Whether what is on offer now is what was planned: the same thing on the same principal.
fn same(now: &OfferedStep, planned: &PlannedStep) -> bool {
    let id = |call: &Call| call.principal().map(|principal| principal.id.clone());
    now.step == planned.step && now.call.target() == planned.call.target() && id(&now.call) == id(&planned.call)
}
