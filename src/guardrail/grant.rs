//! What each live entry lets somebody do, as far as IAM can tell, and what of it is lost.

use super::pattern;
use crate::cloudtrail::{PrincipalKind, Verb};
use crate::detection::Change;
use crate::policy::Entry;
use serde::Serialize;
use std::collections::BTreeSet;

/// Something of an entry that the policy cannot say; it stays the responder's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotExpressed {
    /// The entry's id.
    pub entry: String,
    /// Which of its keys.
    pub what: String,
    /// Why, and what follows, for people.
    pub why: String,
}

/// Whom a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    /// As IAM reads it: its `*` crosses path segments.
    pub(super) arn: String,
    /// How many slashes each ARN has that the entry means; `None`: it means all that IAM does.
    pub(super) depth: Option<usize>,
}

impl Subject {
    fn of(pattern: &str) -> Self {
        let mut arn = String::with_capacity(pattern.len());
        for char in pattern.chars() {
            if char != '*' || !arn.ends_with('*') {
                arn.push(char);
            }
        }
        let depth = (!pattern.contains("**")).then(|| pattern.matches('/').count());
        Self { arn, depth }
    }

    /// How many slashes any ARN has at least that IAM finds like it.
    pub(super) fn slashes(&self) -> usize {
        self.arn.matches('/').count()
    }

    /// Whether IAM finds more like it than the entry means.
    pub(super) fn is_wider_to_iam(&self) -> bool {
        self.depth.is_some() && self.arn.rsplit(':').next().is_some_and(|resource| resource.contains('*'))
    }

    /// Whether something that the entry of `self` means is, to IAM, like `other`.
    pub(super) fn reaches(&self, other: &Self) -> bool {
        self.depth.is_none_or(|depth| depth >= other.slashes()) && pattern::overlap(&self.arn, &other.arn)
    }
}

/// What an entry grants. `None`: any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) entry: String,
    pub(super) subject: Subject,
    pub(super) verbs: Vec<Verb>,
    /// As values of `lambda:FunctionArn`.
    pub(super) functions: Option<BTreeSet<String>>,
    pub(super) regions: Option<BTreeSet<String>>,
    pub(super) accounts: Option<BTreeSet<String>>,
}

/// The grants of an entry; what is lost is put to `lost`.
pub(super) fn grants(entry: &Entry, lost: &mut Vec<NotExpressed>) -> Vec<Grant> {
    let mut tell = |what: &str, why: String| {
        lost.push(NotExpressed { entry: entry.id.clone(), what: what.to_owned(), why });
    };
    let subject = Subject::of(entry.principal.glob.text());
    let Ok(functions) = functions(entry) else {
        tell("functions", "no function can have such a name: the entry covers nothing, and is left out".into());
        return Vec::new();
    };
    if subject.depth.is_none() && entry.principal.glob.text().replace("**", "").contains('*') {
        tell(
            "principal",
            "IAM's star crosses path segments as `**` does: what its `*` stands for may hold a slash too".to_owned(),
        );
    }
    let verbs = verbs(&entry.actions);
    let regions = entry.regions.as_ref().map(|regions| regions.iter().cloned().collect());
    let only_there =
        |accounts: &BTreeSet<String>| pattern::account(&subject.arn).is_some_and(|account| accounts.contains(account));
    let accounts = entry.accounts.clone().filter(|accounts| !only_there(accounts));
    about_verbs(entry, &verbs, functions.is_some(), &mut tell);
    let federated = federated(entry, &subject, &mut tell);
    about_the_rest(entry, &subject, &mut tell);
    let subjects = std::iter::once(subject).chain(federated);
    let grant = |subject| Grant {
        entry: entry.id.clone(),
        subject,
        verbs: verbs.clone(),
        functions: functions.clone(),
        regions: regions.clone(),
        accounts: accounts.clone(),
    };
    subjects.map(grant).collect()
}

fn verbs(actions: &[Change]) -> Vec<Verb> {
    let create = actions.contains(&Change::Create).then_some(Verb::Create);
    let update = actions.iter().any(|action| *action != Change::Create).then_some(Verb::Update);
    create.into_iter().chain(update).collect()
}

/// The names can be no function's.
struct NoSuchFunction;

