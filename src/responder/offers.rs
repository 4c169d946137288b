//! What can be done about the credentials behind a case: looked up after containment, for people to decide on.

use super::{ByItself, Responder};
use crate::case::{Case, CaseEvent, CaseId, Evidence, State, SystemEvent};
use crate::containment::Call;
use crate::ports::{CallError, JournalError, PrincipalRead};
use crate::restriction::{
    self, ByHand, ELSEWHERE, Mode, Offer, Ours, Principal, PrincipalType, Standing, Strength, Target, Wanted, Whose,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long finding out what can be done may take.
const GATHER_WITHIN: Duration = Duration::from_secs(10);
/// How long the simulation of a principal's policies may take.
const SIMULATE_WITHIN: Duration = Duration::from_secs(3);
/// How often it is looked at again while people are asked.
const AGAIN: Duration = Duration::from_mins(3);
/// How long what IAM said of a principal serves for other cases of the same one.
const FRESH: Duration = Duration::from_secs(20);
/// How often an automatic restriction that is not done is looked at.
const BY_ITSELF: Duration = Duration::from_secs(10);

/// What IAM said of a principal.
#[derive(Clone)]
struct Looked {
    read: PrincipalRead,
    standing: Standing,
    strength: Strength,
}

/// The cases whose offers are to be gathered, and what IAM said lately.
#[derive(Clone, Default)]
pub(super) struct Wanting(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cases: Mutex<BTreeSet<CaseId>>,
    wake: Notify,
    looked: Mutex<Vec<(Principal, Instant, Looked)>>,
}

impl Wanting {
    fn lately(&self, who: &Principal) -> Option<Looked> {
        let mut known = self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, at, _)| at.elapsed() < FRESH);
        known.iter().find(|(of, ..)| of == who).map(|(.., looked)| looked.clone())
    }

    fn forget(&self, who: &Principal) {
        self.0.looked.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, ..)| of != who);
    }

    fn keep(&self, who: &Principal, looked: &Looked) {
        let mut known = self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
        known.push((who.clone(), Instant::now(), looked.clone()));
    }
}

impl Responder {
    /// Has the offers of a case gathered soon, by [`Responder::tend_offers`].
    pub fn wants_offers(&self, case: &CaseId) {
        self.wanted.0.cases.lock().unwrap_or_else(PoisonError::into_inner).insert(case.clone());
        self.wanted.0.wake.notify_one();
    }

