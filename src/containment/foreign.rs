//! What must not be touched: what is under our name, but not as we wrote it.

use super::{Call, Observation};
use crate::restriction::{Principal, PrincipalType};

impl Call {
    /// Why this call must not be made on what was seen there, for people, with what to do instead; `None` where it may.
    /// A policy is put only where there is none, and taken off only where it is byte for byte what was put.
    pub fn foreign(&self, seen: &Observation) -> Option<String> {
        match (self, seen) {
            (Self::PutPolicy { principal, name, deny }, Observation::Policy { document: Some(document) })
                if deny.document().as_ref() != Some(document) =>
            {
                let look = by_hand("get", principal, name);
                Some(format!(
                    "{} in account {} has a policy {name} that sluicegate did not write, and it is left as it is. Look at it \
                     ({look}); once it is gone, or under another name, decide again",
                    principal.words(),
                    principal.account
                ))
            }
            (Self::DeletePolicy { principal, name, deny }, Observation::Policy { document: Some(document) })
                if deny.document().as_ref() != Some(document) =>
            {
                let (look, delete) = (by_hand("get", principal, name), by_hand("delete", principal, name));
                Some(format!(
                    "the policy {name} on {} in account {} is not what sluicegate wrote, so it is not taken off; it denies \
                     still, or whatever it says now. Look at it ({look}); if nothing in it is wanted: {delete}; then lift \
                     again",
                    principal.words(),
                    principal.account
                ))
            }
            (Self::Untag { principal, tags }, Observation::Tags { tags: seen }) => {
                let (key, value) = tags.iter().find_map(|(key, put, before)| {
                    let (_, value) = seen.iter().find(|(name, _)| name == key)?;
                    (value != put && Some(value) != before.as_ref()).then_some((key, value))
                })?;
                let kind = kind(principal);
                Some(format!(
                    "the tag {key} on {} in account {} is {value:?}, which sluicegate did not write, so it is left as it \
                     is. If nobody wants it: aws iam untag-{kind} --{kind}-name {} --tag-keys {key}; then lift again",
                    principal.words(),
                    principal.account,
                    principal.name
                ))
            }
            _ => None,
        }
    }
}

fn by_hand(verb: &str, principal: &Principal, policy: &str) -> String {
    let kind = kind(principal);
    format!("aws iam {verb}-{kind}-policy --{kind}-name {} --policy-name {policy}", principal.name)
}

fn kind(principal: &Principal) -> &'static str {
    match principal.kind {
        PrincipalType::Role => "role",
        PrincipalType::User => "user",
    }
}