/// As values of `lambda:FunctionArn`; `None`: any.
fn functions(entry: &Entry) -> Result<Option<BTreeSet<String>>, NoSuchFunction> {
    let Some(globs) = &entry.functions else { return Ok(None) };
    let can_be = |name: &str| name.chars().all(|char| char.is_ascii_alphanumeric() || "-_.*".contains(char));
    let mut names = Vec::new();
    for glob in globs {
        names.extend(Some(glob.text()).filter(|name| can_be(name)));
    }
    if names.iter().any(|name| name.chars().all(|char| char == '*')) {
        return Ok(None);
    }
    let partition = entry.principal.glob.text().split(':').nth(1).filter(|name| pattern::is_literal(name));
    let partition = partition.unwrap_or("*");
    let mut values = BTreeSet::new();
    for name in names {
        // The name alone is not like an ARN with an alias or a version.
        values.insert(format!("arn:{partition}:lambda:*:*:function:{name}"));
        values.insert(format!("arn:{partition}:lambda:*:*:function:{name}:*"));
    }
    if values.is_empty() { Err(NoSuchFunction) } else { Ok(Some(values)) }
}

fn about_verbs(entry: &Entry, verbs: &[Verb], has_functions: bool, tell: &mut impl FnMut(&str, String)) {
    let updates = verbs.contains(&Verb::Update);
    let all = [Change::Enable, Change::Repoint, Change::Rewire].iter().all(|change| entry.actions.contains(change));
    if updates && !all {
        tell(
            "actions",
            "IAM does not see what an update changes: whoever may update may enable, repoint and rewire".into(),
        );
    }
    if !updates {
        tell(
            "actions",
            "it allows creations alone, so every update is denied to it, also one that sluicegate would not mind, such as \
             disabling a mapping or its batch size; add `enable` where it does that"
                .into(),
        );
    }
    if updates && has_functions {
        tell(
            "functions",
            "they are held to on creation alone: an update that leaves its function out may come without it, and would be \
             denied"
                .into(),
        );
    }
}

/// A federated session of a user is covered by the user's entry, but to IAM it is a principal named by its session.
fn federated(entry: &Entry, subject: &Subject, tell: &mut impl FnMut(&str, String)) -> Vec<Subject> {
    let is_user = subject.arn.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with("user/"));
    let covered = entry.kinds.as_ref().is_none_or(|kinds| kinds.contains(&PrincipalKind::FederatedUser));
    if !is_user || !covered {
        return Vec::new();
    }
    let parts: Vec<&str> = subject.arn.splitn(6, ':').collect();
    let (partition, account) = (parts.get(1).unwrap_or(&"*"), parts.get(4).unwrap_or(&"*"));
    let can_be = |name: &&str| name.chars().all(|char| char.is_ascii_alphanumeric() || "_+=,.@-*".contains(char));
    let names: Vec<&str> = match &entry.sessions {
        Some(globs) => {
            let mut names = Vec::new();
            for glob in globs {
                names.extend(Some(glob.text()).filter(can_be));
            }
            names
        }
        None => vec!["*"],
    };
    tell(
        "kinds",
        format!(
            "it covers federated sessions of the user too, and IAM sees of those the session's name alone: federated-user/{} \
             of account {account} passes, whoever made it; write kinds = [\"IAMUser\"] where the user makes none",
            names.join(", ")
        ),
    );
    let of = |name: &str| Subject {
        depth: None,
        ..Subject::of(&format!("arn:{partition}:sts::{account}:federated-user/{name}"))
    };
    names.into_iter().map(of).collect()
}

fn about_the_rest(entry: &Entry, subject: &Subject, tell: &mut impl FnMut(&str, String)) {
    if let Some(kinds) = &entry.kinds {
        let is_role = subject.arn.contains(":role/");
        let implied = |kind: &PrincipalKind| match kind {
            PrincipalKind::AssumedRole | PrincipalKind::Role => is_role,
            PrincipalKind::IamUser | PrincipalKind::FederatedUser => subject.arn.contains(":user/"),
            PrincipalKind::Root => subject.arn.ends_with(":root"),
            _ => false,
        };
        if !kinds.iter().any(implied) {
            tell("kinds", "IAM tells these kinds apart in other ways than CloudTrail does: any kind passes".into());
        }
    }
    if entry.sessions.is_some() {
        tell(
            "sessions",
            "a session's name stands in no ARN that such a policy sees: any session of the principal passes".into(),
        );
    }
    if entry.via.is_some() {
        tell(
            "via",
            "a call that the principal makes itself passes too: IAM knows the service only where that forwards the caller's \
             own credentials"
                .into(),
        );
    }
    if entry.sources.is_some() {
        tell(
            "sources",
            "Lambda has no condition key for the source: any source passes; a resource policy on the queue or stream can \
             name its readers"
                .into(),
        );
    }
    if entry.addresses.is_some() {
        tell(
            "addresses",
            "aws:SourceIp is the service's own where a service makes the call, so it would deny those".into(),
        );
    }
    if entry.user_agents.is_some() {
        tell("user_agents", "the caller chooses it, so a policy on it stops nobody".into());
    }
    if entry.mfa {
        tell(
            "mfa",
            "aws:MultiFactorAuthPresent is missing where a service makes the call or a long-term key does".into(),
        );
    }
}