    /// Gathers offers for as long as the responder runs: when a case is asked, when something is learnt that matters for
    /// them, and again from time to time; and restricts by itself where policy permits that.
    pub async fn tend_offers(&self) {
        let mut next: BTreeMap<CaseId, Instant> = BTreeMap::new();
        match self.ports.journal.unfinished().await {
            Ok(unfinished) => unfinished.iter().for_each(|case| self.wants_offers(case)),
            Err(error) => tracing::error!(%error, "the open cases cannot be listed"),
        }
        while !self.is_stopping() {
            let wanted = std::mem::take(&mut *self.wanted.0.cases.lock().unwrap_or_else(PoisonError::into_inner));
            let due = next.iter().filter(|(_, at)| **at <= Instant::now()).map(|(case, _)| case.clone());
            let now: BTreeSet<CaseId> = due.chain(wanted).collect();
            for case in now {
                match self.tend_case(&case).await {
                    Ok(Some(again)) => next.insert(case, Instant::now() + again),
                    Ok(None) => next.remove(&case),
                    Err(error) => {
                        tracing::error!(case = %case, %error, "what can be done about the credentials is not in the journal");
                        next.insert(case, Instant::now() + AGAIN)
                    }
                };
                if self.is_stopping() {
                    return;
                }
            }
            tokio::select! {
                () = self.wanted.0.wake.notified() => {}
                () = self.pause(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Gathers for one case; gives when to look again, where there is something left.
    async fn tend_case(&self, id: &CaseId) -> Result<Option<Duration>, JournalError> {
        self.gather_offers(id).await?;
        let by_itself = self.restrict_by_itself(id).await?;
        let case = self.load(id).await?;
        Ok(match (by_itself, case.state) {
            (_, State::Closed) => None,
            (ByItself::NotYet, _) => Some(BY_ITSELF),
            (ByItself::Settled, _) => Some(AGAIN),
        })
    }

    /// Finds out what can be done about the credentials behind a case, and records it where it is new. Only for cases that
    /// wait for a decision: containment comes first. It ends within ten seconds for each principal, and what could not be
    /// found out is recorded as such. May be repeated.
    pub async fn gather_offers(&self, id: &CaseId) -> Result<(), JournalError> {
        let mut case = self.load(id).await?;
        if !case.acts() || !matches!(case.state, State::AwaitingDecision | State::Stuck) {
            return Ok(());
        }
        for whose in self.worth_asking(&case) {
            let looked = tokio::time::timeout(GATHER_WITHIN, self.examine(&case, whose, true)).await;
            let evidence = match looked {
                Ok(Ok(Ok(Offer::ByHand { .. }))) if whose == Whose::CallerWhole => continue,
                Ok(Ok(Ok(offer))) => Evidence::Credentials { whose, offer: Box::new(offer) },
                Ok(Ok(Err(error))) => unknown(&error.to_string()),
                Ok(Err(error)) => return Err(error),
                Err(_) => unknown("IAM did not answer within ten seconds"),
            };
            if case.evidence.iter().any(|(known, _)| *known == evidence) {
                continue;
            }
            self.alarm_where_own(&case, &evidence).await?;
            self.append(&mut case, &[CaseEvent::Evidence(evidence)]).await?;
        }
        Ok(())
    }

    /// Whose credentials can be asked about, but for those that the case has restricted.
    fn worth_asking(&self, case: &Case) -> Vec<Whose> {
        let session = self.settings.restriction.means.mode == Mode::Session;
        let made = function_role(case).is_some();
        [(Whose::Caller, true), (Whose::CallerWhole, session), (Whose::Execution, made)]
            .into_iter()
            .filter(|(whose, asked)| *asked && !restricted(case, *whose))
            .map(|(whose, _)| whose)
            .collect()
    }

    /// Somebody else holds our credentials: that is more than a case.
    async fn alarm_where_own(&self, case: &Case, evidence: &Evidence) -> Result<(), JournalError> {
        let Evidence::Credentials { whose, offer } = evidence else { return Ok(()) };
        let Offer::ByHand { why, .. } = &**offer else { return Ok(()) };
        match self.target(case, *whose) {
            Target::ByHand(hand) if hand.own => {
                tracing::error!(case = %case.id, why, "ALARM");
                self.ports.journal.record(&SystemEvent::Alarm { what: format!("{}: {why}", case.id) }).await
            }
            _ => Ok(()),
        }
    }

    fn target(&self, case: &Case, whose: Whose) -> Target {
        let ours = Ours { identity: &self.settings.identity, account: &self.settings.account };
        let policies = self.policies.current();
        match (whose, function_role(case)) {
            (Whose::Caller | Whose::CallerWhole, _) => {
                let finding = &case.opened.finding;
                restriction::caller(finding, ours, policies.is_protected(&finding.actor.principal_arn))
            }
            (Whose::Execution, role) => {
                let role = role.unwrap_or_default();
                restriction::execution(role, ours, policies.is_protected(role))
            }
        }
    }

    /// What can be done about these credentials as things stand. The inner error says that it could not be found out.
    /// `for_people`: with its strength, and from what was read lately; else everything is read anew.
    pub(super) async fn examine(
        &self,
        case: &Case,
        whose: Whose,
        for_people: bool,
    ) -> Result<Result<Offer, CallError>, JournalError> {
        let mut principal = match self.target(case, whose) {
            Target::Principal(principal) => principal,
            Target::ByHand(hand) => return Ok(Ok(by_hand(hand))),
        };
        if whose == Whose::CallerWhole && principal.kind != PrincipalType::Role {
            let hand =
                restriction::blocked(&principal, "a user is restricted whole already".into(), "nothing is to be done");
            return Ok(Ok(by_hand(hand)));
        }
        let looked = match self.look_up(&principal, for_people).await {
            Ok(Some(looked)) => looked,
            Ok(None) => return Ok(Ok(by_hand(restriction::gone(&principal)))),
            Err(error) => return Ok(Err(error)),
        };
        if principal.id.is_empty() {
            principal.id.clone_from(&looked.read.id);
        } else if principal.id != looked.read.id {
            return Ok(Ok(by_hand(restriction::another(&principal, &looked.read.id))));
        }
        if principal.kind == PrincipalType::Role && !looked.read.arn.is_empty() && principal.arn != looked.read.arn {
            // IAM tells the role's true path, by which it may be kept; records and functions may leave it out.
            let ours = Ours { identity: &self.settings.identity, account: &self.settings.account };
            let protected = self.policies.current().is_protected(&looked.read.arn);
            if let Target::ByHand(hand) = restriction::execution(&looked.read.arn, ours, protected) {
                return Ok(Ok(by_hand(hand)));
            }
        }
        if restriction::is_protected_by_tag(&looked.read.tags) {
            let hand = restriction::protected(&principal, "it has the tag sluicegate-protected");
            return Ok(Ok(by_hand(hand)));
        }
        let mut held = self.ports.journal.restrictions().await?;
        held.retain(|held| held.principal == principal);
        let wanted = Wanted {
            whose,
            principal: &principal,
            actor: &case.opened.finding.actor,
            function: &case.opened.finding.call.function.name,
            case: &case.id,
            means: &self.settings.restriction.means,
            standing: &looked.standing,
            held: &held,
        };
        let form = match wanted.form() {
            Ok(form) => form,
            Err(hand) => return Ok(Ok(by_hand(hand))),
        };
        for offered in &form.steps {
            let Call::PutPolicy { name, .. } = &offered.call else { continue };
            let ours = held.iter().any(|held| held.call == offered.call);
            match self.ports.iam.inline_policy(&principal, name).await {
                Err(error) => return Ok(Err(error)),
                Ok(Some(_)) if !ours => {
                    let why =
                        format!("{} has a policy {name} already that sluicegate did not write", principal.words());
                    let hand = restriction::blocked(
                        &principal,
                        why,
                        "look at that policy; once it is gone the case offers more",
                    );
                    return Ok(Ok(by_hand(hand)));
                }
                Ok(_) => {}
            }
        }
        let joined = form.steps.iter().any(|offered| held.iter().any(|held| held.call == offered.call));
        let strength = self.strength_of(&looked, joined);
        Ok(Ok(Offer::Restrict { principal, steps: form.steps, reach: form.reach, strength }))
    }

    fn strength_of(&self, looked: &Looked, joined: bool) -> Strength {
        if joined {
            return Strength::Unknown { why: "it is restricted already, which hides what it could do without".into() };
        }
        if self.settings.restriction.means.mode == Mode::Quarantine {
            let why = "strong only where the service control policy that denies on the tag, and protects the tag, is \
                       installed; that cannot be seen from this account";
            return Strength::Unknown { why: why.into() };
        }
        looked.strength.clone()
    }

    /// What IAM says of a principal; `None`: there is none of that name.
    async fn look_up(&self, who: &Principal, for_people: bool) -> Result<Option<Looked>, CallError> {
        if let Some(looked) = self.wanted.lately(who).filter(|_| for_people) {
            return Ok(Some(looked));
        }
        self.wanted.forget(who);
        let iam = &self.ports.iam;
        let Some(read) = iam.principal(who).await? else { return Ok(None) };
        let means = &self.settings.restriction.means;
        let session = means.mode == Mode::Session;
        let user = who.kind == PrincipalType::User;
        let standing = Standing {
            trust: read.trust.clone(),
            tags: if means.mode == Mode::Quarantine { iam.tags(who).await? } else { read.tags.clone() },
            attached: if means.mode == Mode::Quarantine { Vec::new() } else { iam.attached(who).await? },
            inline_size: if session { iam.inline_size(who).await? } else { 0 },
            keys: if session && user { iam.access_keys(who).await? } else { Vec::new() },
        };
        let strength = if for_people { self.simulate(who).await } else { Strength::Unknown { why: String::new() } };
        let looked = Looked { read, standing, strength };
        if for_people {
            self.wanted.keep(who, &looked);
        }
        Ok(Some(looked))
    }

    /// Whether the principal could undo it, or go on as somebody else. It never holds anything up.
    async fn simulate(&self, who: &Principal) -> Strength {
        let both = async {
            let mut could = self.ports.iam.allowed(who, who.undoing(), &who.arn).await?;
            could.extend(self.ports.iam.allowed(who, &ELSEWHERE, "*").await?);
            Ok::<_, CallError>(could)
        };
        match tokio::time::timeout(SIMULATE_WITHIN, both).await {
            Ok(Ok(could)) => restriction::strength_by(could),
            Ok(Err(error)) => Strength::Unknown { why: format!("SimulatePrincipalPolicy: {error}") },
            Err(_) => Strength::Unknown { why: "SimulatePrincipalPolicy did not answer within three seconds".into() },
        }
    }
}

/// The execution role of the case's function, where the case's actor made the function.
fn function_role(case: &Case) -> Option<&str> {
    case.evidence.iter().find_map(|(evidence, _)| match evidence {
        Evidence::Function(facts) if facts.made_by_actor && !facts.role.is_empty() => Some(facts.role.as_str()),
        _ => None,
    })
}

/// Whether all that is on offer is on.
fn restricted(case: &Case, whose: Whose) -> bool {
    let Some(Offer::Restrict { steps, .. }) = case.offer(whose) else { return false };
    steps.iter().all(|offered| case.in_force_on(offered.step, &offered.call.target()))
}

fn by_hand(hand: ByHand) -> Offer {
    Offer::ByHand { why: hand.why, how: hand.how }
}

fn unknown(why: &str) -> Evidence {
    Evidence::Unknown { what: "credentials".into(), why: why.to_owned() }
}
