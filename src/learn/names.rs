//! Names → the patterns that a person would write for them.

use crate::policy::Glob;
use std::collections::{BTreeMap, BTreeSet};

const SEPARATORS: [char; 2] = ['-', '_'];

/// First parts that say where or what, and not whose: a prefix of these alone is shared by strangers.
const GENERIC: [&str; 28] = [
    "app",
    "apps",
    "aws",
    "dev",
    "development",
    "eu",
    "fn",
    "func",
    "function",
    "int",
    "lambda",
    "live",
    "my",
    "prd",
    "pre",
    "preprod",
    "prod",
    "production",
    "qa",
    "service",
    "stage",
    "staging",
    "stg",
    "svc",
    "team",
    "test",
    "uat",
    "us",
];

/// Each name with the pattern that it falls under: a prefix up to a separator that at least `least` names share, else
/// the name itself. No two patterns have a name in common.
pub(super) fn by_prefix<'n>(names: &BTreeSet<&'n str>, least: usize) -> BTreeMap<&'n str, String> {
    let mut patterns = BTreeMap::new();
    share(&names.iter().copied().collect::<Vec<_>>(), 0, least.max(2), &mut patterns);
    patterns
}

fn share<'n>(names: &[&'n str], from: usize, least: usize, patterns: &mut BTreeMap<&'n str, String>) {
    let mut sharing: BTreeMap<&'n str, Vec<&'n str>> = BTreeMap::new();
    for &name in names {
        match part_end(name, from) {
            Some(end) => sharing.entry(&name[..end]).or_default().push(name),
            None => drop(patterns.insert(name, name.to_owned())),
        }
    }
    for (prefix, names) in sharing {
        if names.len() < least {
            patterns.extend(names.iter().map(|name| (*name, (*name).to_owned())));
            continue;
        }
        let prefix = common(&names, prefix);
        if says_nothing(prefix) {
            share(&names, prefix.len(), least, patterns);
        } else {
            patterns.extend(names.iter().map(|name| (*name, format!("{prefix}*"))));
        }
    }
}

/// The end of the part that begins at `from`, its separator included.
fn part_end(name: &str, from: usize) -> Option<usize> {
    name.get(from..)?.find(SEPARATORS).map(|at| from + at + 1)
}

/// The longest prefix up to a separator that all of them share.
fn common<'n>(names: &[&'n str], prefix: &'n str) -> &'n str {
    let mut prefix = prefix;
    while let Some(first) = names.first()
        && let Some(end) = part_end(first, prefix.len())
        && let Some(longer) = first.get(..end)
        && names.iter().all(|name| name.starts_with(longer))
    {
        prefix = longer;
    }
    prefix
}

fn says_nothing(prefix: &str) -> bool {
    let mut parts = prefix.split(SEPARATORS).filter(|part| !part.is_empty());
    parts.all(|part| part.len() < 2 || GENERIC.contains(&part.to_ascii_lowercase().as_str()))
}

/// Each session name with its pattern. What counts up, or is drawn by lot, becomes `*` where it was seen to vary; `""`
/// stands for names that consist of nothing else.
pub(super) fn sessions<'n>(names: &BTreeSet<&'n str>) -> BTreeMap<&'n str, String> {
    let mut by_shape: BTreeMap<String, Vec<&'n str>> = BTreeMap::new();
    for &name in names {
        by_shape.entry(shape(name)).or_default().push(name);
    }
    let mut patterns = BTreeMap::new();
    let mut single: BTreeSet<&'n str> = BTreeSet::new();
    for (shape, alike) in &by_shape {
        if alike.len() == 1 {
            single.extend(alike);
            continue;
        }
        let pattern = if shape.chars().filter(|c| *c != '*').count() < 2 { String::new() } else { shape.clone() };
        patterns.extend(alike.iter().map(|name| (*name, pattern.clone())));
    }
    let varied: BTreeSet<String> = patterns.values().filter(|pattern| !pattern.is_empty()).cloned().collect();
    single.retain(|name| {
        let fits = varied.iter().find(|pattern| Glob::name(pattern).matches(name));
        fits.map(|pattern| patterns.insert(*name, pattern.clone())).is_none()
    });
    patterns.extend(by_prefix(&single, 3));
    patterns
}

