//! `userIdentity` → an [`Actor`], identified only where everything the record says about the caller agrees.

use super::entity::Entity;
use super::json::{self, flag, pick, present, text_or_empty};
use super::{Actor, PrincipalKind, time};
use crate::mapping::{Arn, is_account};
use serde_json::value::RawValue;

/// What the record says about the caller outside `userIdentity`.
pub(super) struct Circumstances<'a> {
    pub(super) source_ip: Option<&'a RawValue>,
    pub(super) user_agent: Option<&'a RawValue>,
    pub(super) console: Option<&'a RawValue>,
}

/// The parts of `userIdentity` that identify. A value of a wrong type is remembered: it leaves the actor unidentified.
#[derive(Default)]
struct Identity {
    kind: String,
    principal_id: String,
    arn: String,
    account: String,
    user_name: String,
    access_key_id: String,
    invoked_by: String,
    issuer: Option<Issuer>,
    wrong: Option<String>,
}

/// `sessionContext.sessionIssuer`.
#[derive(Default)]
struct Issuer {
    kind: String,
    principal_id: String,
    arn: String,
    account: String,
    user_name: String,
}

/// Reads the caller. Never fails: what cannot be told for certain leaves the actor unidentified, with the reason.
pub(super) fn read(identity: Option<&RawValue>, about: &Circumstances<'_>) -> Actor {
    let mut actor = Actor {
        source_ip: text_or_empty(about.source_ip),
        user_agent: text_or_empty(about.user_agent),
        console: flag(about.console).unwrap_or_default(),
        ..Actor::default()
    };
    let Some(raw) = present(identity) else {
        "the record has no userIdentity".clone_into(&mut actor.unidentified);
        return actor;
    };
    match Identity::read(raw, &mut actor) {
        Err(fault) => actor.unidentified = format!("userIdentity {fault}"),
        Ok(identity) => {
            actor.kind = PrincipalKind::named(&identity.kind);
            match identity.principal(&mut actor) {
                Ok(arn) => actor.principal_arn = arn,
                Err(reason) => actor.unidentified = reason,
            }
            actor.account = if identity.account.is_empty() {
                Arn::parse(&identity.arn).map_or("", |arn| arn.account).to_owned()
            } else {
                identity.account
            };
            actor.arn = identity.arn;
            actor.principal_id = identity.principal_id;
            actor.issuer_id = identity.issuer.map(|issuer| issuer.principal_id).unwrap_or_default();
            actor.access_key_id = identity.access_key_id;
            actor.invoked_by = identity.invoked_by;
        }
    }
    actor
}

impl Identity {
    fn read(raw: &RawValue, actor: &mut Actor) -> Result<Self, json::Fault> {
        const NAMES: [&str; 8] =
            ["type", "principalId", "arn", "accountId", "userName", "accessKeyId", "invokedBy", "sessionContext"];
        let [kind, principal, arn, account, user, key, invoked, context] = pick(raw, &NAMES)?;
        let mut wrong = None;
        let mut take = |name: &str, raw: Option<&RawValue>| take_text(&mut wrong, name, raw);
        let mut identity = Self {
            kind: take("type", kind),
            principal_id: take("principalId", principal),
            arn: take("arn", arn),
            account: take("accountId", account),
            user_name: take("userName", user),
            access_key_id: take("accessKeyId", key),
            invoked_by: take("invokedBy", invoked),
            issuer: None,
            wrong: None,
        };
        if let Some(context) = present(context) {
            match read_context(context, actor, &mut wrong) {
                Ok(issuer) => identity.issuer = issuer,
                Err(fault) => wrong = Some(format!("userIdentity.sessionContext {fault}")),
            }
        }
        identity.wrong = wrong;
        Ok(identity)
    }

