//! Runs the cases of a file against a set.

use super::build;
use crate::policy::files::Notes;
use crate::policy::names::{self, APPROVALS};
use crate::policy::toml_doc::{self, Row};
use crate::policy::{ApproveAction, PolicySet, Problem, SourceFile, suggest};
use jiff::Timestamp;
use std::collections::BTreeSet;
use toml::de::DeValue;

/// How one case went.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CaseResult {
    /// The file, as given.
    pub file: String,
    /// Line of the case, from 1.
    pub line: usize,
    /// The case's name.
    pub name: String,
    /// Whether all that it expects came true.
    pub passed: bool,
    /// What did not.
    pub differences: Vec<Difference>,
    /// Where something did not: why policy said what it said.
    pub because: Vec<String>,
    /// The entries and rules that decided.
    pub policies: Vec<String>,
}

/// One expectation that did not come true.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The key of `expect`.
    pub key: String,
    /// What it says.
    pub expected: String,
    /// What policy says.
    pub got: String,
}

/// What a case came to.
#[derive(Default)]
struct Outcome {
    differences: Vec<Difference>,
    because: Vec<String>,
    policies: Vec<String>,
}

/// Runs all cases of a file, in order. A mistake in the file itself is a problem, and then nothing is run.
pub fn run_cases(set: &PolicySet, file: &SourceFile, now: Timestamp) -> Result<Vec<CaseResult>, Vec<Problem>> {
    let mut notes = Notes::new(file);
    let Some(table) = toml_doc::parse(&mut notes) else {
        return Err(notes.into_problems());
    };
    let document = Row::new(&table, 0);
    document.allow_only(&["case"], &mut notes);
    let cases = document.get("case").and_then(|cases| cases.get_ref().as_array());
    if cases.is_none_or(|cases| cases.is_empty()) {
        notes.error(0, "the file holds no case", "write each as [[case]]");
    }
    let mut results = Vec::new();
    for value in cases.into_iter().flat_map(|cases| cases.iter()) {
        let Some(row) = Row::of(value, "a case", &mut notes) else {
            continue;
        };
        let Some(name) = row.required_text("name", "the case", &mut notes) else {
            continue;
        };
        let Outcome { differences, because, policies } =
            if row.has("approver") { decide(set, &row, now, &mut notes) } else { judge(set, &row, now, &mut notes) };
        results.push(CaseResult {
            file: file.name.clone(),
            line: notes.place(row.at).0,
            name: name.value,
            passed: differences.is_empty(),
            differences,
            because,
            policies,
        });
    }
    let problems = notes.into_problems();
    if problems.is_empty() { Ok(results) } else { Err(problems) }
}

fn judge(set: &PolicySet, row: &Row<'_>, now: Timestamp, notes: &mut Notes<'_>) -> Outcome {
    let known: Vec<&str> = build::KEYS.iter().copied().chain(["name", "now", "expect"]).collect();
    row.allow_only(&known, notes);
    if !row.has("actor") {
        notes.error(row.at, "the case names no `actor` and no `approver`", "add actor = \"arn:aws:iam::…\"");
    }
    let facts = build::facts(row, now, notes);
    let finding = build::finding(row, facts.now, notes);
    let mut expect = Expect::new(row, &["allowed", "response", "restrict", "policies", "errors"], notes);
    let verdict = set.judge(&finding, &facts);
    expect.flag("allowed", verdict.allowed, notes);
    expect.flag("restrict", verdict.restrict, notes);
    expect.policies(&verdict.policies, notes);
    let errors = u32::try_from(verdict.errors.len()).unwrap_or(u32::MAX);
    expect.number("errors", errors, notes);
    let response = serde_json::to_value(verdict.response).ok();
    let response = response.as_ref().and_then(serde_json::Value::as_str).unwrap_or("");
    expect.word("response", response, &["leave", "notify", "ask", "disable", "freeze"], notes);
    expect.told(verdict.policies, verdict.reasons.into_iter().chain(verdict.errors))
}

