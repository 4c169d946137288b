//! The first two questions: may this actor do it, and what does sluicegate do by itself where not.

use super::allowlist::Entry;
use super::request::Asking;
use super::respond::Reaction;
use super::rules::Answer;
use super::{Facts, PolicySet, Response, Verdict};
use crate::cloudtrail::PrincipalKind;
use crate::detection::{Change, Detection, Finding};
use crate::policy::names::{self, CHANGES};
use cedar_policy::{Context, Entities};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The answer to the first question.
#[derive(Debug, Default)]
struct Allowance {
    allowed: bool,
    /// Whether entries cover every change.
    covered: bool,
    /// The context that the last change was judged in: with one change, the one of the second question too.
    context: Option<Context>,
    policies: Vec<String>,
    reasons: Vec<String>,
    errors: Vec<String>,
}

/// What speaks for one change, or against it.
#[derive(Debug, Default)]
struct Argument {
    policies: Vec<String>,
    reasons: Vec<String>,
}

impl PolicySet {
    /// Judges a finding. It never fails: what cannot be evaluated is not allowed, and a person is asked. Where request
    /// and response name different functions or sources, either must be allowed.
    pub fn judge(&self, finding: &Finding, facts: &Facts) -> Verdict {
        let verdict = self.judge_as_told(finding, facts);
        let Some(asked) = finding.call.asked.as_deref().filter(|_| verdict.allowed) else { return verdict };
        let mut other = finding.clone();
        other.call.function = asked.function.clone();
        other.call.source = asked.source.clone();
        let mut other = self.judge_as_told(&other, facts);
        if other.allowed {
            return verdict;
        }
        other.reasons.insert(0, format!("the record contradicts itself: {}", finding.call.disagrees));
        other
    }

    fn judge_as_told(&self, finding: &Finding, facts: &Facts) -> Verdict {
        let asking = self.asking(finding);
        let changes = changes(finding);
        let entities = match asking.actor_entities() {
            Ok(entities) => entities,
            Err(error) => return self.unanswered(error),
        };
        let allowance = self.allowance(&asking, &entities, facts, &changes);
        if allowance.allowed {
            return Verdict {
                allowed: true,
                response: Response::Leave,
                restrict: false,
                policies: unique(allowance.policies),
                reasons: unique(allowance.reasons),
                errors: Vec::new(),
                policy_digest: self.digest().to_owned(),
            };
        }
        let context = match (&allowance.context, changes.as_slice()) {
            (Some(context), [_]) => Ok(context.clone()),
            (_, [first, ..]) => asking.event_context(facts, *first, allowance.covered),
            (_, []) => Err("the finding names no change".to_owned()),
        };
        let reaction = match context {
            Ok(context) => self.reaction(&asking, &entities, facts, &context),
            Err(error) => Reaction { errors: vec![error], ..Reaction::default() },
        };
        self.denied(finding, allowance, reaction)
    }

    pub(super) fn asking<'a>(&'a self, finding: &'a Finding) -> Asking<'a> {
        Asking { vocabulary: self.vocabulary, inventory: &self.inventory, finding }
    }

    /// `rule ID: its reason`.
    pub(super) fn told(&self, rule: &str) -> String {
        let reason = self.rules.info(rule).map_or("", |info| info.reason.as_str());
        format!("rule {rule}: {reason}")
    }

    fn unanswered(&self, error: String) -> Verdict {
        Verdict {
            allowed: false,
            response: Response::Ask,
            restrict: false,
            policies: Vec::new(),
            reasons: vec!["policy could not be evaluated, so it is not allowed and a person is asked".to_owned()],
            errors: vec![error],
            policy_digest: self.digest().to_owned(),
        }
    }

    fn denied(&self, finding: &Finding, mut allowance: Allowance, reaction: Reaction) -> Verdict {
        allowance.errors.extend(reaction.errors);
        let errors = unique(allowance.errors);
        let mut reasons = allowance.reasons;
        if self.inventory.lists(&finding.account) == Some(false) {
            reasons.push(format!("account {} is not in {}", finding.account, self.inventory_name));
        }
        let mut policies = allowance.policies;
        let (response, restrict) = if errors.is_empty() {
            policies.extend(reaction.policies);
            reasons.extend(reaction.reasons);
            (reaction.response, reaction.restrict)
        } else {
            reasons.push("policy could not be evaluated without error: a person is asked".to_owned());
            (Response::Ask, false)
        };
        Verdict {
            allowed: false,
            response,
            restrict,
            policies: unique(policies),
            reasons: unique(reasons),
            errors,
            policy_digest: self.digest().to_owned(),
        }
    }

