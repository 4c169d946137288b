//! AWS: the ports' real adapters, on the SDK.

mod answer;
mod clients;
mod create;
mod enrichment;
mod errors;
mod iam;
mod identity;
mod lambda;
mod limits;
mod metrics;
mod objects;
mod packages;
mod replays;
mod trail;

pub use clients::{AwsSettings, Clients, Roles};
pub use enrichment::AwsEnrichment;
pub(crate) use errors::call_error;
pub use iam::AwsIam;
pub use identity::AwsIdentity;
pub use lambda::{AwsLambda, Listed};
pub use limits::Limits;
pub use objects::S3Archives;
pub use packages::Packages;
pub use replays::{EventArchive, NewReplay, Progress, Replays};
pub use trail::{AwsTrail, TrailPage};

/// Seconds to wait for one try of a control-plane call before it counts as unanswered.
pub(crate) const CALL_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