/// Each name, or the shape that it has in common with another.
pub(super) fn shapes<'n>(names: &BTreeSet<&'n str>) -> BTreeMap<&'n str, String> {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *alike.entry(shape(name)).or_default() += 1;
    }
    let told = |name: &'n str| {
        let shape = shape(name);
        if alike.get(&shape).is_some_and(|number| *number > 1) { shape } else { name.to_owned() }
    };
    names.iter().map(|name| (*name, told(name))).collect()
}

/// A session's name with `*` for whatever counts or is random in it: `runner-7` → `runner-*`.
pub(super) fn shape(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut shape = String::new();
    let mut at = 0;
    while let Some(&next) = chars.get(at) {
        if chars.get(at..at + UUID.len()).is_some_and(is_uuid) {
            shape.push('*');
            at += UUID.len();
        } else if next.is_ascii_alphanumeric() {
            let rest = chars.get(at..).unwrap_or_default();
            let part: String = rest.iter().take_while(|c| c.is_ascii_alphanumeric()).collect();
            shape.push_str(&part_shape(&part));
            at += part.len();
        } else {
            shape.push(next);
            at += 1;
        }
    }
    one_star(&shape)
}

const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

fn is_uuid(chars: &[char]) -> bool {
    UUID.chars().zip(chars).all(|(form, c)| if form == '-' { *c == '-' } else { c.is_ascii_hexdigit() })
}

fn part_shape(part: &str) -> String {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    let hex = part.chars().all(|c| c.is_ascii_hexdigit()) && part.len() >= 6;
    let time = part.chars().all(|c| c.is_ascii_digit() || matches!(c, 'T' | 'Z')) && part.len() >= 8;
    let kinds: Vec<bool> = part.chars().map(|c| c.is_ascii_digit()).collect();
    let turns = kinds.windows(2).filter(|pair| pair.first() != pair.last()).count();
    let mixed = part.len() >= 8 && digits >= 2 && turns >= 3;
    if digits > 0 && (digits == part.len() || hex || time || mixed) {
        return "*".to_owned();
    }
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    if word.len() < part.len() { format!("{word}*") } else { part.to_owned() }
}

/// `*-*` → `*`.
fn one_star(shape: &str) -> String {
    let mut chars: Vec<char> = Vec::new();
    for c in shape.chars() {
        if c == '*' {
            match chars.as_slice() {
                [.., '*'] => continue,
                [.., '*', between] if !between.is_ascii_alphanumeric() => {
                    chars.pop();
                    continue;
                }
                _ => {}
            }
        }
        chars.push(c);
    }
    chars.into_iter().collect()
}

/// What made a call, without its version: `aws-cli/` of `aws-cli/2.15.0 Python/3.11`. The caller chooses it.
pub(super) fn agent_family(agent: &str) -> &str {
    const TERRAFORM: &str = " Terraform/";
    if agent.starts_with("APN/")
        && let Some(at) = agent.find(TERRAFORM)
    {
        return agent.get(..at + TERRAFORM.len()).unwrap_or(agent);
    }
    agent.find('/').and_then(|at| agent.get(..=at)).unwrap_or(agent)
}