fn decide(set: &PolicySet, row: &Row<'_>, now: Timestamp, notes: &mut Notes<'_>) -> Outcome {
    let own = ["name", "now", "expect", "approver", "decisions", "groups", "reversible"];
    let known: Vec<&str> = build::KEYS.iter().copied().chain(own).collect();
    row.allow_only(&known, notes);
    let facts = build::facts(row, now, notes);
    let finding = build::finding(row, facts.now, notes);
    let groups: Vec<String> =
        row.texts("groups", notes).unwrap_or_default().into_iter().map(|text| text.value).collect();
    let mut expect = Expect::new(row, &["permitted", "approvals", "confirm_aws", "policies"], notes);
    let Some(approver) = row.required_text("approver", "the case", notes) else {
        return Outcome::default();
    };
    let Some(person) = set.person_in(&approver.value, &groups) else {
        notes.error(
            approver.at,
            format!("`{}` is nobody in [people]", approver.value),
            suggest::instead_of(&approver.value, set.people_names()),
        );
        return Outcome::default();
    };
    let actions = decisions(row, notes);
    let caused = set.caused(&person, &finding);
    let reversible = row.boolean("reversible", notes).unwrap_or(true);
    let permission = set.may(&person, &actions, &finding, caused, reversible, facts.now);
    expect.flag("permitted", permission.permitted, notes);
    expect.flag("confirm_aws", permission.confirm_aws, notes);
    expect.number("approvals", permission.approvals, notes);
    expect.policies(&permission.policies, notes);
    expect.told(permission.policies, permission.reasons.into_iter().chain(permission.errors))
}

fn decisions(row: &Row<'_>, notes: &mut Notes<'_>) -> Vec<ApproveAction> {
    if !row.has("decisions") {
        notes.error(row.at, "the case names no `decisions`", "add decisions = [\"delete\"]");
    }
    let words = row.texts("decisions", notes).unwrap_or_default();
    words.iter().filter_map(|word| names::read(&APPROVALS, word, "decision", notes)).collect()
}

/// What a case expects, and what came otherwise.
struct Expect<'t> {
    row: Option<Row<'t>>,
    differences: Vec<Difference>,
}

impl<'t> Expect<'t> {
    fn new(case: &Row<'t>, keys: &[&str], notes: &mut Notes<'_>) -> Self {
        let value = case.get("expect");
        if value.is_none_or(|value| matches!(value.get_ref(), DeValue::Table(table) if table.is_empty())) {
            notes.error(case.at, "the case expects nothing", format!("add expect = {{ {} = … }}", keys[0]));
        }
        let row = value.and_then(|value| Row::of(value, "`expect`", notes));
        if let Some(row) = &row {
            row.allow_only(keys, notes);
        }
        Self { row, differences: Vec::new() }
    }

    fn compare<T: PartialEq + std::fmt::Display>(&mut self, key: &str, expected: Option<T>, got: &T) {
        if let Some(expected) = expected.filter(|expected| expected != got) {
            self.differences.push(Difference {
                key: key.to_owned(),
                expected: expected.to_string(),
                got: got.to_string(),
            });
        }
    }

    fn flag(&mut self, key: &str, got: bool, notes: &mut Notes<'_>) {
        let expected = self.row.and_then(|row| row.boolean(key, notes));
        self.compare(key, expected, &got);
    }

    fn number(&mut self, key: &str, got: u32, notes: &mut Notes<'_>) {
        let expected = self.row.and_then(|row| row.count(key, notes));
        self.compare(key, expected, &got);
    }

    fn word(&mut self, key: &str, got: &str, known: &[&str], notes: &mut Notes<'_>) {
        let expected = self.row.and_then(|row| row.text(key, notes));
        if let Some(word) = expected.as_ref().filter(|word| !known.contains(&word.value.as_str())) {
            let suggestion = suggest::instead_of(&word.value, known.iter().copied());
            notes.error(word.at, format!("there is no {key} `{}`", word.value), suggestion);
        }
        self.compare(key, expected.map(|word| word.value), &got.to_owned());
    }

    fn policies(&mut self, got: &[String], notes: &mut Notes<'_>) {
        let named = self.row.filter(|row| row.has("policies"));
        let Some(expected) = named.and_then(|row| row.texts("policies", notes)) else {
            return;
        };
        let expected: BTreeSet<String> = expected.into_iter().map(|text| text.value).collect();
        let got: BTreeSet<String> = got.iter().cloned().collect();
        let list = |ids: &BTreeSet<String>| ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.compare("policies", Some(list(&expected)), &list(&got));
    }

    /// The differences; where there are any, with why policy said what it said.
    fn told(self, policies: Vec<String>, why: impl Iterator<Item = String>) -> Outcome {
        let because = if self.differences.is_empty() { Vec::new() } else { why.collect() };
        Outcome { differences: self.differences, because, policies }
    }
}
