//! Carrying a prepared step out: call, read back, repeat, until it is seen to be done, or AWS refuses for good, or it
//! has taken too long.

use super::Responder;
use super::retry::{backoff, wait_after};
use crate::case::{Case, CaseEvent, Evidence, Step, StepStatus};
use crate::containment::{Call, Observation, StepKind};
use crate::mapping::Snapshot;
use crate::ports::{Acknowledged, CallError, JournalError};
use crate::restriction::AccessKey;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How often a refusal is tried again: permissions and roles that were made just now take a moment to count.
const REFUSALS: u32 = 3;
/// How often a state at rest that is not what was asked for is read before the call is repeated.
const AT_REST: u32 = 5;
/// For how long a step is tried that keeps another one waiting: the mapping must not live on because its function cannot
/// be frozen.
const HOLD_UP: Duration = Duration::from_secs(10);
/// For how long a step that failed before is tried each time.
const ONCE_MORE: Duration = Duration::from_mins(1);
/// How long a lease says that a step is in this worker's hands.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// How the work on one step stands.
struct Work {
    call: Call,
    id: u32,
    kind: StepKind,
    undoes: Option<u32>,
    began: Timestamp,
    attempts: u32,
    refusals: u32,
    request_ids: Vec<String>,
    look_first: bool,
    acknowledged: bool,
    patience: Duration,
    /// For an undo, which wakes what it finds, and for a deletion: the mapping as it was when the call was fixed.
    shown: Option<Snapshot>,
}

impl Responder {
    pub(super) fn started(&self, id: u32) -> CaseEvent {
        let (worker, identity) = (self.settings.worker.clone(), self.settings.identity.clone());
        CaseEvent::StepStarted { id, worker, identity, lease_until: self.ports.clock.now() + LEASE }
    }

    pub(super) async fn perform(&self, case: &mut Case, id: u32, resumed: bool) -> Result<(), JournalError> {
        if resumed || case.steps.iter().any(|step| step.id == id && step.status == StepStatus::Prepared) {
            self.append(case, &[self.started(id)]).await?;
        }
        let Some(step) = case.steps.iter().find(|step| step.id == id).cloned() else {
            return Ok(());
        };
        let mut work = Work::on(&step, resumed, case, self.ports.clock.now());
        while !self.is_stopping() {
            let looked = if work.look_first { self.look_first(&work).await.map(Some) } else { Ok(None) };
            let (doing, error) = match looked {
                Ok(Some(seen)) if work.strayed(&seen) => return self.void(case, &work, seen).await,
                Ok(Some(seen)) if work.refuses(&seen).is_some() => {
                    let why = work.refuses(&seen).unwrap_or_default();
                    return self.give_up(case, &work, &why, true).await;
                }
                Ok(Some(seen)) if work.call.achieved(&seen) => {
                    return self.succeed(case, &work, seen, work.attempts).await;
                }
                Ok(Some(seen)) if is_gone(&work.call, &seen) => return self.target_gone(case, &work, &seen).await,
                // AWS is at it: sent again, the call would be a second one.
                Ok(Some(seen)) if work.comes_about(&seen) => ("waiting for it", not_yet(&seen, &work)),
                // What cannot be observed must not be repeated: the effect may be there already.
                Err(error) => ("reading it", error),
                Ok(_) => match self.act(&mut work).await {
                    Ok(seen) if is_gone(&work.call, &seen) => return self.target_gone(case, &work, &seen).await,
                    Ok(seen) if work.strayed(&seen) => return self.void(case, &work, seen).await,
                    Ok(seen) => return self.succeed(case, &work, seen, work.attempts + 1).await,
                    Err(error) => {
                        work.refusals += u32::from(error.is_final());
                        work.look_first = !work.kind.is_on_mapping()
                            || work.acknowledged
                            || work.undoes.is_some()
                            || error.is_ambiguous()
                            || error.is_final();
                        ("calling", error)
                    }
                },
            };
            let wait = self.tried(case, &mut work, &error, doing).await?;
            if work.refusals >= REFUSALS || self.too_late(case, &work, wait) {
                let refused = work.refusals >= REFUSALS && !error.is_denied();
                return self.give_up(case, &work, &error.to_string(), refused).await;
            }
            self.pause(wait).await;
        }
        Ok(())
    }