/// The pattern for a family.
pub(super) fn agent_pattern(family: &str) -> String {
    if family.ends_with('/') { format!("{family}*") } else { family.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patterns(names: &[&str]) -> Vec<String> {
        let found: BTreeSet<String> = by_prefix(&names.iter().copied().collect(), 2).into_values().collect();
        found.into_iter().collect()
    }

    fn session_patterns(names: &[&str]) -> Vec<String> {
        let found: BTreeSet<String> = sessions(&names.iter().copied().collect()).into_values().collect();
        found.into_iter().collect()
    }

    #[test]
    fn a_prefix_is_what_two_share_up_to_a_separator() {
        assert_eq!(patterns(&["orders-in", "orders-out", "mailer"]), ["mailer", "orders-*"]);
        assert_eq!(patterns(&["orders", "orders-out"]), ["orders", "orders-out"]);
        assert_eq!(patterns(&["ordersin", "ordersout"]), ["ordersin", "ordersout"]);
        assert_eq!(patterns(&["acme_orders_a", "acme_orders_b"]), ["acme_orders_*"]);
    }

    #[test]
    fn an_environment_is_no_team() {
        let found = patterns(&["prod-orders-a", "prod-orders-b", "prod-billing", "prod-mail-x"]);
        assert_eq!(found, ["prod-billing", "prod-mail-x", "prod-orders-*"]);
        assert_eq!(patterns(&["a-x", "a-y"]), ["a-x", "a-y"]);
    }

    #[test]
    fn what_varies_in_a_session_becomes_a_star() {
        for (names, expected) in [
            (vec!["runner-7", "runner-12"], vec!["runner-*"]),
            (vec!["runner-7"], vec!["runner-7"]),
            (vec!["GitHubActions"], vec!["GitHubActions"]),
            (vec!["i-0abc12def34567890", "i-0ffc12def34567891"], vec!["i-*"]),
            (
                vec![
                    "AWSCodeBuild-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
                    "AWSCodeBuild-beefbeef-beef-beef-beef-beefbeefbeef",
                ],
                vec!["AWSCodeBuild-*"],
            ),
            (vec!["botocore-session-1700000000", "botocore-session-1700000999"], vec!["botocore-session-*"]),
            (vec!["deploy-20261124T101500Z-1a2b3c", "deploy-20261125T101500Z-4d5e6f"], vec!["deploy-*"]),
            (vec!["deploy-1", "deploy-2", "deploy-x"], vec!["deploy-*"]),
            (vec!["1700000000", "1700000001"], vec![""]),
            (vec!["ci-main", "ci-login", "ci-fix"], vec!["ci-*"]),
            (vec!["alice", "bob"], vec!["alice", "bob"]),
        ] {
            assert_eq!(session_patterns(&names), expected, "{names:?}");
        }
    }

    #[test]
    fn an_agent_is_known_without_its_version() {
        assert_eq!(agent_family("aws-cli/2.15.0 Python/3.11"), "aws-cli/");
        let terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io)";
        assert_eq!(agent_family(terraform), "APN/1.0 HashiCorp/1.0 Terraform/");
        assert_eq!(agent_family("cloudformation.amazonaws.com"), "cloudformation.amazonaws.com");
        assert_eq!(agent_pattern("aws-cli/"), "aws-cli/*");
    }

    proptest! {
        #[test]
        fn each_name_fits_its_own_pattern_and_no_other(names in prop::collection::btree_set("[a-z1]{1,3}([-_][a-z1]{0,3}){0,3}", 1..12)) {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let found = by_prefix(&names, 2);
            let all: BTreeSet<&String> = found.values().collect();
            for name in names {
                let fitting: Vec<&String> =
                    all.iter().copied().filter(|pattern| Glob::name(pattern).matches(name)).collect();
                prop_assert_eq!(fitting, vec![&found[name]], "{}", name);
            }
        }

        #[test]
        fn each_session_fits_its_pattern(names in prop::collection::btree_set("\\PC{0,12}", 1..8)) {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).filter(|name| !name.contains('*')).collect();
            for (name, pattern) in sessions(&names) {
                prop_assert!(pattern.is_empty() || Glob::name(&pattern).matches(name), "{} {}", name, pattern);
            }
        }
    }
}
