//! `inventory.toml`: what the names in the policies stand for.

mod identity;
mod parse;

pub(super) use identity::{Caller, Identity, PersonEntry};
pub(super) use parse::{is_account, parse};

use super::glob::Glob;
use super::principal::PrincipalPattern;
use crate::mapping::SourceRef;
use std::collections::{BTreeMap, BTreeSet};

/// An account that is ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Its groups, each with the place where it is named.
    pub(super) groups: Vec<(String, usize)>,
}

/// A group of functions, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionGroup {
    pub(super) names: Vec<Glob>,
    pub(super) at: usize,
}

/// Who belongs to a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// A name in `[people]`.
    Person(String),
    /// A Slack user (`U…`, `W…`) or user group (`S…`).
    Slack(String),
    /// An IAM ARN: all who act as that role or user.
    Identity(Box<Identity>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Team {
    pub(super) members: Vec<Member>,
    pub(super) at: usize,
}

/// The whole inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    /// `None` where the file lists no accounts.
    pub(super) accounts: Option<BTreeMap<String, Account>>,
    pub(super) functions: BTreeMap<String, FunctionGroup>,
    pub(super) protected: Vec<PrincipalPattern>,
    pub(super) people: BTreeMap<String, PersonEntry>,
    pub(super) teams: BTreeMap<String, Team>,
}

impl Inventory {
    /// Whether the account is listed; `None` where none are.
    pub(super) fn lists(&self, account: &str) -> Option<bool> {
        Some(self.accounts.as_ref()?.contains_key(account))
    }

    /// The ids of all listed accounts.
    pub(super) fn account_ids(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// The groups that the account is in.
    pub(super) fn groups_of(&self, account: &str) -> impl Iterator<Item = &str> {
        let account = self.accounts.as_ref().and_then(|accounts| accounts.get(account));
        account.into_iter().flat_map(|account| &account.groups).map(|(group, _)| group.as_str())
    }

    /// Every account group, with the place where it is named first.
    pub(super) fn account_groups(&self) -> BTreeMap<&str, usize> {
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for (group, at) in self.accounts.iter().flat_map(BTreeMap::values).flat_map(|account| &account.groups) {
            let first = groups.entry(group).or_insert(*at);
            *first = (*first).min(*at);
        }
        groups
    }

    /// The accounts of a group.
    pub(super) fn accounts_in(&self, group: &str) -> BTreeSet<String> {
        let has = |account: &Account| account.groups.iter().any(|(name, _)| name == group);
        let accounts = self.accounts.iter().flatten();
        accounts.filter(|(_, account)| has(account)).map(|(id, _)| id.clone()).collect()
    }

    /// The function groups that a bare function name belongs to.
    pub(super) fn function_groups_of(&self, function: &str) -> impl Iterator<Item = &str> {
        self.functions
            .iter()
            .filter(move |(_, group)| !function.is_empty() && group.names.iter().any(|name| name.matches(function)))
            .map(|(name, _)| name.as_str())
    }

    /// Whether the principal is never to be restricted without a person.
    pub(super) fn is_protected(&self, principal_arn: &str) -> bool {
        self.protected.iter().any(|pattern| pattern.matches(principal_arn))
    }

    /// Where a source comes from, as the policies name it.
    pub(super) fn origin(&self, source: &SourceRef, mapping_account: &str) -> &'static str {
        if source.account.is_empty() {
            return "unknown";
        }
        if source.account == mapping_account {
            return "same-account";
        }
        match self.lists(&source.account) {
            Some(true) => "organisation",
            Some(false) => "foreign",
            None => "unknown",
        }
    }
}
