//! Driving a case: asks what it needs next, does it, and again, until it rests. One driver a case at a time.

use super::Responder;
use super::drivers::Driver;
use super::retry::backoff;
use super::verify::Read;
use crate::approval::ApprovalGrant;
use crate::case::{
    Case, CaseEvent, CaseId, Decision, Evidence, Mode, Next, Outcome, PlannedStep, State, Step, StepLine, StepStatus,
    Tally, baseline, next, plans_once_asked,
};
use crate::containment::{Call, Observation, Prior, StepKind};
use crate::ports::JournalError;
use std::time::Duration;
use tracing::{Instrument, info_span};

/// A step that failed for now is tried again after this.
const STUCK_PAUSE: Duration = Duration::from_mins(10);
/// How often a mapping's tags are tried to be read before it is deleted without them.
const TAG_TRIES: u32 = 5;

/// A case that is being driven. Where its driver panics it is let go, so that the next look at it drives it again.
struct Held<'r>(&'r Responder, &'r CaseId);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(alarm = true, case = %self.1, "a defect: the case rests until the next look at it");
            self.0.drivers.forget(self.1);
        }
    }
}

impl Responder {
    /// Has the case looked at, now.
    pub fn nudge(&self, case: &CaseId) {
        self.drive_in_background(case, None);
    }

    /// The same with what is known of it already, to save reading it.
    pub(super) fn drive_from(&self, case: Case) {
        let id = case.id.clone();
        self.drive_in_background(&id, Some(case));
    }

    /// How many cases are at work.
    pub fn at_work(&self) -> usize {
        self.drivers.count()
    }

    fn drive_in_background(&self, id: &CaseId, known: Option<Case>) {
        let Some(driver) = self.drivers.take(id) else { return };
        let (responder, id) = (self.clone(), id.clone());
        let span = info_span!("case", case = %id);
        tokio::spawn(
            async move {
                let (mut known, mut waited) = (known, 0);
                let _held = Held(&responder, &id);
                loop {
                    match responder.drive(&id, known.take(), &driver).await {
                        Ok(()) => {}
                        Err(error @ JournalError::Unavailable(_)) if !responder.is_stopping() => {
                            tracing::error!(%error, "the case waits: the journal cannot be read");
                            waited += 1;
                            responder.pause(backoff(waited)).await;
                            continue;
                        }
                        Err(error) => {
                            tracing::error!(%error, "the case rests until the next look at it: the journal failed");
                            responder.drivers.forget(&id);
                            return;
                        }
                    }
                    if responder.is_stopping() {
                        responder.drivers.forget(&id);
                        return;
                    }
                    if responder.drivers.release(&id, &driver) {
                        return;
                    }
                }
            }
            .instrument(span),
        );
    }

