//! One entry, and whether it covers a finding.

use crate::cloudtrail::PrincipalKind;
use crate::detection::{Change, Finding};
use crate::mapping::{SourceKind, SourceRef};
use crate::policy::glob::Glob;
use crate::policy::names;
use crate::policy::principal::PrincipalPattern;
use ipnet::IpNet;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// `kind` or `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourcePattern {
    pub(crate) kind: SourceKind,
    pub(crate) name: Option<Glob>,
}

impl SourcePattern {
    fn matches(&self, source: &SourceRef) -> bool {
        source.kind != SourceKind::Unknown
            && source.kind == self.kind
            && self.name.as_ref().is_none_or(|name| !source.name.is_empty() && name.matches(&source.name))
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match (&self.name, &other.name) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(ours), Some(theirs)) => ours.covers(theirs),
            }
    }
}

/// One reviewed exception. `None`: the file does not name it, and any value will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) reason: String,
    /// The last day, UTC.
    pub(crate) expires: Date,
    pub(crate) principal: PrincipalPattern,
    pub(crate) kinds: Option<Vec<PrincipalKind>>,
    pub(crate) sessions: Option<Vec<Glob>>,
    pub(crate) via: Option<Vec<String>>,
    /// The mapping's accounts, groups resolved.
    pub(crate) accounts: Option<BTreeSet<String>>,
    /// The account groups as named.
    pub(in crate::policy) account_groups: Vec<String>,
    pub(crate) regions: Option<Vec<String>>,
    pub(crate) functions: Option<Vec<Glob>>,
    pub(crate) sources: Option<Vec<SourcePattern>>,
    pub(crate) addresses: Option<Vec<IpNet>>,
    pub(crate) user_agents: Option<Vec<Glob>>,
    pub(crate) mfa: bool,
    pub(crate) actions: Vec<Change>,
    /// Where it stands in the file.
    pub(super) at: usize,
    /// Where its `expires` stands.
    pub(super) expires_at: usize,
    /// Where its `id` stands.
    pub(in crate::policy) id_at: usize,
}

impl Entry {
    pub(in crate::policy) fn is_live(&self, today: Date) -> bool {
        today <= self.expires
    }

    /// Whether it covers the change, principal and date aside.
    pub(super) fn covers(&self, finding: &Finding, change: Change) -> bool {
        let mut covers = true;
        self.try_all(finding, change, |_| covers = false);
        covers
    }

    /// What of the finding, principal and date aside, the entry does not cover; empty where it covers all.
    pub(super) fn failing(&self, finding: &Finding, change: Change) -> Vec<String> {
        let mut failing = Vec::new();
        self.try_all(finding, change, |told| failing.push(told()));
        failing
    }

    fn try_all(&self, finding: &Finding, change: Change, mut fails: impl FnMut(&dyn Fn() -> String)) {
        let actor = &finding.actor;
        let mut need = |holds: bool, told: &dyn Fn() -> String| {
            if !holds {
                fails(told);
            }
        };
        let quoted = |what: &str, value: &str| match value {
            "" => format!("an unknown {what}"),
            value => format!("the {what} `{value}`"),
        };
        need(self.actions.contains(&change), &|| format!("the action `{}`", names::word(&names::CHANGES, &change)));
        need(actor.kind != PrincipalKind::Unknown && any(self.kinds.as_ref(), |kind| *kind == actor.kind), &|| {
            format!("the kind `{}`", names::word(&names::PRINCIPAL_KINDS, &actor.kind))
        });
        need(any_glob(self.sessions.as_ref(), &actor.session_name), &|| quoted("session", &actor.session_name));
        need(any(self.via.as_ref(), |via| *via == actor.invoked_by), &|| match actor.invoked_by.as_str() {
            "" => "a call made directly".to_owned(),
            service => format!("a call made by `{service}`"),
        });
        need(self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&finding.account)), &|| {
            quoted("account", &finding.account)
        });
        need(any(self.regions.as_ref(), |region| *region == finding.region), &|| quoted("region", &finding.region));
        let function = &finding.call.function.name;
        need(any_glob(self.functions.as_ref(), function), &|| quoted("function", function));
        let source = &finding.call.source;
        need(any(self.sources.as_ref(), |pattern| pattern.matches(source)), &|| {
            let kind = names::word(&names::SOURCE_KINDS, &source.kind);
            quoted("source", if source.kind == SourceKind::Unknown { "" } else { kind })
                + &(if source.name.is_empty() { String::new() } else { format!(" named `{}`", source.name) })
        });
        // A host name in place of an address is no address in any network.
        let address: Option<IpAddr> = actor.source_ip.parse().ok();
        need(any(self.addresses.as_ref(), |net| address.is_some_and(|address| net.contains(&address))), &|| {
            quoted("address", &actor.source_ip)
        });
        need(any_glob(self.user_agents.as_ref(), &actor.user_agent), &|| quoted("user agent", &actor.user_agent));
        need(!self.mfa || actor.mfa, &|| "a call without MFA".to_owned());
    }
}

fn any<T>(named: Option<&Vec<T>>, fits: impl Fn(&T) -> bool) -> bool {
    named.is_none_or(|list| list.iter().any(fits))
}

/// What is not known fits no pattern, not even `*`.
fn any_glob(named: Option<&Vec<Glob>>, value: &str) -> bool {
    any(named, |glob| !value.is_empty() && glob.matches(value))
}
