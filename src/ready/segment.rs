//! Cases and findings by segment: a group of accounts and a kind of source.

use super::{ENOUGH, Label, Precision, Seen, labels_missing};
use crate::detection::Finding;
use crate::history::is_allowed_at;
use crate::mapping::SourceKind;
use crate::policy::{PolicySet, Response, Verdict, source_kind_word};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be expected each week.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct CardsPerWeek {
    /// By the journal's observed cases; null without any.
    pub journal: Option<f64>,
    /// By the archive's findings that are not allowed and that people are asked about; null without an archive.
    pub archive: Option<f64>,
}

/// Who makes the most of what the archive has and policy does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MostBy {
    /// Whose; `""` where that is not certain.
    pub principal_arn: String,
    /// How many.
    pub times: u32,
    /// Of how many.
    pub of: u32,
}

/// Why acting was, or would have been, wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongCause {
    /// Who did it; `""` where that is not certain.
    pub principal_arn: String,
    /// What policy said, most telling first.
    pub reason: String,
    /// How many wrong cases it made.
    pub times: u32,
    /// Of how many.
    pub of: u32,
    /// Who said so.
    pub people: BTreeSet<String>,
    /// The functions, at most five.
    pub functions: BTreeSet<String>,
    /// The sources as an entry names them, at most five.
    pub sources: BTreeSet<String>,
    /// The service that made the calls, where one did.
    pub via: BTreeSet<String>,
    /// The latest case.
    pub case_id: String,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// The account group; an account that is in none stands for itself.
    pub group: String,
    /// The kind of source.
    pub source_kind: SourceKind,
    /// Cases of observe mode.
    pub observed: u32,
    /// Those that people called right.
    pub right: u32,
    /// Those that somebody called wrong.
    pub wrong: u32,
    /// Those that nobody said anything of.
    pub unlabelled: u32,
    /// Cases of enforce mode whose containment people kept.
    pub upheld: u32,
    /// Cases of enforce mode that people restored.
    pub restored: u32,
    /// Of the wrong and restored ones, those that the policies allow since: they count no more.
    pub allowed_since: u32,
    /// Of the right and upheld ones, those that the policies would allow now, by case: the allowlist may be too wide.
    pub right_but_allowed_now: Vec<String>,
    /// The share of right ones; null where nothing is labelled.
    pub precision: Option<Precision>,
    /// Labels that are missing before it can be recommended, if all are right; 0 where none is.
    pub labels_missing: u32,
    /// What is to be expected.
    pub cards_per_week: CardsPerWeek,
    /// Of those in the archive, the mappings that would be disabled at once.
    pub containments_per_week: Option<f64>,
    /// Who makes the most cards of the archive; null without any.
    pub most_by: Option<MostBy>,
    /// Why containing was wrong, the most frequent first.
    pub wrong_causes: Vec<WrongCause>,
}

/// What all of it rests on.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// Cases of observe mode.
    pub observed: u32,
    /// Cases that people labelled, or decided in enforce mode.
    pub labelled: u32,
    /// The archive's findings; null without an archive.
    pub findings: Option<u64>,
    /// Those that are not allowed.
    pub not_allowed: Option<u64>,
    /// From when.
    pub since: Option<Timestamp>,
}

type Key = (String, &'static str);

#[derive(Debug, Default)]
struct Tally {
    kind: Option<SourceKind>,
    observed: u32,
    right: u32,
    wrong: u32,
    unlabelled: u32,
    upheld: u32,
    restored: u32,
    allowed_since: u32,
    right_but_allowed_now: Vec<String>,
    asked: u32,
    contained: u32,
    asked_by: BTreeMap<String, u32>,
    causes: BTreeMap<(String, String), WrongCause>,
}

/// Takes in cases and findings, and tells.
#[derive(Debug)]
pub struct Report<'p> {
    set: &'p PolicySet,
    now: Timestamp,
    since: Option<Timestamp>,
    tallies: BTreeMap<Key, Tally>,
    summary: Summary,
    first_case: Option<Timestamp>,
    /// The first and the last finding.
    archive: Option<(Timestamp, Timestamp)>,
}

impl<'p> Report<'p> {
    /// By this set, as it is `now`, of what happened since then.
    pub fn new(set: &'p PolicySet, now: Timestamp, since: Option<Timestamp>) -> Self {
        let summary = Summary { since, ..Summary::default() };
        Self { set, now, since, tallies: BTreeMap::new(), summary, first_case: None, archive: None }
    }

    fn keys(&self, finding: &Finding) -> Vec<Key> {
        let mut groups: Vec<String> = self.set.groups_of(&finding.account).map(str::to_owned).collect();
        if groups.is_empty() {
            groups.push(finding.account.clone());
        }
        groups.into_iter().map(|group| (group, source_kind_word(finding.call.source.kind))).collect()
    }

    /// A case of the journal.
    pub fn case(&mut self, seen: &Seen) {
        if self.since.is_some_and(|since| seen.opened_at < since) {
            return;
        }
        self.summary.observed += u32::from(seen.observed);
        self.summary.labelled += u32::from(seen.label.is_some());
        self.first_case = Some(self.first_case.map_or(seen.opened_at, |first| first.min(seen.opened_at)));
        let allowed_now = seen.label.is_some() && is_allowed_at(self.set, &seen.finding, self.now);
        for key in self.keys(&seen.finding) {
            let tally = self.tallies.entry(key).or_default();
            tally.kind = Some(seen.finding.call.source.kind);
            tally.observed += u32::from(seen.observed);
            match seen.label {
                Some(Label::Right) => tally.right += 1,
                Some(Label::Wrong) => tally.wrong += 1,
                Some(Label::Upheld) => tally.upheld += 1,
                Some(Label::Restored) => tally.restored += 1,
                None => tally.unlabelled += u32::from(seen.observed),
            }
            match seen.label {
                Some(Label::Wrong | Label::Restored) if allowed_now => tally.allowed_since += 1,
                Some(Label::Wrong | Label::Restored) => tally.because(seen),
                Some(Label::Right | Label::Upheld) if allowed_now => {
                    tally.right_but_allowed_now.push(seen.case_id.clone());
                }
                _ => {}
            }
        }
    }

