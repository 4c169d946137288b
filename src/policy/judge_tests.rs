#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::*;
use crate::policy::fixtures::{
    ALLOWLIST, RULES, at, facts, finding, load, rogue, shipped, today, try_load, with_allowlist, with_inventory,
    with_rules,
};
use crate::policy::{PolicySet, SourceFile, run_cases};
use proptest::prelude::*;

#[test]
fn the_shipped_set_loads_without_a_word() {
    let loaded = try_load(&shipped()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.set.digest().len(), 64);
    assert_eq!(loaded.set.counts(), (2, 14 - 1));
}

#[test]
fn the_shipped_cases_pass() {
    let text = include_str!("../../policies/tests/default.toml");
    let file = SourceFile::new("policies/tests/default.toml", text);
    let results = run_cases(&load(&shipped()), &file, facts().now).unwrap();
    let failed: Vec<_> = results.iter().filter(|result| !result.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(results.len() > 20);
}
