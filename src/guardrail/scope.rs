//! Beside who may wire at all: where, to what, and along which path. Each statement here only narrows what the listed
//! principals may do, so that leaving one out denies less, never more.
//!
//! A principal may be meant by several entries. A statement for the principals of one pattern therefore takes the values
//! of every pattern that takes it in, and spares the principals of each pattern inside it that may do more. Whether two
//! patterns have a principal in common is decided exactly, so none is denied what another entry lets it do.

use super::grant::{Grant, NotExpressed, Subject};
use super::pattern;
use super::statement::{Condition, Key, Operator, Statement};
use crate::cloudtrail::Verb;
use std::collections::{BTreeMap, BTreeSet};

/// What a statement narrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dimension {
    Accounts,
    Regions,
    Functions,
}

/// Patterns, each with the grants for it, in order.
pub(super) type Subjects<'a> = BTreeMap<&'a Subject, Vec<&'a Grant>>;

/// A narrowing that is the same for several principals: what it says, and whom it spares.
type Narrowing = (Vec<Condition>, BTreeSet<String>);

/// By pattern; those that may do something by `verb`, or all.
pub(super) fn subjects(grants: &[Grant], verb: Option<Verb>) -> Subjects<'_> {
    let mut subjects = Subjects::new();
    for grant in grants.iter().filter(|grant| verb.is_none_or(|verb| grant.verbs.contains(&verb))) {
        subjects.entry(&grant.subject).or_default().push(grant);
    }
    subjects
}

/// All narrowing statements, the ones that matter most first. `free` are patterns that are never narrowed.
pub(super) fn scopes(grants: &[Grant], free: &[String], lost: &mut Vec<NotExpressed>) -> Vec<Statement> {
    let mut found: BTreeMap<(&str, Narrowing), BTreeMap<&str, Vec<Verb>>> = BTreeMap::new();
    let mut add = |name, narrowing: Narrowing, subject, verb| {
        found.entry((name, narrowing)).or_default().entry(subject).or_default().push(verb);
    };
    let all = subjects(grants, None);
    for (depth, group) in deep_groups(&all) {
        if let Some((narrowing, group)) = deeper(depth, &group, &all, free) {
            for subject in group {
                add("PathsAsWritten", narrowing.clone(), subject, Verb::Create);
                add("PathsAsWritten", narrowing.clone(), subject, Verb::Update);
            }
        }
    }
    for verb in [Verb::Create, Verb::Update] {
        let able = subjects(grants, Some(verb));
        for subject in all.keys().filter(|subject| !able.contains_key(*subject)) {
            if let Some(spared) = spared(subject, &able, free, |_, _| true) {
                let name = if verb == Verb::Create { "UpdateAlone" } else { "CreateAlone" };
                add(name, (Vec::new(), spared), &subject.arn, verb);
            }
        }
        for subject in able.keys() {
            let together = together(subject, &able);
            about_mixing(verb, subject, &able, &together, lost);
            let dimensions = [("Accounts", Dimension::Accounts), ("Regions", Dimension::Regions)];
            let functions = (verb == Verb::Create).then_some(("Functions", Dimension::Functions));
            for (name, dimension) in dimensions.into_iter().chain(functions) {
                let Some(values) = values(dimension, &together) else { continue };
                let more = |_: &Subject, grants: &[&Grant]| {
                    let theirs = self::values(dimension, grants);
                    theirs.is_none_or(|theirs| !theirs.is_subset(&values))
                };
                if let Some(spared) = spared(subject, &able, free, more) {
                    add(name, (dimension.outside(&values), spared), &subject.arn, verb);
                }
            }
        }
    }
    numbered(found)
}

