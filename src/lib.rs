//! sluicegate closes rogue AWS Lambda event source mappings within seconds, and a person decides the rest.
//!
//! The modules stand in the order in which an event flows through them. A CloudTrail record comes in by the [`intake`],
//! [`cloudtrail`] reads it, [`detection`] makes a finding of it, [`policy`] judges the actor. What is not allowed becomes
//! a [`case`](mod@case), whose steps are planned by [`containment`] and whose further fate people decide by [`approval`],
//! on the [`evidence`]. The [`responder`] does all that, and knows the world only by its [`ports`]; [`journal`], [`aws`]
//! and [`slack`] are the real ones.
//!
//! Everything above `ports` is pure: it knows no clock, no network and no file.

pub mod mapping;

pub mod cloudtrail;
pub mod detection;
pub mod policy;

pub mod containment;
pub mod restriction;

pub mod case;
pub mod evidence;

pub mod approval;

pub mod explanation;
pub mod guardrail;
pub mod history;
pub mod learn;
pub mod ready;
pub mod report;
pub mod scan;

pub mod ports;

pub mod responder;

pub mod intake;

pub mod aws;
pub mod journal;
pub mod slack;

pub mod archive;

pub mod clock;
pub mod config;
pub mod http;
pub mod policy_files;
pub mod stopping;
pub mod telemetry;
pub mod tls;

pub mod cli;
