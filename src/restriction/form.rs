//! Which form of denial holds for a principal, and how far it reaches: the exact calls, or why there are none.

use super::target::ByHand;
use super::trust::Assumers;
use super::{AccessKey, Cutoff, Deny, OfferedStep, Principal, PrincipalType, Restriction, Whose, by_hand};
use crate::case::CaseId;
use crate::cloudtrail::{Actor, PrincipalKind};
use crate::containment::{CASE_TAG, Call, QUARANTINE_TAG, StepKind};
use serde::Deserialize;

/// How credentials are restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A deny-all managed policy.
    #[default]
    Cap,
    /// Narrow inline denies.
    Session,
    /// A tag and a pre-installed service control policy.
    Quarantine,
}

/// By what means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// In which form.
    pub mode: Mode,
    /// The managed policy that `Mode::Cap` attaches.
    pub cap_policy: String,
}

/// AWS's own deny-all policy.
pub const DENY_ALL: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

impl Default for Means {
    fn default() -> Self {
        Self { mode: Mode::Cap, cap_policy: DENY_ALL.to_owned() }
    }
}

/// What IAM says about the principal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// A role's trust policy; else `""`.
    pub trust: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// The managed policies attached to it.
    pub attached: Vec<String>,
    /// What its inline policies weigh.
    pub inline_size: usize,
    /// A user's keys.
    pub keys: Vec<AccessKey>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Whose credentials.
    pub whose: Whose,
    /// Whom they belong to.
    pub principal: &'a Principal,
    /// Who made the call.
    pub actor: &'a Actor,
    /// The function, for its execution role.
    pub function: &'a str,
    /// The case.
    pub case: &'a CaseId,
    /// By what means.
    pub means: &'a Means,
    /// How the principal stands.
    pub standing: &'a Standing,
    /// The restrictions that are on it already.
    pub held: &'a [Restriction],
}

/// The calls, and how far they reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// In order.
    pub steps: Vec<OfferedStep>,
    /// For people.
    pub reach: String,
}

/// Characters that all inline policies of a principal may have together, white space not counted.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
fn quota(kind: PrincipalType) -> usize {
    match kind {
        PrincipalType::Role => 10_240,
        PrincipalType::User => 2_048,
    }
}

/// Places for managed policies: by default, and at most.
const SLOTS: (usize, usize) = (10, 25);