/// Statements that say the same of the same verbs become one; the names get numbers.
fn numbered(found: BTreeMap<(&str, Narrowing), BTreeMap<&str, Vec<Verb>>>) -> Vec<Statement> {
    let mut statements = Vec::new();
    for ((name, (conditions, spared)), subjects) in found {
        let mut by_verbs: BTreeMap<Vec<&str>, BTreeSet<&str>> = BTreeMap::new();
        for (subject, mut verbs) in subjects {
            verbs.sort_by_key(|verb| *verb == Verb::Update);
            verbs.dedup();
            let key = verbs.iter().map(|verb| if *verb == Verb::Create { "create" } else { "update" }).collect();
            by_verbs.entry(key).or_default().insert(subject);
        }
        for (verbs, subjects) in by_verbs {
            let verbs = verbs.iter().map(|verb| if *verb == "create" { Verb::Create } else { Verb::Update });
            statements.push((name, verbs.collect(), narrowing(&subjects, &spared, &conditions)));
        }
    }
    let order = ["PathsAsWritten", "CreateAlone", "UpdateAlone", "Accounts", "Regions", "Functions"];
    statements.sort_by_key(|(name, ..)| order.iter().position(|known| known == name));
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let numbered = statements.into_iter().map(|(name, verbs, conditions)| {
        let number = numbers.entry(name).or_default();
        *number += 1;
        Statement { sid: format!("{name}{number}"), verbs, conditions }
    });
    numbered.collect()
}

fn narrowing(subjects: &BTreeSet<&str>, spared: &BTreeSet<String>, conditions: &[Condition]) -> Vec<Condition> {
    let subjects = subjects.iter().map(|subject| (*subject).to_owned());
    let mut all = vec![Condition::new(Operator::ArnLike, Key::PrincipalArn, subjects)];
    if !spared.is_empty() {
        all.push(Condition::new(Operator::ArnNotLike, Key::PrincipalArn, spared.iter().cloned()));
    }
    all.extend(conditions.iter().cloned());
    all
}

impl Dimension {
    fn of(self, grant: &Grant) -> Option<&BTreeSet<String>> {
        match self {
            Self::Accounts => grant.accounts.as_ref(),
            Self::Regions => grant.regions.as_ref(),
            Self::Functions => grant.functions.as_ref(),
        }
    }

    /// True of requests outside these values.
    fn outside(self, values: &BTreeSet<String>) -> Vec<Condition> {
        let negated = |operator, key| Condition::new(operator, key, values.iter().cloned());
        match self {
            Self::Accounts => vec![negated(Operator::StringNotEquals, Key::PrincipalAccount)],
            Self::Regions => vec![negated(Operator::StringNotEquals, Key::RequestedRegion)],
            // A negated operator holds where the key is missing; what is not told is not denied.
            Self::Functions => vec![
                negated(Operator::ArnNotLike, Key::FunctionArn),
                Condition::new(Operator::Null, Key::FunctionArn, ["false".to_owned()]),
            ],
        }
    }
}

/// What the grants name together; `None`: one of them names nothing, which is anything.
fn values(dimension: Dimension, grants: &[&Grant]) -> Option<BTreeSet<String>> {
    let mut values = BTreeSet::new();
    for grant in grants {
        values.extend(dimension.of(grant)?.iter().cloned());
    }
    Some(values)
}

/// How the principals of another pattern lie to those of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    Apart,
    /// Inside, or where this pattern means none.
    Inside,
    /// Around, or across: some principals are meant by both.
    Around,
}

fn lies(other: &Subject, this: &Subject) -> Lies {
    if !other.reaches(this) {
        Lies::Apart
    } else if pattern::covers(&other.arn, &this.arn) {
        Lies::Around
    } else if pattern::covers(&this.arn, &other.arn)
        || this.depth.is_some_and(|depth| other.depth != Some(depth) && other.slashes() > depth)
    {
        Lies::Inside
    } else {
        Lies::Around
    }
}

/// The grants that a principal of this pattern may have, wherever in the pattern it is.
fn together<'a>(subject: &Subject, able: &Subjects<'a>) -> Vec<&'a Grant> {
    let around = able.iter().filter(|(other, _)| **other == subject || lies(other, subject) == Lies::Around);
    around.flat_map(|(_, grants)| grants.iter().copied()).collect()
}

