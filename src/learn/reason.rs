//! What no entry is ever proposed for, and why.

use crate::cloudtrail::PrincipalKind;
use crate::detection::Finding;
use crate::mapping::{SourceKind, is_account};
use crate::policy::{PolicySet, is_principal};
use jiff::Timestamp;

/// Why a finding is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A root user.
    Root,
    /// CloudTrail does not tell for certain who it was, and why.
    Unidentified(String),
    /// The record contradicts itself, and how.
    Contradiction(String),
    /// Credentials of the console.
    Console,
    /// Somebody, and by what that shows.
    Person(&'static str),
    /// An entry could not name it exactly, and what.
    Unnameable(String),
    /// The rules forbid it whatever the allowlist says, and which.
    Forbidden(String),
    /// Too seldom, or on too few days.
    Seldom,
    /// Unlike what the same principal does otherwise, and in what.
    Outlier(Vec<String>),
    /// It looks like an attack, and by what.
    Suspicious(Vec<String>),
    /// Every entry for it would also allow what is left out.
    Inseparable(String),
}

impl Reason {
    /// For people.
    pub fn told(&self) -> String {
        match self {
            Self::Root => "root: the rules allow it nothing".to_owned(),
            Self::Unidentified(why) => format!("nobody certain: {why}"),
            Self::Contradiction(how) => format!("the record contradicts itself: {how}"),
            Self::Console => "a console session".to_owned(),
            Self::Person(shown) => format!("a person, not a pipeline: {shown}"),
            Self::Unnameable(what) => format!("no entry can name it exactly: {what}"),
            Self::Forbidden(by) => by.clone(),
            Self::Seldom => "seen too seldom to be a habit".to_owned(),
            Self::Outlier(how) => format!("unlike what this principal does otherwise: {}", how.join(", ")),
            Self::Suspicious(how) => format!("SUSPICIOUS: {}", how.join(", ")),
            Self::Inseparable(what) => format!("an entry for it would also allow {what}"),
        }
    }

    /// Whether somebody should look at it soon.
    pub fn is_suspicious(&self) -> bool {
        matches!(self, Self::Suspicious(_))
    }

    /// What a reviewer should read first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Suspicious(_) => 0,
            Self::Outlier(_) | Self::Inseparable(_) => 1,
            _ => 2,
        }
    }

    /// Why a finding can have no entry, whatever else was seen; `None`: it may have one.
    pub(super) fn of(finding: &Finding, set: &PolicySet) -> Option<Self> {
        let actor = &finding.actor;
        if actor.kind == PrincipalKind::Root || actor.principal_arn.ends_with(":root") {
            return Some(Self::Root);
        }
        if actor.principal_arn.is_empty() {
            let why = if actor.unidentified.is_empty() {
                "CloudTrail names no role and no user"
            } else {
                &actor.unidentified
            };
            return Some(Self::Unidentified(why.to_owned()));
        }
        if actor.kind == PrincipalKind::Unknown {
            return Some(Self::Unidentified("CloudTrail's kind of identity is not known".to_owned()));
        }
        if !finding.call.disagrees.is_empty() {
            return Some(Self::Contradiction(finding.call.disagrees.clone()));
        }
        if actor.console {
            return Some(Self::Console);
        }
        let (path, name) = path_and_name(&actor.principal_arn);
        if name.starts_with("AWSReservedSSO_") || path.contains("/sso.amazonaws.com/") {
            return Some(Self::Person("an SSO role"));
        }
        if actor.session_name.contains('@') {
            return Some(Self::Person("the session has an e-mail address for a name"));
        }
        if actor.mfa {
            return Some(Self::Person("somebody gave an MFA code"));
        }
        unnameable(finding, set).map(Self::Unnameable)
    }
}

/// `("/ci/", "deployer")` of `…:role/ci/deployer`.
pub(super) fn path_and_name(principal_arn: &str) -> (&str, &str) {
    let resource = principal_arn.splitn(6, ':').nth(5).unwrap_or("");
    let whole = resource.find('/').and_then(|slash| resource.get(slash..)).unwrap_or("/");
    whole.split_at(whole.rfind('/').map_or(0, |last| last + 1))
}

/// What of the finding an entry cannot say, or cannot say without allowing more.
fn unnameable(finding: &Finding, set: &PolicySet) -> Option<String> {
    let (actor, call) = (&finding.actor, &finding.call);
    let said = |text: &str| if text.is_empty() { "nothing".to_owned() } else { format!("`{text}`") };
    if !is_principal(&actor.principal_arn) {
        return Some(format!("the principal {}", said(&actor.principal_arn)));
    }
    if finding.event.time == Timestamp::UNIX_EPOCH {
        return Some("the record has no time".to_owned());
    }
    if finding.changes.is_empty() {
        return Some("it is not told what the call did".to_owned());
    }
    if !is_account(&finding.account) {
        return Some("the mapping's account is not told".to_owned());
    }
    if set.accounts().next().is_some() && !set.accounts().any(|account| account == finding.account) {
        return Some(format!("account {} is not in inventory.toml", finding.account));
    }
    if !is_region(&finding.region) {
        return Some(format!("the region is {}", said(&finding.region)));
    }
    if !is_plain(&call.function.name) {
        return Some(format!("the function is {}", said(&call.function.name)));
    }
    if call.source.kind == SourceKind::Unknown || !is_plain(&call.source.name) {
        return Some(format!("the source is {}", said(&call.source.to_string())));
    }
    if !actor.session_name.is_empty() && !is_plain(&actor.session_name) {
        return Some(format!("the session is {}", said(&actor.session_name)));
    }
    let via = &actor.invoked_by;
    if !via.is_empty() && (!is_plain(via) || !via.contains('.')) {
        return Some(format!("the call was made by {}", said(via)));
    }
    None
}

/// Whether a text stands for itself alone in a pattern, and reads as what it is.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '*' | '"' | '\'' | '\\' | '`'))
}

/// As `allowlist.toml` takes one.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2
        && words.first().is_some_and(|place| place.len() >= 2)
        && words.iter().all(word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}
