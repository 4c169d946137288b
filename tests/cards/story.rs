//! A case told event by event, at fixed times, with whatever names it is given.

use crate::common::{ACCOUNT, FUNCTION, QUEUE, REGION, created, key, snapshot, verdict};
use jiff::{SignedDuration, Timestamp};
use sluicegate::case::{Case, CaseEvent, CaseId, Decision, Evidence, Mode, Opened, Plan, Provenance, Via, Vote};
use sluicegate::case::{PlannedStep, plans_for, plans_once_asked};
use sluicegate::containment::{Call, Observation, Prior, StepKind};
use sluicegate::detection::Finding;
use sluicegate::mapping::{FunctionRef, Snapshot, SourceRef};
use sluicegate::policy::Response;
use sluicegate::ports::Recorded;

/// Every text that comes from outside.
#[derive(Debug, Clone)]
pub struct Names {
    pub function: String,
    pub source: String,
    pub role: String,
    pub session: String,
    pub agent: String,
    pub address: String,
    pub reason: String,
    pub person: String,
    pub words: String,
}

impl Names {
    pub fn ordinary() -> Self {
        Self {
            function: FUNCTION.into(),
            source: QUEUE.into(),
            role: format!("arn:aws:iam::{ACCOUNT}:role/people/intern"),
            session: "mallory".into(),
            agent: "aws-cli/2.31".into(),
            address: "203.0.113.7".into(),
            reason: "nobody of the team knows it".into(),
            person: "alice".into(),
            words: "no entry covers it".into(),
        }
    }

    /// The same text everywhere.
    pub fn all(text: &str) -> Self {
        let text = || text.to_owned();
        Self {
            function: text(),
            source: text(),
            role: format!("arn:aws:iam::{ACCOUNT}:role/{}", text()),
            session: text(),
            agent: text(),
            address: text(),
            reason: text(),
            person: text(),
            words: text(),
        }
    }

    pub fn function(&self) -> FunctionRef {
        let parsed = FunctionRef::parse(&self.function, "aws", REGION, ACCOUNT);
        if parsed.name.is_empty() {
            FunctionRef {
                arn: self.function.clone(),
                name: self.function.clone(),
                qualifier: self.words.clone(),
                account: String::new(),
            }
        } else {
            parsed
        }
    }

    pub fn source(&self) -> SourceRef {
        SourceRef::from_arn(&self.source)
    }
}

pub struct Story {
    pub names: Names,
    pub events: Vec<Recorded<CaseEvent>>,
    case: Option<Case>,
    at: Timestamp,
}

pub fn start() -> Timestamp {
    "2026-11-24T08:30:00Z".parse().unwrap()
}

impl Story {
    /// A mapping was created, and is what the event says.
    pub fn new(names: &Names) -> Self {
        Self::with(names, Response::Disable, |_| {})
    }

    pub fn with(names: &Names, response: Response, change: impl FnOnce(&mut Opened)) -> Self {
        let finding = finding(names, "0f1b8a8e-5d52-4f0e-9a27-0d7a6a9b6f10");
        let mut verdict = verdict(response);
        verdict.reasons = vec![names.words.clone(), "disable, by disable-first".into()];
        let mut opened = Opened {
            case_id: CaseId::of(&finding),
            finding,
            verdict,
            mode: Mode::Enforce,
            mapping: Some(key(1)),
            provenance: Provenance::Verified,
            snapshot: Some(Box::new(read(names, "Enabled"))),
            baseline: None,
            would_do: vec![],
        };
        change(&mut opened);
        let mut story = Self { names: names.clone(), events: vec![], case: None, at: start() };
        story.tell(CaseEvent::Opened(Box::new(opened)));
        story
    }

    pub fn case(&self) -> &Case {
        self.case.as_ref().unwrap()
    }

    /// One more event, a second later.
    pub fn tell(&mut self, event: CaseEvent) -> &mut Self {
        self.at += SignedDuration::from_secs(1);
        match &mut self.case {
            None => self.case = Some(Case::begin(&event, self.at).unwrap()),
            Some(case) => case.apply(&event, self.at).unwrap(),
        }
        self.events.push(Recorded { seq: self.events.len() as u64 + 1, at: self.at, event });
        self
    }

    pub fn learn(&mut self, evidence: Evidence) -> &mut Self {
        self.tell(CaseEvent::Evidence(evidence))
    }

    /// People are asked about the case as it stands.
    pub fn ask(&mut self, why: &str) -> &mut Self {
        let plans = plans_once_asked(self.case());
        self.tell(CaseEvent::ApprovalRequested { why: why.into(), plans })
    }

    /// A step by itself, done and read back.
    pub fn step(&mut self, kind: StepKind) -> &mut Self {
        let case = self.case();
        let call = kind.call(case.mapping.as_ref().unwrap(), case.latest().unwrap()).unwrap();
        self.carry_out(&PlannedStep { step: kind, undoes: None, call })
    }

    /// A step by itself, of which only the error comes back.
    pub fn failing(&mut self, kind: StepKind, refused: bool) -> &mut Self {
        let case = self.case();
        let call = kind.call(case.mapping.as_ref().unwrap(), case.latest().unwrap()).unwrap();
        let id = self.begin(&PlannedStep { step: kind, undoes: None, call });
        let error = format!("AccessDeniedException: {}", self.names.words);
        self.tell(CaseEvent::StepFailed { id, error, refused })
    }

