//! Finds the entries for a principal without looking at all of them.
//!
//! A pattern without a wildcard is found by its text. Any other is filed under its account (or `*`) and the longest
//! literal end of what follows: the text before its first star or after its last. A principal is looked up by its own
//! prefixes and suffixes of the lengths that occur, at most a few dozen, so the cost follows the principal's length and
//! not the number of entries. Only patterns that are literal in the middle alone (`role/*x*`) are tried one by one.

use crate::policy::principal::PrincipalPattern;
use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<String, Vec<usize>>,
    prefixes: Ends,
    suffixes: Ends,
    others: Vec<usize>,
}

impl Index {
    pub(super) fn insert(&mut self, pattern: &PrincipalPattern, entry: usize) {
        if pattern.glob.is_literal() {
            self.exact.entry(pattern.glob.text().to_owned()).or_default().push(entry);
            return;
        }
        let resource = pattern.resource.as_str();
        let kind = resource.split_once('/').map_or(0, |(kind, _)| kind.len() + 1);
        let prefix = resource.split('*').next().unwrap_or("");
        let suffix = resource.rsplit('*').next().unwrap_or("");
        if prefix.len() > kind && prefix.len() - kind >= suffix.len() {
            self.prefixes.insert(&pattern.account, prefix, entry);
        } else if !suffix.is_empty() {
            self.suffixes.insert(&pattern.account, suffix, entry);
        } else {
            self.others.push(entry);
        }
    }

    /// The entries that can match, in the order of the file; the pattern itself is still to be tried.
    pub(super) fn candidates(&self, principal_arn: &str) -> Vec<usize> {
        let mut found: Vec<usize> = self.exact.get(principal_arn).into_iter().flatten().copied().collect();
        let mut parts = principal_arn.splitn(6, ':').skip(4);
        if let (Some(account), Some(resource)) = (parts.next(), parts.next()) {
            self.prefixes.find(account, |length| resource.get(..length), &mut found);
            let from_end = |length| resource.get(resource.len().checked_sub(length)?..);
            self.suffixes.find(account, from_end, &mut found);
        }
        found.extend(&self.others);
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Entries by account and one literal end.
#[derive(Debug, Default)]
struct Ends {
    by_account: HashMap<String, HashMap<String, Vec<usize>>>,
    lengths: BTreeSet<usize>,
}

impl Ends {
    fn insert(&mut self, account: &str, end: &str, entry: usize) {
        let account = if account.contains('*') { "*" } else { account };
        self.lengths.insert(end.len());
        let ends = self.by_account.entry(account.to_owned()).or_default();
        ends.entry(end.to_owned()).or_default().push(entry);
    }

    fn find<'a>(&self, account: &str, end: impl Fn(usize) -> Option<&'a str>, found: &mut Vec<usize>) {
        let accounts = [self.by_account.get(account), self.by_account.get("*")];
        for ends in accounts.into_iter().flatten() {
            for entries in self.lengths.iter().filter_map(|length| ends.get(end(*length)?)) {
                found.extend(entries);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index(patterns: &[PrincipalPattern]) -> Index {
        let mut index = Index::default();
        for (entry, pattern) in patterns.iter().enumerate() {
            index.insert(pattern, entry);
        }
        index
    }

    #[test]
    fn twenty_thousand_entries_leave_a_handful_to_try() {
        let patterns: Vec<PrincipalPattern> = (0..20_000)
            .map(|n| match n % 5 {
                0 => format!("arn:aws:iam::111122223333:role/ci/deployer-{n}"),
                1 => format!("arn:aws:iam::*:role/team-{n}/*"),
                2 => format!("arn:aws:iam::111122223333:role/app-{n}-*"),
                3 => format!("arn:aws:iam::*:role/*-runner-{n}"),
                _ => format!("arn:aws:iam::4444*:user/**/robot-{n}"),
            })
            .map(|text| PrincipalPattern::parse(&text).unwrap())
            .collect();
        let index = index(&patterns);
        for arn in [
            "arn:aws:iam::111122223333:role/ci/deployer-5000",
            "arn:aws:iam::111122223333:role/team-5001/x",
            "arn:aws:iam::111122223333:role/app-5002-x",
            "arn:aws:iam::111122223333:role/x-runner-5003",
            "arn:aws:iam::444455556666:user/a/b/robot-5004",
        ] {
            let candidates = index.candidates(arn);
            assert!((1..=6).contains(&candidates.len()), "{arn}: {candidates:?}");
            assert!(candidates.iter().any(|entry| patterns[*entry].matches(arn)), "{arn}");
        }
        assert!(index.candidates("arn:aws:iam::111122223333:role/nobody").is_empty());
        assert!(index.candidates("").is_empty());
    }

    fn pattern() -> impl Strategy<Value = PrincipalPattern> {
        let account = prop_oneof![Just("111122223333"), Just("444455556666"), Just("*"), Just("1111*")];
        (account, "(role|user)", "[ab*]{1,3}(/[ab*]{1,3}){0,2}").prop_map(|(account, kind, rest)| {
            PrincipalPattern::parse(&format!("arn:aws:iam::{account}:{kind}/{rest}")).unwrap()
        })
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_entry(
            patterns in prop::collection::vec(pattern(), 0..40),
            account in "(111122223333|444455556666)",
            resource in "(role|user)(/[ab]{1,3}){1,3}",
        ) {
            let arn = format!("arn:aws:iam::{account}:{resource}");
            let matching = |entry: &usize| patterns[*entry].matches(&arn);
            let naive: Vec<usize> = (0..patterns.len()).filter(matching).collect();
            let indexed: Vec<usize> = index(&patterns).candidates(&arn).into_iter().filter(matching).collect();
            prop_assert_eq!(indexed, naive);
        }
    }
}
