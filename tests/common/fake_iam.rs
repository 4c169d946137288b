//! The fake account's IAM: roles and users with inline policies, attachments, keys and tags.

use super::fake::Fake;
use async_trait::async_trait;
use sluicegate::ports::{Acknowledged, CallError, Iam, PrincipalRead};
use sluicegate::restriction::{AccessKey, Principal};
use std::collections::BTreeMap;

/// A role or user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entity {
    /// Where it is not as records tell it.
    pub arn: String,
    pub id: String,
    pub trust: String,
    pub policies: BTreeMap<String, String>,
    pub attached: Vec<String>,
    pub keys: Vec<AccessKey>,
    pub tags: BTreeMap<String, String>,
    /// What it may do, as a simulation says.
    pub may: Vec<String>,
}

fn none(what: &str) -> CallError {
    CallError::NotFound { message: what.to_owned(), request_id: None }
}

fn done() -> Acknowledged {
    Acknowledged { request_id: "iam".into() }
}

impl Fake {
    pub fn entity(&self, name: &str) -> Entity {
        self.0.lock().unwrap().entities.get(name).cloned().unwrap_or_default()
    }

    pub fn changes(&self) -> Vec<String> {
        self.0.lock().unwrap().iam_changes.clone()
    }

    /// Somebody else changes a principal.
    pub fn meddle(&self, name: &str, change: impl FnOnce(&mut Entity)) {
        change(self.0.lock().unwrap().entities.get_mut(name).unwrap());
    }

    fn read<T>(&self, who: &Principal, read: impl FnOnce(&Entity) -> T) -> Result<T, CallError> {
        self.0.lock().unwrap().entities.get(&who.name).map(read).ok_or_else(|| none(&who.name))
    }

    /// A changing call: it is counted, fails as told, and where the answer is lost it has its effect all the same.
    fn write(
        &self,
        call: &str,
        who: &Principal,
        change: impl FnOnce(&mut Entity) -> Result<(), CallError>,
    ) -> Result<Acknowledged, CallError> {
        let mut account = self.0.lock().unwrap();
        if account.frozen {
            return Err(CallError::NotSent { message: "it crashed".into() });
        }
        account.iam_changes.push(format!("{call} {}", who.name));
        let fault = account.iam_faults.pop_front();
        if let Some(error) = fault.clone().filter(|error| !matches!(error, CallError::Ambiguous { .. })) {
            return Err(error);
        }
        change(account.entities.get_mut(&who.name).ok_or_else(|| none(&who.name))?)?;
        fault.map_or_else(|| Ok(done()), Err)
    }
}

#[async_trait]
impl Iam for Fake {
    async fn principal(&self, who: &Principal) -> Result<Option<PrincipalRead>, CallError> {
        let read = |entity: &Entity| PrincipalRead {
            id: entity.id.clone(),
            arn: if entity.arn.is_empty() { who.arn.clone() } else { entity.arn.clone() },
            trust: entity.trust.clone(),
            tags: entity.tags.clone().into_iter().collect(),
        };
        Ok(self.read(who, read).ok())
    }

    async fn inline_policy(&self, who: &Principal, name: &str) -> Result<Option<String>, CallError> {
        self.read(who, |entity| entity.policies.get(name).cloned())
    }

    async fn inline_size(&self, who: &Principal) -> Result<usize, CallError> {
        self.read(who, |entity| entity.policies.values().map(String::len).sum())
    }

    async fn put_inline_policy(&self, who: &Principal, name: &str, document: &str) -> Result<Acknowledged, CallError> {
        self.write("PutPolicy", who, |entity| {
            entity.policies.insert(name.into(), document.into());
            Ok(())
        })
    }

    async fn delete_inline_policy(&self, who: &Principal, name: &str) -> Result<Acknowledged, CallError> {
        self.write("DeletePolicy", who, |entity| entity.policies.remove(name).map(drop).ok_or_else(|| none(name)))
    }

    async fn attached(&self, who: &Principal) -> Result<Vec<String>, CallError> {
        self.read(who, |entity| entity.attached.clone())
    }

    async fn attach(&self, who: &Principal, policy_arn: &str) -> Result<Acknowledged, CallError> {
        self.write("AttachPolicy", who, |entity| {
            entity.attached.retain(|policy| policy != policy_arn);
            entity.attached.push(policy_arn.into());
            Ok(())
        })
    }

    async fn detach(&self, who: &Principal, policy_arn: &str) -> Result<Acknowledged, CallError> {
        self.write("DetachPolicy", who, |entity| {
            let before = entity.attached.len();
            entity.attached.retain(|policy| policy != policy_arn);
            if entity.attached.len() == before { Err(none(policy_arn)) } else { Ok(()) }
        })
    }

    async fn access_keys(&self, who: &Principal) -> Result<Vec<AccessKey>, CallError> {
        self.read(who, |entity| entity.keys.clone())
    }

    async fn set_access_key(&self, who: &Principal, key_id: &str, active: bool) -> Result<Acknowledged, CallError> {
        self.write("UpdateAccessKey", who, |entity| {
            let key = entity.keys.iter_mut().find(|key| key.id == key_id).ok_or_else(|| none(key_id))?;
            key.active = active;
            Ok(())
        })
    }

    async fn tags(&self, who: &Principal) -> Result<Vec<(String, String)>, CallError> {
        self.read(who, |entity| entity.tags.clone().into_iter().collect())
    }

    async fn tag(&self, who: &Principal, tags: &[(String, String)]) -> Result<Acknowledged, CallError> {
        self.write("Tag", who, |entity| {
            entity.tags.extend(tags.iter().cloned());
            Ok(())
        })
    }

    async fn untag(&self, who: &Principal, keys: &[String]) -> Result<Acknowledged, CallError> {
        self.write("Untag", who, |entity| {
            entity.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    async fn allowed(&self, who: &Principal, actions: &[&str], _: &str) -> Result<Vec<String>, CallError> {
        self.read(who, |entity| entity.may.iter().filter(|may| actions.contains(&may.as_str())).cloned().collect())
    }
}
