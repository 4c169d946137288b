//! How far a restriction reaches, and what escapes it, in words.

use super::form::Wanted;
use super::trust::Assumers;
use super::{Cutoff, Deny, PrincipalType, Whose};

/// An inline policy on a role that denies a session.
pub(super) fn session(wanted: Wanted<'_>, deny: &Deny) -> String {
    let role = &wanted.principal.name;
    if wanted.whose == Whose::Execution {
        return format!(
            "every run of function {} as role {role}, in every environment of it, now and later; other functions with \
             that role are spared. Given another role, or another name, the function escapes it",
            wanted.function
        );
    }
    let name = &wanted.actor.session_name;
    match (&deny.user_id, deny.issued_before) {
        (Some(_), Some(Cutoff::Decision | Cutoff::At(_))) => format!(
            "every session of role {role} named {name} issued before the decision, whoever uses it: all terminals and \
             runs of that name. Other names, and sessions issued later, are spared. Whoever may assume the role can begin \
             a new session: look at who began this one. {}",
            chained()
        ),
        (Some(_), None) => format!(
            "every session of role {role} named {name}, now and later, whoever uses it: all terminals, instances and \
             environments of that name. Other names are spared{}. {}",
            another_name(wanted),
            chained()
        ),
        (None, _) => format!(
            "every session of role {role} issued before the decision, everybody's: the record does not name the session. \
             Sessions issued later are spared; so are fresh credentials of a machine or function. {}",
            chained()
        ),
    }
}

fn another_name(wanted: Wanted<'_>) -> String {
    let Some(assumers) = Assumers::of(&wanted.standing.trust) else {
        return "; who may assume the role could not be read, so another name may be had".into();
    };
    let mut by: Vec<&str> = Vec::new();
    by.extend((!assumers.principals.is_empty()).then_some("whoever may assume the role"));
    by.extend((!assumers.providers.is_empty()).then_some("whoever the identity provider lets in"));
    if by.is_empty() {
        return format!("; only {} can begin sessions of it, and gives the names", assumers.services.join(", "));
    }
    format!("; {} can have a session of another name", by.join(", and "))
}

/// Everything of a principal.
pub(super) fn whole(wanted: Wanted<'_>) -> String {
    let principal = wanted.principal;
    match (principal.kind, wanted.whose) {
        (PrincipalType::Role, Whose::Execution) => format!(
            "the whole role {}: every function, and everyone else who uses it, until it is lifted",
            principal.name
        ),
        (PrincipalType::Role, _) => format!(
            "the whole role {}: everyone who uses it, in every session, until it is lifted. {}",
            principal.name,
            chained()
        ),
        (PrincipalType::User, _) => user(wanted),
    }
}

/// Everything of a user.
pub(super) fn user(wanted: Wanted<'_>) -> String {
    format!(
        "the whole user {}: its keys, its console, and the sessions issued to it (GetSessionToken, GetFederationToken), \
         until it is lifted. Its console password stays, and is worth nothing meanwhile. {}",
        wanted.principal.name,
        chained()
    )
}

/// The tag.
pub(super) fn quarantine(wanted: Wanted<'_>) -> String {
    format!(
        "{} Only where the service control policy that denies on the tag is installed; that cannot be seen from here. A \
         session tag of the same key would override it, which that policy must deny",
        whole(wanted)
    )
}

fn chained() -> &'static str {
    "Sessions of other roles that were begun from it go on"
}
