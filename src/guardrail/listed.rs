//! Who may wire at all. Two policies that each deny everybody but their own half of a list deny everybody: the list
//! stays whole, or is told apart by accounts, each of which meets one of the statements.

use super::pattern;
use super::statement::{Condition, FRAME, Key, Operator, Statement};
use crate::cloudtrail::Verb;
use std::collections::{BTreeMap, BTreeSet};

/// Why the list does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooLong {
    /// The characters that a policy with it would have.
    pub(super) size: usize,
    /// How many patterns are on it.
    pub(super) patterns: usize,
    /// Whom it is for, for people.
    pub(super) whose: String,
}

/// The statements, each of which fits into a policy of `most` characters.
pub(super) fn listed(patterns: &BTreeSet<String>, most: usize) -> Result<Vec<Statement>, TooLong> {
    let patterns = without_covered(patterns);
    let whole = statement("OnlyListedPrincipals".into(), &patterns, None);
    if FRAME + whole.size() <= most {
        return Ok(vec![whole]);
    }
    let mut everywhere = BTreeSet::new();
    let mut by_account: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for one in &patterns {
        match pattern::account(one) {
            Some(account) => by_account.entry(account).or_default().insert(one.clone()),
            None => everywhere.insert(one.clone()),
        };
    }
    let accounts: Vec<String> = by_account.keys().map(|account| (*account).to_owned()).collect();
    let mut statements = Vec::new();
    let mut taken: (Vec<String>, BTreeSet<String>) = (Vec::new(), everywhere.clone());
    for (account, own) in by_account {
        let named = |statements: &Vec<Statement>, taken: &(Vec<String>, BTreeSet<String>)| {
            let only = Condition::new(Operator::StringEquals, Key::PrincipalAccount, taken.0.clone());
            statement(format!("OnlyListedPrincipals{}", statements.len() + 1), &taken.1, Some(only))
        };
        let mut more = taken.clone();
        more.0.push(account.to_owned());
        more.1.extend(own.iter().cloned());
        if FRAME + named(&statements, &more).size() > most {
            if !taken.0.is_empty() {
                statements.push(named(&statements, &taken));
            }
            more = (vec![account.to_owned()], everywhere.iter().chain(&own).cloned().collect());
            let alone = FRAME + named(&statements, &more).size();
            if alone > most {
                return Err(TooLong { size: alone, patterns: more.1.len(), whose: format!("account {account}") });
            }
        }
        taken = more;
    }
    if !taken.0.is_empty() {
        let only = Condition::new(Operator::StringEquals, Key::PrincipalAccount, taken.0.clone());
        statements.push(statement(format!("OnlyListedPrincipals{}", statements.len() + 1), &taken.1, Some(only)));
    }
    let others = Condition::new(Operator::StringNotEquals, Key::PrincipalAccount, accounts);
    let others = statement("OnlyListedElsewhere".into(), &everywhere, Some(others));
    if FRAME + others.size() > most {
        let whose = "all accounts".to_owned();
        return Err(TooLong { size: FRAME + others.size(), patterns: everywhere.len(), whose });
    }
    statements.push(others);
    Ok(statements)
}

/// What another pattern takes in anyway says nothing more.
fn without_covered(patterns: &BTreeSet<String>) -> BTreeSet<String> {
    let wide: Vec<&String> = patterns.iter().filter(|pattern| !pattern::is_literal(pattern)).collect();
    // Of two that take each other in the first stays.
    let taken_in = |one: &String| {
        let takes_in = |other: &&&String| **other != one && pattern::covers(other, one);
        wide.iter().filter(takes_in).any(|other| !pattern::covers(one, other) || *other < one)
    };
    patterns.iter().filter(|one| !taken_in(one)).cloned().collect()
}

fn statement(sid: String, patterns: &BTreeSet<String>, only: Option<Condition>) -> Statement {
    // AWS takes no empty list; where nobody is listed, everybody is denied.
    let others = (!patterns.is_empty())
        .then(|| Condition::new(Operator::ArnNotLike, Key::PrincipalArn, patterns.iter().cloned()));
    let conditions = others.into_iter().chain(only).collect();
    Statement { sid, verbs: vec![Verb::Create, Verb::Update], conditions }
}