    /// That there is an archive, though it may hold nothing.
    pub fn has_archive(&mut self) {
        self.summary.findings.get_or_insert(0);
        self.summary.not_allowed.get_or_insert(0);
    }

    /// A finding of the archive, and what policy says of it.
    pub fn finding(&mut self, finding: &Finding, verdict: &Verdict) {
        let time = finding.event.time;
        if self.since.is_some_and(|since| time < since) {
            return;
        }
        self.archive = Some(self.archive.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        *self.summary.findings.get_or_insert(0) += 1;
        if verdict.allowed {
            return;
        }
        *self.summary.not_allowed.get_or_insert(0) += 1;
        for key in self.keys(finding) {
            let tally = self.tallies.entry(key).or_default();
            tally.kind = Some(finding.call.source.kind);
            if verdict.response >= Response::Ask {
                tally.asked += 1;
                *tally.asked_by.entry(finding.actor.principal_arn.clone()).or_default() += 1;
            }
            tally.contained += u32::from(verdict.response >= Response::Disable);
        }
    }

    /// The segments by group and kind, and what they rest on.
    pub fn finish(self) -> (Vec<Segment>, Summary) {
        let journal_weeks = self.first_case.map(|first| weeks(first, self.now));
        let archive_weeks = self.archive.map(|(first, last)| weeks(first, last));
        let has_archive = self.summary.findings.is_some();
        let segment = |((group, _), tally): (Key, Tally)| {
            let per = |count: u32, weeks: f64| f64::from(count) / weeks;
            let (right, wrong) = tally.counting();
            let archive = has_archive.then(|| archive_weeks.map_or(0.0, |weeks| per(tally.asked, weeks)));
            Segment {
                group,
                source_kind: tally.kind.unwrap_or(SourceKind::Unknown),
                observed: tally.observed,
                right: tally.right,
                wrong: tally.wrong,
                unlabelled: tally.unlabelled,
                upheld: tally.upheld,
                restored: tally.restored,
                allowed_since: tally.allowed_since,
                precision: Precision::of(right, wrong),
                labels_missing: labels_missing(right, wrong, ENOUGH),
                cards_per_week: CardsPerWeek {
                    journal: journal_weeks.filter(|_| tally.observed > 0).map(|weeks| per(tally.observed, weeks)),
                    archive,
                },
                containments_per_week: archive.map(|_| archive_weeks.map_or(0.0, |weeks| per(tally.contained, weeks))),
                most_by: tally.most_by(),
                wrong_causes: tally.causes(wrong),
                right_but_allowed_now: tally.right_but_allowed_now,
            }
        };
        (self.tallies.into_iter().map(segment).collect(), self.summary)
    }
}

impl Tally {
    /// Right and wrong ones by the policies as they are now.
    fn counting(&self) -> (u32, u32) {
        let gone = u32::try_from(self.right_but_allowed_now.len()).unwrap_or(u32::MAX);
        let right = (self.right + self.upheld).saturating_sub(gone);
        (right, (self.wrong + self.restored).saturating_sub(self.allowed_since))
    }

    fn most_by(&self) -> Option<MostBy> {
        let (principal, times) = self.asked_by.iter().max_by_key(|(_, times)| **times)?;
        Some(MostBy { principal_arn: principal.clone(), times: *times, of: self.asked })
    }

    fn because(&mut self, seen: &Seen) {
        let Seen { finding, verdict, .. } = seen;
        let reason = verdict.errors.first().or(verdict.reasons.first()).cloned().unwrap_or_default();
        let principal_arn = finding.actor.principal_arn.clone();
        let cause = self.causes.entry((principal_arn.clone(), reason.clone())).or_insert_with(|| WrongCause {
            principal_arn,
            reason,
            times: 0,
            of: 0,
            people: BTreeSet::new(),
            functions: BTreeSet::new(),
            sources: BTreeSet::new(),
            via: BTreeSet::new(),
            case_id: String::new(),
        });
        cause.times += 1;
        cause.people.extend(seen.people.iter().cloned());
        let few = |set: &mut BTreeSet<String>, value: &str| {
            if set.len() < 5 && !value.is_empty() {
                set.insert(value.to_owned());
            }
        };
        let source = &finding.call.source;
        few(&mut cause.functions, &finding.call.function.name);
        if source.kind != SourceKind::Unknown && !source.name.is_empty() {
            few(&mut cause.sources, &format!("{}:{}", source_kind_word(source.kind), source.name));
        }
        few(&mut cause.via, &finding.actor.invoked_by);
        cause.case_id.clone_from(&seen.case_id);
    }

    fn causes(&self, of: u32) -> Vec<WrongCause> {
        let mut causes: Vec<WrongCause> =
            self.causes.values().map(|cause| WrongCause { of, ..cause.clone() }).collect();
        causes.sort_by(|a, b| (b.times, &a.principal_arn).cmp(&(a.times, &b.principal_arn)));
        causes
    }
}

/// The weeks between two times, one at least: what happened once on one day does not happen daily.
fn weeks(from: Timestamp, to: Timestamp) -> f64 {
    const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
    (to.duration_since(from).as_secs_f64() / WEEK.as_secs_f64()).max(1.0)
}
