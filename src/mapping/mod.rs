//! An event source mapping as sluicegate knows it: its identity, the function and source it ties together, and the
//! wiring that an update can change without touching either.

mod arn;
mod function;
mod snapshot;
mod source;
mod wiring;

pub use arn::{Arn, is_account, partition_of};
pub use function::FunctionRef;
pub use snapshot::{Baseline, MappingKey, Snapshot};
pub use source::{SourceKind, SourceRef};
pub use wiring::{Differences, SourceAccess, Wiring};
