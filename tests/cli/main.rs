//! The command line, as somebody outside sees it: the real binary, on files in a directory of its own.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod backtest;
mod check;
mod configuration;
mod contract;
mod damage;
mod guardrail;
mod harness;
mod hostile;
mod learn;
mod learn_history;
mod mutants;
mod policy_cases;
mod principals;
mod ready;
mod records;
mod rules;
mod shapes;
mod text;
mod updates;