    /// The IAM ARN of the principal, or why it cannot be told.
    fn principal(&self, actor: &mut Actor) -> Result<String, String> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        match actor.kind {
            PrincipalKind::Unknown => Err(match self.kind.as_str() {
                "" => "userIdentity has no type".to_owned(),
                "Unknown" => "CloudTrail calls this identity Unknown".to_owned(),
                other => format!("CloudTrail calls this identity {other:?}, a kind that is not known here"),
            }),
            PrincipalKind::AssumedRole => self.assumed_role(actor),
            PrincipalKind::Role if self.arn.contains(":assumed-role/") => self.assumed_role(actor),
            PrincipalKind::FederatedUser => self.federated_user(actor),
            PrincipalKind::Root => self.entity(&["root"]),
            PrincipalKind::Role => self.entity(&["role"]),
            PrincipalKind::IamUser => self.entity(&["user"]),
            _ => self.entity(&["role", "user"]),
        }
    }

    /// A principal that CloudTrail names by its own IAM ARN.
    fn entity(&self, kinds: &[&str]) -> Result<String, String> {
        if self.arn.is_empty() {
            return Err(format!("userIdentity of type {} has no arn", self.kind));
        }
        let Some(entity) = Entity::parse(&self.arn).filter(|entity| kinds.contains(&entity.kind)) else {
            return Err(format!("{:?} is not the IAM ARN of a {}", self.arn, kinds.join(" or ")));
        };
        agree("account", &self.account, "userIdentity.arn", entity.account)?;
        if entity.kind == "user" {
            agree("userName", &self.user_name, "userIdentity.arn", entity.name)?;
        }
        if entity.kind == "root" && is_account(&self.principal_id) {
            agree("principalId", &self.principal_id, "userIdentity.arn", entity.account)?;
        }
        Ok(self.arn.clone())
    }

    /// The STS ARN drops the role's path, so only the session's issuer can name the role; all else must agree with it.
    fn assumed_role(&self, actor: &mut Actor) -> Result<String, String> {
        // The session is told even where the role is not.
        let session = self.sts_session("assumed-role")?;
        let by_id = self.principal_id.split_once(':');
        actor.session_name = match (session, by_id) {
            (Some((_, name, session)), Some((_, other))) if session != other => {
                return Err(format!(
                    "the session of role {name} is {session:?} in userIdentity.arn, but {other:?} in principalId"
                ));
            }
            (Some((_, _, session)), _) | (None, Some((_, session))) => session.to_owned(),
            (None, None) => String::new(),
        };
        let issuer = self.issuer("the role's path is not in the record")?;
        let Some(role) = Entity::parse(&issuer.arn).filter(|entity| entity.kind == "role") else {
            return Err(format!("{:?} of sessionIssuer is not the IAM ARN of a role", issuer.arn));
        };
        if !matches!(issuer.kind.as_str(), "" | "Role") {
            return Err(format!("sessionIssuer is of type {:?}, not Role", issuer.kind));
        }
        if let Some((arn, name, _)) = session {
            agree("role", name, "sessionIssuer.arn", role.name)?;
            agree("account", arn.account, "sessionIssuer.arn", role.account)?;
            agree("partition", arn.partition, "sessionIssuer.arn", role.partition)?;
        }
        issuer.agrees_with(&role)?;
        agree("account", &self.account, "sessionIssuer.arn", role.account)?;
        let role_id = by_id.map_or(self.principal_id.as_str(), |(role_id, _)| role_id);
        if !issuer.principal_id.is_empty() {
            agree("principalId", role_id, "sessionIssuer.principalId", &issuer.principal_id)?;
        }
        Ok(issuer.arn.clone())
    }

    /// A federated session can do at most what the user who made it can: that user is the principal.
    fn federated_user(&self, actor: &mut Actor) -> Result<String, String> {
        let by_arn = Arn::parse(&self.arn)
            .filter(|arn| arn.service == "sts")
            .and_then(|arn| Some((arn, arn.resource.strip_prefix("federated-user/")?)));
        if by_arn.is_none() && !self.arn.is_empty() {
            return Err(format!("{:?} is not the STS ARN of a federated user", self.arn));
        }
        let by_id = self.principal_id.split_once(':');
        let name = by_arn.map(|(_, name)| name).or(by_id.map(|(_, name)| name));
        name.unwrap_or_default().clone_into(&mut actor.session_name);
        let issuer = self.issuer("the user behind the federated session is not in the record")?;
        let Some(user) = Entity::parse(&issuer.arn).filter(|entity| entity.kind == "user") else {
            return Err(format!("{:?} of sessionIssuer is not the IAM ARN of a user", issuer.arn));
        };
        if !matches!(issuer.kind.as_str(), "" | "IAMUser") {
            return Err(format!("sessionIssuer is of type {:?}, not IAMUser", issuer.kind));
        }
        if let Some((arn, _)) = by_arn {
            agree("account", arn.account, "sessionIssuer.arn", user.account)?;
            agree("partition", arn.partition, "sessionIssuer.arn", user.partition)?;
        }
        if let Some((account, other)) = by_id {
            agree("federated user", &actor.session_name, "principalId", other)?;
            agree("account in principalId", account, "sessionIssuer.arn", user.account)?;
        }
        issuer.agrees_with(&user)?;
        agree("account", &self.account, "sessionIssuer.arn", user.account)?;
        Ok(issuer.arn.clone())
    }

    /// The issuer, where it says anything; else why not, after `lacking`.
    fn issuer(&self, lacking: &str) -> Result<&Issuer, String> {
        match &self.issuer {
            None => Err(format!("{lacking}: sessionContext.sessionIssuer is missing")),
            Some(issuer) if issuer.arn.is_empty() => Err(format!("{lacking}: sessionIssuer is empty")),
            Some(issuer) => Ok(issuer),
        }
    }

    /// ARN, role name and session name of `arn:P:sts::A:assumed-role/NAME/SESSION`; `None` where there is no ARN.
    fn sts_session(&self, what: &str) -> Result<Option<(Arn<'_>, &str, &str)>, String> {
        if self.arn.is_empty() {
            return Ok(None);
        }
        Arn::parse(&self.arn)
            .filter(|arn| arn.service == "sts")
            .and_then(|arn| {
                let rest = arn.resource.strip_prefix(what)?.strip_prefix('/')?;
                let (name, session) = rest.split_once('/')?;
                (!name.is_empty() && !session.is_empty() && !session.contains('/')).then_some((arn, name, session))
            })
            .map(Some)
            .ok_or_else(|| format!("{:?} is not the STS ARN of a role's session", self.arn))
    }
}