    /// Drives a case until it rests, or waits for something that may take long; for the command line.
    pub async fn drive_to_rest(&self, id: &CaseId) -> Result<Case, JournalError> {
        self.nudge(id);
        loop {
            let at_work = self.drivers.drives(id);
            let case = self.load(id).await?;
            if !at_work || matches!(case.state, State::AwaitingDecision | State::Stuck | State::Closed) {
                return Ok(case);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn drive(&self, id: &CaseId, known: Option<Case>, driver: &Driver) -> Result<(), JournalError> {
        // A step found started in the journal may have been left there by a crash: its effect is looked at first.
        let mut resumed = known.is_none();
        let mut case = match known {
            Some(case) => case,
            None => self.load(id).await?,
        };
        while !self.is_stopping() {
            let todo = next(&case);
            self.wants_evidence(&case, todo == Next::Rest);
            if self.settings.mode == Mode::Observe && changes_something(&todo) {
                tracing::warn!(todo = ?todo, "left as it is: mode is observe");
                return Ok(());
            }
            match todo {
                Next::Rest => return Ok(()),
                Next::Identify => self.identify(&mut case, driver).await?,
                Next::Verify => self.verify(&mut case, driver).await?,
                Next::Prepare(kind) => self.prepare(&mut case, kind, driver).await?,
                Next::PrepareApproved(step) => match ApprovalGrant::of(&case) {
                    Some(grant) => self.prepare_approved(&mut case, &grant, step, driver).await?,
                    None => return Ok(()),
                },
                Next::Perform(step) => self.perform(&mut case, step, resumed).await?,
                Next::Ask(why) => self.ask(&mut case, &why).await?,
                Next::Close(outcome) => self.close(&mut case, outcome).await?,
                Next::RetryLater(step) => self.retry_later(&mut case, step, driver).await?,
            }
            resumed = false;
        }
        Ok(())
    }

    pub(super) async fn ask(&self, case: &mut Case, why: &str) -> Result<(), JournalError> {
        let plans = plans_once_asked(case);
        if self.append_next(case, &[CaseEvent::ApprovalRequested { why: why.to_owned(), plans }]).await? {
            tracing::warn!(subject = %case.subject(), why, "a person is asked: sluicegate case {}", case.id);
        }
        Ok(())
    }

    /// Closes the case, and accepts the configuration that people decided about: never one that they were not shown.
    async fn close(&self, case: &mut Case, outcome: Outcome) -> Result<(), JournalError> {
        let lifted = case.approved.as_ref().is_some_and(|tally| tally.plan.decision == Decision::Lift);
        if matches!(outcome, Outcome::Contained | Outcome::Left) && !lifted && !self.as_shown(case, outcome).await? {
            return Ok(());
        }
        if case.steps.iter().any(|step| !step.kind.is_on_mapping()) || case.approved.iter().any(restricts) {
            self.drop_claims(case).await?;
        }
        let decided = matches!(outcome, Outcome::Contained | Outcome::Left | Outcome::Restored)
            && !(case.gone || lifted || case.unasked);
        let by =
            || format!("{} of {}", case.approved.as_ref().map_or("close", |tally| tally.plan.decision.name()), case.id);
        let known = case.latest().filter(|_| decided);
        let accepted = known.map(|read| Box::new(baseline::of(read, self.ports.clock.now(), by())));
        if self.append_next(case, &[CaseEvent::Closed { outcome, baseline: accepted }]).await? {
            tracing::info!(subject = %case.subject(), ?outcome, "closed");
        }
        Ok(())
    }

    /// Reads the mapping once more before the case is closed. `false`: it is another than the one that was shown, or
    /// gone, or active where it was kept disabled, and the case has that on record now.
    async fn as_shown(&self, case: &mut Case, outcome: Outcome) -> Result<bool, JournalError> {
        let (Some(mapping), Some(shown)) = (case.mapping.clone(), case.latest().cloned()) else {
            return Ok(true);
        };
        let read = match self.ports.lambda.mapping(&mapping).await {
            Ok(Some(read)) => read,
            Ok(None) if case.gone => return Ok(true),
            Ok(None) => {
                let looked_at = format!("GetEventSourceMapping({})", mapping.uuid);
                self.append_next(case, &[CaseEvent::Evidence(Evidence::MappingGone { looked_at })]).await?;
                return Ok(false);
            }
            Err(error) => {
                tracing::warn!(%mapping, %error, "it cannot be read once more; what was shown is what is accepted");
                return Ok(true);
            }
        };
        let disabled = case.steps.iter().find(|step| step.kind == StepKind::DisableMapping && case.holds_now(step));
        if let (Outcome::Contained, Some(step), true) = (outcome, disabled, read.is_active()) {
            let seen = Observation::Mapping { snapshot: Box::new(read) };
            self.append_next(case, &[CaseEvent::Tampered { id: step.id, seen }]).await?;
            return Ok(false);
        }
        let same = read.wired_as(&shown);
        if read.whole != shown.whole {
            let event = CaseEvent::Evidence(Evidence::MappingRead { snapshot: Box::new(read) });
            if !self.append_next(case, &[event]).await? {
                return Ok(false);
            }
        }
        if !same {
            self.ask(case, "the mapping is another than the one that was shown: the approval is void").await?;
        }
        Ok(same)
    }

    /// Reads what is there now, and fixes what the step will do.
    async fn prepare(&self, case: &mut Case, kind: StepKind, driver: &Driver) -> Result<(), JournalError> {
        let (Some(Read::There(read)), Some(mapping)) = (self.read_again(case, driver).await?, case.mapping.clone())
        else {
            return Ok(());
        };
        let Some(call) = kind.call(&mapping, &read) else { return Ok(()) };
        let prior = match (kind, case.prior_of(kind, &call.target())) {
            (StepKind::DisableMapping | StepKind::DeleteMapping, None) => {
                Some(Prior::Mapping { snapshot: read, tags: Vec::new() })
            }
            (StepKind::FreezeFunction, None) => match self.observe(&call).await {
                Ok(Observation::Concurrency { reserved }) => Some(self.unfrozen(case, &call, reserved).await?),
                Ok(_) => None,
                Err(error) => {
                    tracing::warn!(%error, "the function's concurrency cannot be read yet");
                    self.nap(driver, super::retry::wait_after(&error, 3)).await;
                    return Ok(());
                }
            },
            _ => None,
        };
        self.begin(case, PlannedStep { step: kind, undoes: None, call }, prior).await
    }

    /// Records what a step will do and what was there before, and that it is begun.
    async fn begin(&self, case: &mut Case, step: PlannedStep, prior: Option<Prior>) -> Result<(), JournalError> {
        let (id, PlannedStep { step, undoes, call }) = (case.next_step(), step);
        let events = [CaseEvent::StepPrepared { id, step, undoes, call, prior }, self.started(id)];
        self.append_next(case, &events).await.map(|_| ())
    }

    /// What a function's concurrency was before sluicegate froze it: a 0 may be the freeze of another case, and then
    /// what was before that one is.
    async fn unfrozen(&self, case: &Case, freeze: &Call, reserved: Option<i32>) -> Result<Prior, JournalError> {
        if reserved == Some(0) {
            for other in self.ports.journal.cases().await? {
                let froze =
                    |line: &StepLine| line.step == StepKind::FreezeFunction && line.status != StepStatus::Undone;
                if other.case_id == case.id.as_str() || !other.steps.iter().any(froze) {
                    continue;
                }
                let other = self.load(&other.case_id.parse().map_err(JournalError::Damaged)?).await?;
                let same = |step: &Step| step.call == *freeze && step.status != StepStatus::Undone && !step.refused;
                if let (true, Some(prior)) = (other.steps.iter().any(same), other.prior(StepKind::FreezeFunction)) {
                    return Ok(prior.clone());
                }
            }
        }
        Ok(Prior::Concurrency { reserved })
    }

    /// Reads the target once more: where it is another than people were shown, their approval is void.
    async fn prepare_approved(
        &self,
        case: &mut Case,
        grant: &ApprovalGrant,
        step: PlannedStep,
        driver: &Driver,
    ) -> Result<(), JournalError> {
        if !step.step.is_on_mapping() {
            return self.prepare_restriction(case, grant, step, driver).await;
        }
        if step.step == StepKind::DeleteMapping && step.undoes.is_some() {
            // It is made anew: there is nothing to read before.
            return self.begin(case, step, None).await;
        }
        match self.read_again(case, driver).await? {
            Some(Read::There(_)) => {}
            // A function can be thawed though its mapping is gone, where people were shown it so.
            Some(Read::Gone) if step.step == StepKind::FreezeFunction && step.undoes.is_some() => {}
            Some(Read::Gone) => {
                return self.ask(case, "the mapping is gone: what was approved can no longer be done").await;
            }
            Some(Read::Unread(_) | Read::OutOfReach(_)) | None => return Ok(()),
        }
        let untouched = case.steps.iter().all(|done| done.id <= case.approved_after);
        let still = plans_once_asked(case).iter().any(|now| now.digest == grant.plan().digest);
        // Once it is begun the plan has changed by itself; what it wakes must be what was shown still.
        let strayed = step.undoes.is_some() && case.strayed();
        if untouched && !still || strayed {
            return self.ask(case, "the mapping is another than the one that was shown: the approval is void").await;
        }
        if step.undoes.is_none() && step.step == StepKind::FreezeFunction {
            return self.prepare(case, step.step, driver).await;
        }
        let prior = match (step.undoes, case.prior_of(step.step, &step.call.target())) {
            (None, None) => match self.prior_of_mapping(case, step.step, driver).await? {
                Some(prior) => Some(prior),
                None => return Ok(()),
            },
            _ => None,
        };
        self.begin(case, step, prior).await
    }

    /// What the mapping is before it is changed; before it is deleted, with its tags, which go with it. `None`: it could not
    /// be read whole yet.
    async fn prior_of_mapping(
        &self,
        case: &mut Case,
        kind: StepKind,
        driver: &Driver,
    ) -> Result<Option<Prior>, JournalError> {
        let (Some(mapping), Some(read)) = (&case.mapping.clone(), case.latest().cloned()) else { return Ok(None) };
        let snapshot = Box::new(read.clone());
        if kind != StepKind::DeleteMapping || read.arn.is_empty() {
            return Ok(Some(Prior::Mapping { snapshot, tags: Vec::new() }));
        }
        for attempt in 1..=TAG_TRIES {
            match self.ports.lambda.mapping_tags(mapping, &read.arn).await {
                Ok(tags) => return Ok(Some(Prior::Mapping { snapshot, tags })),
                Err(error) => {
                    tracing::warn!(%mapping, %error, "its tags cannot be read; a restore could not give them back");
                    if error.is_final() {
                        break;
                    }
                    self.nap(driver, super::retry::wait_after(&error, attempt)).await;
                }
            }
            if self.is_stopping() {
                return Ok(None);
            }
        }
        let text = "its tags could not be read before it was deleted: a restore cannot give them back".to_owned();
        self.append(case, &[CaseEvent::Note { text }]).await?;
        Ok(Some(Prior::Mapping { snapshot, tags: Vec::new() }))
    }

    async fn retry_later(&self, case: &mut Case, step: u32, driver: &Driver) -> Result<(), JournalError> {
        self.nap(driver, STUCK_PAUSE).await;
        *case = self.load(&case.id).await?;
        if !self.is_stopping() && next(case) == Next::RetryLater(step) {
            self.append_next(case, &[self.started(step)]).await?;
        }
        Ok(())
    }
}

/// Whether a decision was about credentials.
fn restricts(tally: &Tally) -> bool {
    !tally.plan.restricts.is_empty()
}

/// Whether carrying it out can change something in AWS, or rests on having done so.
fn changes_something(todo: &Next) -> bool {
    match todo {
        Next::Prepare(_) | Next::PrepareApproved(_) | Next::Perform(_) | Next::RetryLater(_) => true,
        Next::Identify | Next::Verify | Next::Ask(_) | Next::Close(_) | Next::Rest => false,
    }
}
