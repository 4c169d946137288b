//! A case, as far as it tells whether acting is, or would have been, right.

use crate::case::{Case, Mode, Outcome};
use crate::detection::Finding;
use crate::policy::{Response, Verdict};
use jiff::Timestamp;

/// What people said of a case, or did with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// In `observe`: everybody who said anything said that it would have been right.
    Right,
    /// In `observe`: somebody said that it would have been wrong.
    Wrong,
    /// In `enforce`: people decided that the mapping stays disabled, or removed it.
    Upheld,
    /// In `enforce`: people took the containment back.
    Restored,
}

/// What `ready` takes of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The case's id.
    pub case_id: String,
    /// Whether it was merely observed.
    pub observed: bool,
    /// What people said or did; `None`: nothing.
    pub label: Option<Label>,
    /// Who did.
    pub people: Vec<String>,
    /// When it began.
    pub opened_at: Timestamp,
    /// What was found.
    pub finding: Finding,
    /// What policy said then.
    pub verdict: Verdict,
}

impl Seen {
    /// Of a case; `None` where the case tells nothing about containing: it never stopped anything, nor would have.
    pub fn of(case: &Case) -> Option<Self> {
        let observed = case.opened.mode == Mode::Observe;
        let (label, people) = if observed { rated(case) } else { decided(case) };
        let tells = if observed { case.response >= Response::Ask } else { !case.steps.is_empty() };
        tells.then(|| Self {
            case_id: case.id.to_string(),
            observed,
            label,
            people,
            opened_at: case.opened_at,
            finding: case.opened.finding.clone(),
            verdict: case.opened.verdict.clone(),
        })
    }
}

/// Of each person the last word; one `wrong` among them counts.
fn rated(case: &Case) -> (Option<Label>, Vec<String>) {
    let of =
        |right: bool| case.ratings.iter().filter(move |(_, said)| *said == right).map(|(person, _)| person.clone());
    let wrong: Vec<String> = of(false).collect();
    let right: Vec<String> = of(true).collect();
    match (wrong.is_empty(), right.is_empty()) {
        (false, _) => (Some(Label::Wrong), wrong),
        (true, false) => (Some(Label::Right), right),
        (true, true) => (None, Vec::new()),
    }
}

fn decided(case: &Case) -> (Option<Label>, Vec<String>) {
    let people = || case.approved.as_ref().map(|tally| tally.people.clone()).unwrap_or_default();
    match case.outcome {
        Some(Outcome::Restored) => (Some(Label::Restored), people()),
        Some(Outcome::Contained | Outcome::Removed) if case.approved.is_some() => (Some(Label::Upheld), people()),
        _ => (None, Vec::new()),
    }
}