    /// Looks at what is there before anything is sent; where it comes about by itself, for as long as that takes.
    async fn look_first(&self, work: &Work) -> Result<Observation, CallError> {
        let seen = self.observe(&work.call).await?;
        if work.comes_about(&seen) { self.read_back(&work.call).await } else { Ok(seen) }
    }

    /// Makes the call and reads back; gives what was seen where that is the call's effect, or its target is gone.
    async fn act(&self, work: &mut Work) -> Result<Observation, CallError> {
        let Acknowledged { request_id } = self.execute(&work.call).await?;
        work.request_ids.extend((!request_id.is_empty()).then_some(request_id));
        work.acknowledged = true;
        match self.read_back(&work.call).await {
            Ok(seen) if work.call.achieved(&seen) || is_gone(&work.call, &seen) => Ok(seen),
            Ok(seen) => Err(not_yet(&seen, work)),
            Err(error) => Err(CallError::Ambiguous { message: format!("AWS took the call, but {error}") }),
        }
    }

    /// Reads a call's target.
    pub(super) async fn observe(&self, call: &Call) -> Result<Observation, CallError> {
        match call {
            Call::UpdateEventSourceMapping { mapping, .. } | Call::DeleteEventSourceMapping { mapping } => {
                Ok(match self.ports.lambda.mapping(mapping).await? {
                    Some(snapshot) => Observation::Mapping { snapshot: Box::new(snapshot) },
                    None => Observation::MappingGone,
                })
            }
            Call::CreateEventSourceMapping { .. } => self.observe_anew(call).await,
            Call::SetFunctionConcurrency { account, region, function_arn, .. } => {
                match self.ports.lambda.concurrency(account, region, function_arn).await {
                    Ok(reserved) => Ok(Observation::Concurrency { reserved }),
                    Err(CallError::NotFound { .. }) => Ok(Observation::FunctionGone),
                    Err(error) => Err(error),
                }
            }
            _ => self.observe_principal(call).await,
        }
    }

    async fn execute(&self, call: &Call) -> Result<Acknowledged, CallError> {
        tracing::info!(call = %call.describe(), "calling");
        match call {
            Call::UpdateEventSourceMapping { mapping, change } => {
                self.ports.lambda.update_mapping(mapping, change).await
            }
            Call::DeleteEventSourceMapping { mapping } => self.ports.lambda.delete_mapping(mapping).await,
            Call::CreateEventSourceMapping { .. } => self.make_anew(call).await,
            Call::SetFunctionConcurrency { account, region, function_arn, reserved } => {
                self.ports.lambda.set_concurrency(account, region, function_arn, *reserved).await
            }
            _ => self.change_principal(call).await,
        }
    }

    /// Reads until the call is seen to have had its effect, or the mapping is at rest in another state, or it takes too
    /// long; gives what was seen last.
    pub(super) async fn read_back(&self, call: &Call) -> Result<Observation, CallError> {
        let until = tokio::time::Instant::now() + self.settings.verify_timeout;
        let mut at_rest = 0;
        for attempt in 1.. {
            let seen = self.observe(call).await;
            if let Ok(seen) = &seen {
                if call.achieved(seen) || is_gone(call, seen) {
                    return Ok(seen.clone());
                }
                at_rest += u32::from(!in_transition(seen));
            }
            let wait = backoff(attempt).min(Duration::from_secs(2));
            let over = tokio::time::Instant::now() + wait > until;
            // At rest in another state it may still be as it was before the call, for a moment.
            if over || at_rest >= AT_REST || self.is_stopping() {
                return seen;
            }
            self.pause(wait).await;
        }
        Err(CallError::NotSent { message: "it was not read".into() })
    }

    /// Records a try; gives how long to wait before the next.
    async fn tried(
        &self,
        case: &mut Case,
        work: &mut Work,
        error: &CallError,
        doing: &str,
    ) -> Result<Duration, JournalError> {
        work.attempts += 1;
        let wait = wait_after(error, work.attempts);
        tracing::warn!(%error, attempt = work.attempts, call = %work.call.describe(), "{doing} did not succeed");
        let event = CaseEvent::StepTried {
            id: work.id,
            attempt: work.attempts,
            error: format!("{doing}: {error}"),
            ambiguous: error.is_ambiguous(),
            request_id: error.request_id().map(str::to_owned),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        };
        self.append(case, &[event]).await?;
        Ok(wait)
    }