    /// Contained, and people are asked.
    pub fn disabled(&mut self) -> &mut Self {
        self.step(StepKind::DisableMapping).ask("it is disabled: keep it so, or restore it")
    }

    pub fn vote(&mut self, person: &str, decision: Decision, needed: u32) -> &mut Self {
        let vote = self.ballot(person, decision, needed);
        self.tell(CaseEvent::Voted(vote))
    }

    pub fn ballot(&self, person: &str, decision: Decision, needed: u32) -> Vote {
        Vote {
            ballot: format!("ballot-{}", self.events.len()),
            person: person.into(),
            identity: format!("U{person}"),
            decision,
            plan: plans_for(self.case(), decision)[0].digest.clone(),
            reason: self.names.reason.clone(),
            needed,
            policies: vec!["security-decides".into()],
            via: Via::Slack,
        }
    }

    /// Decided by one, not done yet. The widest plan is taken.
    pub fn approve(&mut self, decision: Decision) -> Plan {
        let plan = plans_for(self.case(), decision).pop().unwrap();
        let person = self.names.person.clone();
        let vote = Vote { plan: plan.digest.clone(), ..self.ballot(&person, decision, 1) };
        self.tell(CaseEvent::Voted(vote));
        self.tell(CaseEvent::Approved { plan: plan.clone(), people: vec![person] });
        plan
    }

    /// Decided by one, and done.
    pub fn decide(&mut self, decision: Decision) -> &mut Self {
        for step in self.approve(decision).steps {
            self.carry_out(&step);
        }
        self
    }

    pub fn carry_out(&mut self, step: &PlannedStep) -> &mut Self {
        let id = self.begin(step);
        let read_back = self.read_back(&self.case().steps.last().unwrap().call.clone());
        let request_ids = vec![format!("request-{id}")];
        self.tell(match step.undoes {
            None => CaseEvent::StepSucceeded { id, read_back, request_ids, attempts: 1, took_ms: 340 },
            Some(_) => CaseEvent::StepUndone { id, read_back, request_ids, attempts: 1 },
        })
    }

    fn begin(&mut self, step: &PlannedStep) -> u32 {
        let (id, call) = (self.case().next_step(), step.call.clone().decided(self.at));
        let first = step.undoes.is_none() && self.case().prior_of(step.step, &call.target()).is_none();
        let prior = first.then(|| self.prior(step.step));
        self.tell(CaseEvent::StepPrepared { id, step: step.step, undoes: step.undoes, call, prior });
        let lease_until = self.at;
        self.tell(CaseEvent::StepStarted { id, worker: "w".into(), identity: "responder".into(), lease_until });
        id
    }

    fn prior(&self, kind: StepKind) -> Prior {
        match kind {
            StepKind::DisableMapping | StepKind::DeleteMapping => {
                Prior::Mapping { snapshot: Box::new(self.case().latest().unwrap().clone()), tags: vec![] }
            }
            StepKind::FreezeFunction => Prior::Concurrency { reserved: Some(5) },
            StepKind::RevokeSession | StepKind::DenyPrincipal => Prior::Policy { document: None },
            StepKind::CapPrincipal => Prior::Attached { policies: vec![] },
            StepKind::DeactivateKeys => Prior::AccessKeys { keys: vec![] },
            StepKind::QuarantinePrincipal => Prior::Tags { tags: vec![] },
        }
    }

    fn read_back(&self, call: &Call) -> Observation {
        let mapping = |active: bool| {
            let snapshot = Box::new(read(&self.names, if active { "Enabled" } else { "Disabled" }));
            Observation::Mapping { snapshot }
        };
        match call {
            Call::UpdateEventSourceMapping { change, .. } => mapping(change.enabled == Some(true)),
            Call::CreateEventSourceMapping { enabled, .. } => mapping(*enabled),
            Call::DeleteEventSourceMapping { .. } => Observation::MappingGone,
            Call::SetFunctionConcurrency { reserved, .. } => Observation::Concurrency { reserved: *reserved },
            Call::PutPolicy { deny, .. } => Observation::Policy { document: deny.document() },
            Call::DeletePolicy { .. } => Observation::Policy { document: None },
            Call::AttachPolicy { policy_arn, .. } => Observation::Attached { policies: vec![policy_arn.clone()] },
            Call::DetachPolicy { .. } => Observation::Attached { policies: vec![] },
            Call::SetAccessKeys { .. } => Observation::AccessKeys { keys: vec![] },
            Call::Tag { tags, .. } => Observation::Tags { tags: tags.clone() },
            Call::Untag { .. } => Observation::Tags { tags: vec![] },
        }
    }
}

/// The mapping as read.
pub fn read(names: &Names, state: &str) -> Snapshot {
    Snapshot { function: names.function(), source: names.source(), ..snapshot(1, state) }
}

pub fn finding(names: &Names, event_id: &str) -> Finding {
    let mut finding = crate::common::finding_of(&created(event_id, 1, start()));
    finding.call.function = names.function();
    finding.call.source = names.source();
    let actor = &mut finding.actor;
    actor.principal_arn.clone_from(&names.role);
    actor.session_name.clone_from(&names.session);
    actor.user_agent.clone_from(&names.agent);
    actor.source_ip.clone_from(&names.address);
    finding
}
