//! One record, explained: what `explain`, `backtest` and `scan` print for each. The fields are a contract; what is not
//! known is null.

use crate::cloudtrail::{Actor, PrincipalKind, Record};
use crate::detection::{Detection, Finding, Ignored};
use crate::mapping::SourceKind;
use crate::policy::{Response, Verdict, change_word};
use serde::Serialize;

/// One record, explained.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation<'a> {
    /// `eventID`
    pub event_id: &'a str,
    /// `eventName`
    pub event_name: &'a str,
    /// The detection that names the finding; null: the record is none.
    pub detection: Option<Detection>,
    /// Why it is no finding.
    pub ignored_because: Option<&'a str>,
    /// Who did it.
    pub actor: ActorView<'a>,
    /// What was wired to what.
    pub mapping: Option<MappingView<'a>>,
    /// What policy says.
    pub verdict: Option<VerdictView<'a>>,
}

/// Who did it.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "as in `Actor`")]
pub struct ActorView<'a> {
    pub kind: PrincipalKind,
    pub arn: Option<&'a str>,
    pub principal_arn: Option<&'a str>,
    pub session_name: Option<&'a str>,
    pub account: Option<&'a str>,
    pub access_key_id: Option<&'a str>,
    pub invoked_by: Option<&'a str>,
    pub source_ip: Option<&'a str>,
    pub user_agent: Option<&'a str>,
}

/// What was wired to what.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "as in `MappingCall`")]
pub struct MappingView<'a> {
    pub uuid: Option<&'a str>,
    pub arn: Option<&'a str>,
    pub function_arn: Option<&'a str>,
    pub function_name: Option<&'a str>,
    pub source_arn: Option<&'a str>,
    pub source_kind: SourceKind,
    pub account: &'a str,
    pub region: &'a str,
    pub enabled: Option<bool>,
}

/// What policy says.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "as in `Verdict`")]
pub struct VerdictView<'a> {
    pub allowed: bool,
    pub response: Response,
    pub restrict: bool,
    pub policies: &'a [String],
    pub reasons: &'a [String],
    pub errors: &'a [String],
}

impl<'a> Explanation<'a> {
    /// Of a finding.
    pub fn of_finding(finding: &'a Finding, verdict: &'a Verdict) -> Self {
        Self {
            event_id: &finding.event.id,
            event_name: &finding.event.name,
            detection: Some(finding.detection),
            ignored_because: None,
            actor: ActorView::of(&finding.actor),
            mapping: Some(MappingView::of(finding)),
            verdict: Some(VerdictView::of(verdict)),
        }
    }

    /// Of a record that is no finding.
    pub fn of_ignored(record: &'a Record, because: &'a Ignored) -> Self {
        Self {
            event_id: &record.event_id,
            event_name: &record.event_name,
            detection: None,
            ignored_because: Some(&because.0),
            actor: ActorView::of(&record.actor),
            mapping: None,
            verdict: None,
        }
    }
}

impl<'a> ActorView<'a> {
    /// Of an actor.
    pub fn of(actor: &'a Actor) -> Self {
        Self {
            kind: actor.kind,
            arn: known(&actor.arn),
            principal_arn: known(&actor.principal_arn),
            session_name: known(&actor.session_name),
            account: known(&actor.account),
            access_key_id: known(&actor.access_key_id),
            invoked_by: known(&actor.invoked_by),
            source_ip: known(&actor.source_ip),
            user_agent: known(&actor.user_agent),
        }
    }
}

impl<'a> MappingView<'a> {
    fn of(finding: &'a Finding) -> Self {
        let call = &finding.call;
        let made = (finding.detection == Detection::MappingCreated).then_some(true);
        Self {
            uuid: known(&call.uuid),
            arn: known(&call.mapping_arn),
            function_arn: known(&call.function.arn),
            function_name: known(&call.function.name),
            source_arn: known(&call.source.arn),
            source_kind: call.source.kind,
            account: &finding.account,
            region: &finding.region,
            enabled: call.enabled.or(made),
        }
    }
}

impl<'a> VerdictView<'a> {
    /// Of a verdict.
    pub fn of(verdict: &'a Verdict) -> Self {
        Self {
            allowed: verdict.allowed,
            response: verdict.response,
            restrict: verdict.restrict,
            policies: &verdict.policies,
            reasons: &verdict.reasons,
            errors: &verdict.errors,
        }
    }

    /// What sluicegate does by itself, for people.
    pub fn response_told(&self) -> String {
        let restricting = if self.restrict { ", and the credentials restricted" } else { "" };
        format!("{:?}{restricting}", self.response).to_lowercase()
    }
}

/// The detection, and what else the call does, for people.
pub fn what(finding: &Finding) -> String {
    let others = finding.changes.iter().skip(1).map(|change| change_word(*change));
    let others: Vec<&str> = others.collect();
    let also = if others.is_empty() { String::new() } else { format!(" (and does {})", others.join(", ")) };
    format!("{}{also}", finding.detection.name())
}

/// A text that is not empty.
pub fn known(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