impl Wanted<'_> {
    /// The form that holds; where one is on already that does, that one, which the case then joins.
    pub fn form(self) -> Result<Form, ByHand> {
        match (self.means.mode, self.whose) {
            (Mode::Cap, _) => self.cap(""),
            (Mode::Quarantine, _) => self.quarantine(),
            (Mode::Session, Whose::CallerWhole) => {
                self.inline(StepKind::DenyPrincipal, "-role", Deny::default(), super::reach::whole(self))
            }
            (Mode::Session, _) if self.principal.kind == PrincipalType::User => self.user(),
            (Mode::Session, whose) => {
                let deny = if whose == Whose::Execution { self.execution() } else { self.session() };
                let reach = super::reach::session(self, &deny);
                self.inline(
                    StepKind::RevokeSession,
                    if whose == Whose::Execution { "-function" } else { "" },
                    deny,
                    reach,
                )
            }
        }
    }

    /// The deny-all policy attached.
    fn cap(self, because: &str) -> Result<Form, ByHand> {
        let (principal, attached) = (self.principal, &self.standing.attached);
        let policy_arn = self.cap_policy();
        let call = self.shared(
            StepKind::CapPrincipal,
            Call::AttachPolicy { principal: principal.clone(), policy_arn: policy_arn.clone() },
        );
        let owner = policy_arn.split(':').nth(4).unwrap_or_default();
        if owner != "aws" && owner != principal.account {
            let why = format!(
                "[restriction] cap_policy is {policy_arn}, which is of another account than {}",
                principal.words()
            );
            return Err(by_hand::blocked(
                principal,
                why,
                "set [restriction] cap_policy to a policy that can be attached there",
            ));
        }
        if !self.is_held(StepKind::CapPrincipal, &call) {
            if attached.contains(&policy_arn) {
                let why = format!(
                    "{policy_arn} is attached to {} already, and not by sluicegate: everything is denied to it",
                    principal.words()
                );
                return Err(by_hand::blocked(principal, why, "nothing is to be done, if it stays attached"));
            }
            if attached.len() == SLOTS.0 || attached.len() >= SLOTS.1 {
                let why = format!(
                    "{} has {} managed policies attached, and no place for another",
                    principal.words(),
                    attached.len()
                );
                return Err(by_hand::blocked(
                    principal,
                    why,
                    "detach one that is not needed, or have the quota raised, and look again",
                ));
            }
        }
        Ok(Form {
            steps: vec![OfferedStep { step: StepKind::CapPrincipal, call }],
            reach: format!("{because}{}", super::reach::whole(self)),
        })
    }

    /// The policy's ARN in the principal's partition, where it is one of AWS's own.
    fn cap_policy(self) -> String {
        match self.means.cap_policy.splitn(6, ':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "iam", "", "aws", policy] => format!("arn:{}:iam::aws:{policy}", self.principal.partition()),
            _ => self.means.cap_policy.clone(),
        }
    }

    fn quarantine(self) -> Result<Form, ByHand> {
        let principal = self.principal.clone();
        let tags = vec![(QUARANTINE_TAG.to_owned(), "true".to_owned()), (CASE_TAG.to_owned(), self.case.to_string())];
        let call = self.shared(StepKind::QuarantinePrincipal, Call::Tag { principal, tags });
        let there = self.standing.tags.iter().any(|(key, value)| key == QUARANTINE_TAG && value == "true");
        if there && !self.is_held(StepKind::QuarantinePrincipal, &call) {
            let why =
                format!("{} has the tag {QUARANTINE_TAG}=true already, and not by sluicegate", self.principal.words());
            return Err(by_hand::blocked(self.principal, why, "nothing is to be done, if it stays"));
        }
        let reach = super::reach::quarantine(self);
        Ok(Form { steps: vec![OfferedStep { step: StepKind::QuarantinePrincipal, call }], reach })
    }

    /// A user: first everything is denied, then the keys go. The keys alone would leave every session that was issued
    /// with them alive, for up to 36 hours.
    fn user(self) -> Result<Form, ByHand> {
        let mut form = self.inline(StepKind::DenyPrincipal, "", Deny::default(), super::reach::user(self))?;
        if form.steps.iter().any(|offered| offered.step == StepKind::CapPrincipal) {
            return Ok(form);
        }
        let active: Vec<String> =
            self.standing.keys.iter().filter(|key| key.active).map(|key| key.id.clone()).collect();
        let call = Call::SetAccessKeys { principal: self.principal.clone(), keys: active.clone(), active: false };
        let call = self.shared(StepKind::DeactivateKeys, call);
        if !active.is_empty() || self.is_held(StepKind::DeactivateKeys, &call) {
            form.steps.push(OfferedStep { step: StepKind::DeactivateKeys, call });
        }
        Ok(form)
    }

    /// An inline policy, where there is room for it; else the managed one.
    fn inline(self, step: StepKind, suffix: &str, deny: Deny, reach: String) -> Result<Form, ByHand> {
        let principal = self.principal.clone();
        // The time is of the same length whenever it is.
        let weighs = deny.clone().decided(jiff::Timestamp::UNIX_EPOCH).document().map_or(0, |document| document.len());
        let name = format!("Sluicegate-{}{suffix}", self.case);
        let call = self.shared(step, Call::PutPolicy { principal, name, deny });
        let room = quota(self.principal.kind);
        if self.standing.inline_size + weighs > room && !self.is_held(step, &call) {
            let because = format!(
                "its inline policies have {} of {room} characters, which leaves no room for a narrow one; so the deny-all \
                 policy instead: ",
                self.standing.inline_size
            );
            return self.cap(&because);
        }
        Ok(Form { steps: vec![OfferedStep { step, call }], reach })
    }

    /// The narrowest that holds. A name that stays the same is denied for good; one that the caller chooses, only to
    /// the sessions begun before, since the next one has another name anyway.
    fn session(self) -> Deny {
        let actor = self.actor;
        let named = !actor.session_name.is_empty() && is_session_name(&actor.session_name);
        let user_id = named.then(|| format!("{}:{}", self.principal.id, actor.session_name));
        let chosen = Assumers::of(&self.standing.trust).is_some_and(|all| all.name_their_sessions());
        let stays = is_instance(&actor.session_name) || !chosen;
        let issued_before = (user_id.is_none() || !stays).then_some(Cutoff::Decision);
        Deny { user_id, issued_before }
    }

    /// Lambda names the sessions of a function's role after the function.
    fn execution(self) -> Deny {
        Deny { user_id: Some(format!("{}:{}", self.principal.id, self.function)), issued_before: None }
    }

    /// The call of a restriction that is on already and reaches as far, else `call` itself.
    fn shared(self, step: StepKind, call: Call) -> Call {
        let issued = if self.actor.kind == PrincipalKind::IamUser { None } else { self.actor.issued_at };
        let on = self.held.iter().find(|held| held.step == step && held.covers(&call, issued));
        on.map_or(call, |held| held.call.clone())
    }

    fn is_held(self, step: StepKind, call: &Call) -> bool {
        self.held.iter().any(|held| held.step == step && held.call == *call)
    }
}

/// EC2 names the sessions of an instance's role after the instance.
fn is_instance(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|id| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// IAM's alphabet for session names has no wildcard; what is outside it is no session's name.
fn is_session_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
