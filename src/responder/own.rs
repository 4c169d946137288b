//! Which calls are our own. A call is ours when a step's own identity made it and the step recorded its request id; or,
//! where AWS never told the id, when mapping and arguments are those of a started step, and then only once.

use super::{Disposition, Responder};
use crate::case::{Case, CaseEvent, CaseId, Step, StepStatus};
use crate::cloudtrail::{Actor, MappingCall, Verb};
use crate::containment::{Call, MappingChange};
use crate::detection::Finding;
use crate::mapping::MappingKey;
use crate::ports::JournalError;
use std::time::Duration;

/// How long a record that may be of a call under way waits for that call's answer.
const PATIENCE: u32 = 40;
const MOMENT: Duration = Duration::from_millis(250);

/// What a step has to do with a call.
enum Link {
    None,
    Ours,
    OursUnless(u32),
    UnderWay,
}

impl Responder {
    /// What becomes of a finding that is our own call; `None` where it is not.
    pub(super) async fn ours(&self, finding: &Finding) -> Result<Option<Disposition>, JournalError> {
        if finding.call.uuid.is_empty() {
            return Ok(None);
        }
        for _ in 0..PATIENCE {
            let mut wait = false;
            for id in self.candidates(finding).await? {
                let case = self.load(&id).await?;
                match link(&case, finding) {
                    Link::None => {}
                    Link::Ours => return Ok(Some(known(&id, finding))),
                    Link::UnderWay => wait = true,
                    Link::OursUnless(step) => {
                        let seen = CaseEvent::OwnCallSeen { event_id: finding.event.id.clone(), step };
                        return match self.ports.journal.append(&id, case.seq, &[seen]).await {
                            Ok(_) => Ok(Some(known(&id, finding))),
                            Err(JournalError::Conflict { .. }) => {
                                Ok(Some(Disposition::Again("the case moved on".into())))
                            }
                            Err(error) => Err(error),
                        };
                    }
                }
            }
            if !wait || self.is_stopping() {
                return Ok(None);
            }
            self.pause(MOMENT).await;
        }
        Ok(Some(Disposition::Again("it may be our own call, whose answer is still awaited".into())))
    }

    async fn candidates(&self, finding: &Finding) -> Result<Vec<CaseId>, JournalError> {
        if let Some(case) = self.ports.journal.own_request(&finding.event.request_id).await? {
            return Ok(vec![case]);
        }
        if finding.call.verb == Verb::Create {
            // A mapping made anew has a UUID that nobody knew: only a case that deleted one of the pair makes it.
            let (function, source) = (&finding.call.function.arn, &finding.call.source.arn);
            let journal = &self.ports.journal;
            return journal.deletions_of_pair(&finding.account, &finding.region, function, source).await;
        }
        let mapping = MappingKey {
            account: finding.account.clone(),
            region: finding.region.clone(),
            uuid: finding.call.uuid.to_ascii_lowercase(),
        };
        self.ports.journal.cases_on(&mapping).await
    }
}

fn known(case: &CaseId, finding: &Finding) -> Disposition {
    tracing::debug!(case = %case, event = %finding.event.id, "our own call");
    Disposition::Done
}

fn link(case: &Case, finding: &Finding) -> Link {
    let request = &finding.event.request_id;
    for step in case.steps.iter().filter(|step| made_by(&finding.actor, &step.identity)) {
        if !request.is_empty() && step.request_ids.contains(request) {
            return Link::Ours;
        }
        if !same_arguments(&step.call, &finding.call) {
            continue;
        }
        match step.status {
            StepStatus::Started => return Link::UnderWay,
            _ if unexplained(step) => return Link::OursUnless(step.id),
            _ => {}
        }
    }
    Link::None
}

/// A try of this step may have reached AWS without its request id reaching us, and no record was taken for it yet.
fn unexplained(step: &Step) -> bool {
    step.ambiguous && !step.own_call_seen
}

/// Whether the caller is the identity that STS names by `arn`. STS leaves out a role's path, but a role's name is
/// unique in its account.
fn made_by(actor: &Actor, arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, account, resource] = parts.as_slice() else {
        return false;
    };
    if *account != actor.account {
        return false;
    }
    match (*service, resource.split('/').collect::<Vec<_>>().as_slice()) {
        ("sts", ["assumed-role", name, session]) => {
            let role = actor.principal_arn.split(":role/").nth(1).and_then(|path| path.rsplit('/').next());
            role == Some(name) && actor.session_name == *session
        }
        _ => actor.principal_arn == arn,
    }
}

fn same_arguments(ours: &Call, theirs: &MappingCall) -> bool {
    if let Call::CreateEventSourceMapping { function_arn, source, enabled, .. } = ours {
        return theirs.verb == Verb::Create
            && *function_arn == theirs.function.arn
            && source.arn == theirs.source.arn
            && source.name == theirs.source.name
            && theirs.enabled.unwrap_or(true) == *enabled;
    }
    if theirs.verb == Verb::Create {
        return false;
    }
    let Call::UpdateEventSourceMapping { mapping, change } = ours else {
        return false;
    };
    let MappingChange { enabled, function_arn, wiring } = change;
    mapping.uuid.eq_ignore_ascii_case(&theirs.uuid)
        && *enabled == theirs.enabled
        && function_arn.is_some() == theirs.names_function
        && function_arn.as_ref().is_none_or(|arn| *arn == theirs.function.arn)
        && *wiring == theirs.wiring
}
