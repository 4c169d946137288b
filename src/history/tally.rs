//! What is counted over all findings.

use super::Capped;
use crate::detection::Finding;
use crate::policy::{Response, Verdict, source_kind_word};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How many were allowed and how many not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Allowed.
    pub allowed: u64,
    /// Not allowed.
    pub not_allowed: u64,
}

impl Count {
    /// One more.
    pub fn add(&mut self, allowed: bool) {
        *if allowed { &mut self.allowed } else { &mut self.not_allowed } += 1;
    }

    /// Both together.
    pub fn total(self) -> u64 {
        self.allowed + self.not_allowed
    }
}

/// What is counted of one principal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrincipalCount {
    /// Its findings.
    pub count: Count,
    /// What sluicegate would have done by itself about those that were not allowed.
    pub by_response: BTreeMap<Response, u64>,
    /// How often its credentials would have been restricted by itself.
    pub restricted: u64,
    /// When it was seen last; of findings without a time: never.
    pub last: Option<Timestamp>,
    /// When it did something last that was not allowed.
    pub last_not_allowed: Option<Timestamp>,
}

impl PrincipalCount {
    fn add(&mut self, finding: &Finding, verdict: &Verdict) {
        self.count.add(verdict.allowed);
        if !verdict.allowed {
            *self.by_response.entry(verdict.response).or_default() += 1;
            self.last_not_allowed = self.last_not_allowed.max(dated(finding));
        }
        self.restricted += u64::from(verdict.restrict);
        self.last = self.last.max(dated(finding));
    }
}

/// Counts over all findings of an archive.
#[derive(Debug, Clone)]
pub struct Tally {
    /// All findings.
    pub count: Count,
    /// By response; allowed ones are `leave`.
    pub by_response: BTreeMap<Response, u64>,
    /// Findings whose actor would have been restricted by itself.
    pub restricted: u64,
    /// Findings for which a policy could not be evaluated.
    pub erred: u64,
    /// The time of the oldest and of the newest finding.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Findings whose record tells no time.
    pub undated: u64,
    /// By day (UTC).
    pub days: Capped<Date, Count>,
    /// By the principal's ARN; `""` for those whom CloudTrail names in no reliable way.
    pub principals: Capped<String, PrincipalCount>,
    /// By the mapping's account and region.
    pub places: Capped<(String, String), Count>,
    /// By kind of source.
    pub sources: BTreeMap<&'static str, Count>,
    /// By the entries and rules that decided.
    pub policies: Capped<String, Count>,
}

impl Tally {
    /// Telling apart as many days, principals, places and policies each.
    pub fn new(most: usize) -> Self {
        Self {
            count: Count::default(),
            by_response: BTreeMap::new(),
            restricted: 0,
            erred: 0,
            span: None,
            undated: 0,
            days: Capped::new(most),
            principals: Capped::new(most),
            places: Capped::new(most),
            sources: BTreeMap::new(),
            policies: Capped::new(most),
        }
    }

    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding, verdict: &Verdict) {
        let allowed = verdict.allowed;
        self.count.add(allowed);
        *self.by_response.entry(verdict.response).or_default() += 1;
        self.restricted += u64::from(verdict.restrict);
        self.erred += u64::from(!verdict.errors.is_empty());
        match dated(finding) {
            Some(time) => {
                let (first, last) = self.span.unwrap_or((time, time));
                self.span = Some((first.min(time), last.max(time)));
                self.days.of(&day(time)).add(allowed);
            }
            None => self.undated += 1,
        }
        self.principals.of(finding.actor.principal_arn.as_str()).add(finding, verdict);
        self.places.of(&(finding.account.clone(), finding.region.clone())).add(allowed);
        self.sources.entry(source_kind_word(finding.call.source.kind)).or_default().add(allowed);
        for policy in &verdict.policies {
            self.policies.of(policy.as_str()).add(allowed);
        }
    }
}

/// The event's time; `None` where the record has none.
pub(super) fn dated(finding: &Finding) -> Option<Timestamp> {
    Some(finding.event.time).filter(|time| *time != Timestamp::UNIX_EPOCH)
}

pub(super) fn day(time: Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(time).date()
}