    /// Whether another try after `wait` would come too late.
    fn too_late(&self, case: &Case, work: &Work, wait: Duration) -> bool {
        let spent = self.ports.clock.now().duration_since(work.began);
        let patience = self.settings.give_up_after.min(work.patience);
        spent.unsigned_abs() + wait > if case.holds_up(work.kind) { patience.min(HOLD_UP) } else { patience }
    }

    async fn succeed(
        &self,
        case: &mut Case,
        work: &Work,
        read_back: Observation,
        attempts: u32,
    ) -> Result<(), JournalError> {
        let took = self.ports.clock.now().duration_since(work.began).as_millis();
        let took_ms = u64::try_from(took).unwrap_or_default();
        let (id, request_ids) = (work.id, work.request_ids.clone());
        tracing::info!(subject = %case.subject(), took_ms, attempts, read_back = %in_words(&read_back), call = %work.call.describe(), "done and read back");
        let event = if work.undoes.is_some() {
            CaseEvent::StepUndone { id, read_back, request_ids, attempts }
        } else {
            CaseEvent::StepSucceeded { id, read_back, request_ids, attempts, took_ms }
        };
        let mut events = vec![event];
        if !work.kind.is_on_mapping() {
            events.extend(self.settle_restriction(case, work.kind, id).await?);
        }
        self.append(case, &events).await
    }

    async fn target_gone(&self, case: &mut Case, work: &Work, seen: &Observation) -> Result<(), JournalError> {
        let error = format!("its target is gone: {}", in_words(seen));
        let mut events = vec![CaseEvent::StepFailed { id: work.id, error, refused: true }];
        if *seen == Observation::MappingGone {
            let looked_at = work.call.describe();
            events.push(CaseEvent::Evidence(Evidence::MappingGone { looked_at }));
        }
        self.append(case, &events).await
    }

    /// What people approved is another now: it is not done, and they are asked again.
    async fn void(&self, case: &mut Case, work: &Work, seen: Observation) -> Result<(), JournalError> {
        let error = "the mapping is another than the one that was shown: the approval is void".to_owned();
        let mut events = vec![CaseEvent::StepFailed { id: work.id, error, refused: true }];
        match (seen, work.undoes) {
            (Observation::Mapping { snapshot }, Some(id)) if snapshot.is_active() => {
                events.push(CaseEvent::Tampered { id, seen: Observation::Mapping { snapshot } });
            }
            (Observation::Mapping { snapshot }, _) => {
                events.push(CaseEvent::Evidence(Evidence::MappingRead { snapshot }));
            }
            _ => {}
        }
        self.append(case, &events).await
    }

    async fn give_up(&self, case: &mut Case, work: &Work, error: &str, refused: bool) -> Result<(), JournalError> {
        tracing::error!(
            subject = %case.subject(), call = %work.call.describe(), error, attempts = work.attempts,
            "it could not be done{}; a person is needed", if refused { ", and AWS refuses it for good" } else { "" }
        );
        self.append(case, &[CaseEvent::StepFailed { id: work.id, error: error.to_owned(), refused }]).await?;
        match case.steps.iter().find(|step| step.id == work.id && refused).cloned() {
            Some(step) => self.abandon_step(case, &step).await,
            None => Ok(()),
        }
    }
}

impl Work {
    fn on(step: &Step, resumed: bool, case: &Case, now: Timestamp) -> Self {
        let there_already = case
            .latest()
            .is_some_and(|read| step.call.achieved(&Observation::Mapping { snapshot: Box::new(read.clone()) }));
        Self {
            call: step.call.clone(),
            id: step.id,
            kind: step.kind,
            undoes: step.undoes,
            began: if resumed { now } else { step.at },
            attempts: step.attempts,
            refusals: 0,
            request_ids: Vec::new(),
            look_first: resumed || step.attempts > 0 || there_already || !step.kind.is_on_mapping(),
            acknowledged: false,
            patience: if step.error.is_empty() { Duration::MAX } else { ONCE_MORE },
            shown: case
                .shown_for(step.id)
                .or(case.latest())
                .filter(|_| step.undoes.is_some() || step.kind == StepKind::DeleteMapping)
                .cloned(),
        }
    }