impl Issuer {
    fn agrees_with(&self, entity: &Entity<'_>) -> Result<(), String> {
        agree("sessionIssuer.userName", &self.user_name, "sessionIssuer.arn", entity.name)?;
        agree("sessionIssuer.accountId", &self.account, "sessionIssuer.arn", entity.account)
    }
}

fn read_context(raw: &RawValue, actor: &mut Actor, wrong: &mut Option<String>) -> Result<Option<Issuer>, json::Fault> {
    let [issuer, attributes] = pick(raw, &["sessionIssuer", "attributes"])?;
    if let Some(attributes) = present(attributes) {
        let [mfa, created] = pick(attributes, &["mfaAuthenticated", "creationDate"])?;
        actor.mfa = flag(mfa).unwrap_or_default();
        actor.issued_at = time::iso(created);
    }
    let Some(raw) = present(issuer) else { return Ok(None) };
    let [kind, principal, arn, account, user] = pick(raw, &["type", "principalId", "arn", "accountId", "userName"])?;
    let mut take = |name: &str, raw: Option<&RawValue>| take_text(wrong, name, raw);
    Ok(Some(Issuer {
        kind: take("sessionIssuer.type", kind),
        principal_id: take("sessionIssuer.principalId", principal),
        arn: take("sessionIssuer.arn", arn),
        account: take("sessionIssuer.accountId", account),
        user_name: take("sessionIssuer.userName", user),
    }))
}

fn take_text(wrong: &mut Option<String>, name: &str, raw: Option<&RawValue>) -> String {
    let Some(raw) = present(raw) else { return String::new() };
    if let Some(text) = json::text(Some(raw)) {
        return text.into_owned();
    }
    wrong.get_or_insert_with(|| format!("{name} in userIdentity is no text"));
    String::new()
}

/// Two statements about the same thing; one that is missing contradicts nothing.
fn agree(what: &str, said: &str, place: &str, expected: &str) -> Result<(), String> {
    if said.is_empty() || said == expected {
        return Ok(());
    }
    Err(format!("the record contradicts itself: {what} is {said:?}, but {expected:?} in {place}"))
}

#[cfg(test)]
mod tests;