    fn allowance(&self, asking: &Asking<'_>, entities: &Entities, facts: &Facts, changes: &[Change]) -> Allowance {
        let finding = asking.finding;
        let today = facts.now.to_zoned_datetime(TimeZone::UTC).date();
        let nobody = never_allowed(finding);
        let mut told = Allowance { allowed: nobody.is_none(), covered: nobody.is_none(), ..Allowance::default() };
        let (mut pro, mut contra) = (Argument::default(), Argument::default());
        contra.reasons.extend(nobody.clone());
        for &change in changes {
            let entries = if facts.case_open || nobody.is_some() {
                Vec::new()
            } else {
                self.allowlist.covering(finding, change, today)
            };
            told.covered &= !entries.is_empty();
            let context = asking.event_context(facts, change, !entries.is_empty());
            told.context = context.as_ref().ok().cloned();
            let request = context.and_then(|context| asking.actor_request(names::word(&CHANGES, &change), context));
            let answer = request.map_or_else(Answer::error, |request| self.rules.ask(&request, entities));
            told.allowed &= answer.permitted;
            if answer.permitted {
                for entry in entries {
                    pro.policies.push(entry.id.clone());
                    let Entry { id, owner, reason, .. } = entry;
                    pro.reasons.push(format!("allowlist entry {id} ({owner}): {reason}"));
                }
                pro.reasons.extend(answer.rules.iter().map(|rule| self.told(rule)));
                pro.policies.extend(answer.rules);
            } else if !answer.errors.is_empty() {
                contra.reasons.push("a rule could not be evaluated, which is never a yes".to_owned());
            } else if answer.rules.is_empty() && nobody.is_none() {
                contra.reasons.push(match entries.first() {
                    Some(entry) => format!("entry {} covers it, but no rule permits what an entry covers", entry.id),
                    None => self.not_covered(finding, change, facts, today),
                });
            } else {
                contra.reasons.extend(answer.rules.iter().map(|rule| format!("forbidden by {}", self.told(rule))));
                contra.policies.extend(answer.rules);
            }
            told.errors.extend(answer.errors);
        }
        // What permits one change of several does not decide, if another is not permitted.
        let deciding = if told.allowed { pro } else { contra };
        told.policies = deciding.policies;
        told.reasons = deciding.reasons;
        told
    }

    fn not_covered(&self, finding: &Finding, change: Change, facts: &Facts, today: Date) -> String {
        let name = &self.allowlist_name;
        let action = names::word(&CHANGES, &change);
        let who = &finding.actor.principal_arn;
        if facts.case_open {
            return format!("the mapping has an open case, and no entry of {name} covers it until that is closed");
        }
        match self.allowlist.nearest_miss(finding, change, today) {
            Some(miss) => format!("no entry of {name} covers `{action}` by {who}: {miss}"),
            None => format!("no entry of {name} is for {who}"),
        }
    }
}

/// Why the finding can never be allowed, whatever the rules say: nobody certain did it, or it is not certain what.
pub(super) fn never_allowed(finding: &Finding) -> Option<String> {
    let actor = &finding.actor;
    if actor.principal_arn.is_empty() {
        let why = match actor.unidentified.as_str() {
            "" => "CloudTrail names no role and no user",
            why => why,
        };
        return Some(format!("who did it is not known for certain: {why}"));
    }
    if actor.kind == PrincipalKind::Unknown {
        return Some("CloudTrail's kind of identity is not known, so it is nobody's".to_owned());
    }
    let contradiction = &finding.call.disagrees;
    let untold = !contradiction.is_empty() && finding.call.asked.is_none();
    untold.then(|| format!("the record contradicts itself: {contradiction}"))
}

/// All that is to be allowed; a finding that names no change is judged by its detection.
fn changes(finding: &Finding) -> Vec<Change> {
    if !finding.changes.is_empty() {
        return finding.changes.clone();
    }
    vec![match finding.detection {
        Detection::MappingCreated => Change::Create,
        Detection::MappingEnabled => Change::Enable,
        Detection::MappingRepointed => Change::Repoint,
        Detection::MappingRewired => Change::Rewire,
    }]
}

fn unique(values: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    values.into_iter().filter(|value| seen.insert(value.clone())).collect()
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