    /// Whether the mapping was changed, by another call than this one, since people were shown it.
    fn strayed(&self, seen: &Observation) -> bool {
        let (Observation::Mapping { snapshot }, Some(shown)) = (seen, &self.shown) else {
            return false;
        };
        let change = match &self.call {
            Call::UpdateEventSourceMapping { change, .. } => change,
            Call::DeleteEventSourceMapping { .. } => return !snapshot.wired_as(shown),
            _ => return false,
        };
        let function = snapshot.function == shown.function
            || change.function_arn.as_ref().is_some_and(|arn| *arn == snapshot.function.arn);
        let wiring = !snapshot.wiring.differs(&shown.wiring).any()
            || !change.wiring.is_empty() && change.wiring.holds_in(&snapshot.wiring);
        !function || !wiring || snapshot.source != shown.source
    }

    /// Why what was seen must not be touched: it is not ours, or whom it should restrict is gone.
    fn refuses(&self, seen: &Observation) -> Option<String> {
        if self.undoes.is_none() && *seen == Observation::PrincipalGone {
            return Some(format!("{} is gone, or was made anew under the same name", self.call.target()));
        }
        self.call.foreign(seen)
    }

    /// Whether what was seen is on its way to what the call is for: AWS took this call, or one like it.
    fn comes_about(&self, seen: &Observation) -> bool {
        let Observation::Mapping { snapshot } = seen else {
            return false;
        };
        let change = match &self.call {
            Call::UpdateEventSourceMapping { change, .. } => change,
            Call::DeleteEventSourceMapping { .. } => return snapshot.state == "Deleting",
            Call::CreateEventSourceMapping { .. } => return in_transition(seen),
            _ => return false,
        };
        match snapshot.state.as_str() {
            "Disabling" => change.enabled == Some(false),
            "Enabling" | "Updating" => self.acknowledged,
            _ => false,
        }
    }
}

fn not_yet(seen: &Observation, work: &Work) -> CallError {
    let taken = if work.acknowledged { "AWS took the call, but " } else { "" };
    let request_id = work.request_ids.last().cloned();
    CallError::Busy { message: format!("{taken}it reads {}", in_words(seen)), request_id }
}

/// Whether there is nothing left that the call could change.
fn is_gone(call: &Call, seen: &Observation) -> bool {
    match call {
        // What one of them is for, and what the other one ends.
        Call::DeleteEventSourceMapping { .. } | Call::CreateEventSourceMapping { .. } => false,
        _ => matches!(seen, Observation::MappingGone | Observation::FunctionGone),
    }
}

fn in_transition(seen: &Observation) -> bool {
    matches!(seen, Observation::Mapping { snapshot }
        if matches!(snapshot.state.as_str(), "Creating" | "Updating" | "Enabling" | "Disabling" | "Deleting"))
}

pub(super) fn in_words(seen: &Observation) -> String {
    match seen {
        Observation::Mapping { snapshot } => format!("state {}", snapshot.state),
        Observation::MappingGone => "no such mapping".into(),
        Observation::Concurrency { reserved: Some(n) } => format!("reserved concurrency {n}"),
        Observation::Concurrency { reserved: None } => "no reserved concurrency".into(),
        Observation::FunctionGone => "no such function".into(),
        Observation::Policy { document: Some(_) } => "a policy of that name".into(),
        Observation::Policy { document: None } => "no policy of that name".into(),
        Observation::Attached { policies } => format!("attached: {}", policies.join(", ")),
        Observation::AccessKeys { keys } => {
            let word = |key: &AccessKey| format!("{} {}", key.id, if key.active { "active" } else { "inactive" });
            keys.iter().map(word).collect::<Vec<_>>().join(", ")
        }
        Observation::Tags { tags } => tags.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", "),
        Observation::PrincipalGone => "no such principal".into(),
    }
}