/// Whom a statement on this pattern must spare: the patterns inside it that may do `more`. `None`: it would spare all.
fn spared(
    subject: &Subject,
    able: &Subjects<'_>,
    free: &[String],
    more: impl Fn(&Subject, &[&Grant]) -> bool,
) -> Option<BTreeSet<String>> {
    let free = free.iter().filter(|free| pattern::overlap(free, &subject.arn)).cloned();
    let inside = able.iter().filter(|(other, grants)| match lies(other, subject) {
        Lies::Apart => false,
        Lies::Inside => more(other, grants),
        // In `together`, if the subject itself is able; else it is spared whole.
        Lies::Around => **other != subject && !able.contains_key(subject),
    });
    let spared: BTreeSet<String> = free.chain(inside.map(|(other, _)| other.arn.clone())).collect();
    (!spared.iter().any(|spared| pattern::covers(spared, &subject.arn))).then_some(spared)
}

/// The patterns to whose star IAM lets in more path segments than the entry means, by the slashes that it means.
fn deep_groups<'a>(all: &Subjects<'a>) -> BTreeMap<usize, Vec<&'a Subject>> {
    let mut groups: BTreeMap<usize, Vec<&Subject>> = BTreeMap::new();
    for subject in all.keys().filter(|subject| subject.is_wider_to_iam()) {
        groups.entry(subject.depth.unwrap_or_default()).or_default().push(subject);
    }
    groups
}

/// Denies what lies deeper than these patterns mean, but for the principals that others mean there.
fn deeper<'a>(
    depth: usize,
    group: &[&'a Subject],
    all: &Subjects<'_>,
    free: &[String],
) -> Option<(Narrowing, Vec<&'a str>)> {
    let mut spared = BTreeSet::new();
    let mut narrowed = Vec::new();
    for subject in group {
        let others = all.keys().filter(|other| other.depth.is_none_or(|other| other > depth) && other.reaches(subject));
        let others =
            others.map(|other| &other.arn).chain(free.iter().filter(|free| pattern::overlap(free, &subject.arn)));
        let others: Vec<&String> = others.collect();
        if !others.iter().any(|other| pattern::covers(other, &subject.arn)) {
            spared.extend(others.into_iter().cloned());
            narrowed.push(subject.arn.as_str());
        }
    }
    let deeper = Condition::new(Operator::StringLike, Key::PrincipalArn, [format!("*{}", "/*".repeat(depth + 1))]);
    (!narrowed.is_empty()).then_some(((vec![deeper], spared), narrowed))
}

/// Says where several entries for a principal are taken together, so that more passes than each of them lets.
fn about_mixing(verb: Verb, subject: &Subject, able: &Subjects<'_>, together: &[&Grant], lost: &mut Vec<NotExpressed>) {
    let differs = |dimension: Dimension| {
        together.windows(2).any(|pair| matches!(pair, [a, b] if dimension.of(a) != dimension.of(b)))
    };
    let functions = verb == Verb::Create && differs(Dimension::Functions);
    let differing =
        usize::from(functions) + usize::from(differs(Dimension::Regions)) + usize::from(differs(Dimension::Accounts));
    let across = |other: &Subject| {
        other != subject && lies(other, subject) == Lies::Around && !pattern::covers(&other.arn, &subject.arn)
    };
    let across = able.keys().any(|other| across(other)) && differing > 0;
    if differing < 2 && !across {
        return;
    }
    let ids: BTreeSet<&str> = together.iter().map(|grant| grant.entry.as_str()).collect();
    let own = able.get(subject).into_iter().flatten();
    for entry in own.map(|grant| &grant.entry).collect::<BTreeSet<_>>() {
        let others: Vec<&str> = ids.iter().copied().filter(|id| id != entry).collect();
        let why = if others.is_empty() {
            "it is for overlapping principals, whose accounts, regions and functions are taken together".to_owned()
        } else {
            format!(
                "{} {} principals of it too: what any of them names in accounts, regions and functions passes, in any \
                 combination",
                others.join(", "),
                if others.len() == 1 { "is for" } else { "are for" }
            )
        };
        let told = NotExpressed { entry: entry.clone(), what: "combination".into(), why };
        if !lost.contains(&told) {
            lost.push(told);
        }
    }
}
