//! The answers policy gives.

use crate::detection::Trigger;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What sluicegate does by itself, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// Nothing: it is allowed.
    Leave,
    /// Record it and tell people.
    Notify,
    /// A person decides first.
    Ask,
    /// Disable the mapping, then a person decides.
    Disable,
    /// Freeze the function (reserved concurrency 0) and disable the mapping, then a person decides.
    Freeze,
}

/// What a policy set says of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the actor may do it.
    pub allowed: bool,
    /// What sluicegate does by itself.
    pub response: Response,
    /// Whether the actor's credentials are restricted by itself, beside the response.
    pub restrict: bool,
    /// The allowlist entries and rules that decided, by id.
    pub policies: Vec<String>,
    /// Why, in plain words, most telling first.
    pub reasons: Vec<String>,
    /// What went wrong while policies were evaluated; any of these means not allowed, and at most `ask`.
    pub errors: Vec<String>,
    /// SHA-256 (hex) of the policy set that said so.
    pub policy_digest: String,
}

/// What a question depends on besides the finding itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The time it is judged at; decides whether an allowlist entry has expired.
    pub now: Timestamp,
    /// How the finding came in.
    pub trigger: Trigger,
    /// Whether the record was found in CloudTrail itself.
    pub confirmed: bool,
    /// Confirmed findings not allowed, same actor, last ten minutes, this one included.
    pub findings_by_actor: u32,
    /// Of the last ten cases decided in this account, those that people undid.
    pub wrong_of_last_ten: u32,
    /// The mapping has an open case: no allowlist entry covers it.
    pub case_open: bool,
    /// For an update: whether the mapping's baseline is known. Without one the response is at most `ask`.
    pub baseline_known: bool,
}

/// What a person may be asked to approve, one for each action `approve.…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the policy's own action names")]
pub enum ApproveAction {
    Leave,
    Keep,
    Disable,
    Freeze,
    Delete,
    Restrict,
    Restore,
    Lift,
}

/// Somebody who decides, as the inventory knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name in `[people]`, else the Slack user id or the role's or user's IAM ARN: an unlinked role is one person.
    pub id: String,
    /// E-mail from the inventory; `""` where there is none.
    pub email: String,
    /// The teams that the inventory puts them in.
    pub teams: Vec<String>,
}

/// Whether somebody's vote counts, and how many such votes it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Every action asked for is permitted, nothing forbids, nothing erred.
    pub permitted: bool,
    /// How many people it takes: the largest `@approvals` of the permits that apply.
    pub approvals: u32,
    /// `@confirm("aws")`: the vote counts once it is confirmed under the person's AWS identity.
    pub confirm_aws: bool,
    /// The rules that decided.
    pub policies: Vec<String>,
    /// Why, in plain words.
    pub reasons: Vec<String>,
    /// Evaluation errors: not permitted.
    pub errors: Vec<String>,
}

/// How bad a problem of a policy file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The set is refused.
    Error,
    /// The set loads.
    Warning,
}

/// One problem in a policy file, where it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file, as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do; `""` where nothing can be suggested.
    pub suggestion: String,
}
