//! Policy cases: `policies/tests/*.toml`, run by `sluicegate test`.
//!
//! Each `[[case]]` has a `name`, what happened, and what is to be expected. What happened:
//!
//! | key | means | left out |
//! |---|---|---|
//! | `actor` | the principal's IAM ARN; `""`: not identified | required, unless `approver` is there |
//! | `kind` | its kind, as `userIdentity.type` names it | by the ARN: `AssumedRole`, `IAMUser`, `Root`, `Unknown` |
//! | `session`, `via`, `address`, `user_agent` | as in the allowlist, one text each | `""` |
//! | `mfa`, `console` | how the session came about | false |
//! | `actions` | what the call did: `create`, `enable`, `repoint`, `rewire` | `["create"]` |
//! | `account`, `region` | the mapping's | the actor's; `eu-west-1` |
//! | `function` | the bare name | `""`: not known |
//! | `source` | `kind:name` | not known |
//! | `source_account` | who owns it; `""`: not known | the mapping's account |
//! | `confirmed`, `case_open`, `baseline_known` | what else is known | true, false, true |
//! | `findings_by_actor`, `wrong_of_last_ten` | the counters | 1, 0 |
//! | `now` | the time, with `Z` | the time of the run |
//!
//! `expect` then has any of `allowed`, `response`, `restrict`, `policies` (all of them, in any order), `errors` (how
//! many). With `approver` (a name of `[people]`, or an ARN as `GetCallerIdentity` answers it) the question is who may
//! decide: `decisions` are asked for together, `groups` are the Slack user groups they are in, `reversible` is true
//! unless said otherwise, and `expect` has any of `permitted`, `approvals`, `confirm_aws`, `policies`.

mod build;
mod run;

pub use run::{CaseResult, Difference, run_cases};

#[cfg(test)]
mod tests;
