//! Where events come in.

mod sqs;

pub use sqs::{Health, SqsIntake, SqsSettings};
