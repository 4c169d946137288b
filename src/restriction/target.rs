//! Whose credentials a finding is about, and whether sluicegate may touch them.

use super::by_hand;
use super::{Principal, PrincipalType};
use crate::cloudtrail::PrincipalKind;
use crate::detection::Finding;

/// Who can be restricted, or what people do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This principal, with the id that the record gives.
    Principal(Principal),
    /// sluicegate must not, or cannot.
    ByHand(ByHand),
}

/// What is handed to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// Why.
    pub why: String,
    /// What to do, line by line.
    pub how: Vec<String>,
    /// It is sluicegate's own role: an alarm.
    pub own: bool,
}

/// What is ours.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// The ARN that STS tells for the responder's own credentials.
    pub identity: &'a str,
    /// Its account: the one in which it can change IAM.
    pub account: &'a str,
}

/// Roles that are never touched, whatever the inventory says: what an account is got back by.
const KEPT_NAMES: [&str; 2] = ["OrganizationAccountAccessRole", "AWSControlTowerExecution"];
/// The same by path.
const KEPT_PATHS: [&str; 2] = ["/sluicegate/", "/break-glass/"];
/// A principal with this tag, whatever its value but `false`, is never touched.
pub const PROTECTED_TAG: &str = "sluicegate-protected";

/// Whose credentials made the call.
pub fn caller(finding: &Finding, ours: Ours<'_>, protected: bool) -> Target {
    let actor = &finding.actor;
    if !actor.invoked_by.is_empty() {
        return Target::ByHand(by_hand::through_a_service(finding));
    }
    let other = if actor.account == finding.account { &finding.account } else { &actor.account };
    let named = match actor.kind {
        PrincipalKind::Root => return Target::ByHand(by_hand::root(actor)),
        PrincipalKind::IdentityCenterUser => return Target::ByHand(by_hand::identity_center_user(actor)),
        PrincipalKind::AwsService => return Target::ByHand(by_hand::service(finding)),
        PrincipalKind::AwsAccount => return Target::ByHand(by_hand::other_account(finding, other)),
        PrincipalKind::Unknown
        | PrincipalKind::Directory
        | PrincipalKind::SamlUser
        | PrincipalKind::WebIdentityUser => None,
        PrincipalKind::AssumedRole | PrincipalKind::Role => {
            Some((PrincipalType::Role, actor.principal_id.split(':').next().unwrap_or_default()))
        }
        PrincipalKind::IamUser => Some((PrincipalType::User, actor.principal_id.as_str())),
        // Its permissions are those of the user who issued it: denying that user denies it too.
        PrincipalKind::FederatedUser => Some((PrincipalType::User, actor.issuer_id.as_str())),
    };
    let Some((kind, id)) = named.filter(|_| actor.unidentified.is_empty()) else {
        return Target::ByHand(by_hand::unidentified(finding));
    };
    if !actor.account.is_empty() && (actor.account != finding.account || actor.account != ours.account) {
        return Target::ByHand(by_hand::other_account(finding, other));
    }
    let id = if id.is_empty() { &actor.issuer_id } else { id };
    match Principal::parse(&actor.principal_arn, id) {
        Some(principal) if principal.kind == kind && !id.is_empty() => permitted(principal, ours, protected),
        _ => Target::ByHand(by_hand::unidentified(finding)),
    }
}

/// The role that a function runs as. Nothing in a record tells its id: what IAM has under that name is it.
pub fn execution(role_arn: &str, ours: Ours<'_>, protected: bool) -> Target {
    match Principal::parse(role_arn, "") {
        Some(role) if role.kind == PrincipalType::Role => permitted(role, ours, protected),
        _ => Target::ByHand(ByHand {
            why: format!("the function's role reads {role_arn:?}, which is no role"),
            how: vec!["look at it: aws lambda get-function-configuration --function-name NAME --query Role".into()],
            own: false,
        }),
    }
}

fn permitted(principal: Principal, ours: Ours<'_>, protected: bool) -> Target {
    let path = principal.path();
    let hand = if is_own(&principal, ours.identity) {
        by_hand::own(&principal)
    } else if principal.account != ours.account {
        by_hand::elsewhere(&principal)
    } else if principal.name.starts_with("AWSReservedSSO_") || path.starts_with("/aws-reserved/") {
        by_hand::identity_center_role(&principal)
    } else if path.starts_with("/aws-service-role/") {
        by_hand::service_linked(&principal)
    } else if protected {
        by_hand::protected(&principal, "the inventory protects it")
    } else if KEPT_NAMES.contains(&principal.name.as_str()) || KEPT_PATHS.iter().any(|kept| path.contains(kept)) {
        by_hand::protected(&principal, "the account is got back by it, or sluicegate works by it")
    } else {
        return Target::Principal(principal);
    };
    Target::ByHand(hand)
}

/// Whether a principal is the one behind our own credentials. STS leaves out a role's path, but a role's name is unique
/// in its account.
fn is_own(principal: &Principal, identity: &str) -> bool {
    let parts: Vec<&str> = identity.splitn(6, ':').collect();
    let &[_, _, service, _, account, resource] = parts.as_slice() else {
        return false;
    };
    match (service, resource.split('/').collect::<Vec<_>>().as_slice()) {
        ("sts", ["assumed-role", name, _]) => {
            principal.kind == PrincipalType::Role && principal.account == account && principal.name == *name
        }
        _ => principal.arn == identity,
    }
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
