//! What an update can change about a mapping besides its function: filter, destinations, source access.

use serde::{Deserialize, Serialize};

/// One `SourceAccessConfiguration`: how the poller reaches and authenticates to the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceAccess {
    /// The API's `Type`, for example `BASIC_AUTH` or `VPC_SUBNET`.
    pub kind: String,
    /// The API's `URI`: a secret's ARN, a subnet, a virtual host.
    pub uri: String,
}

/// The wiring of a mapping. `None`: not named by the call, or not to be read; `Some` and empty: named as nothing.
/// Lists are sorted, so that equal wirings compare equal however they were spelt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Wiring {
    /// `FilterCriteria.Filters[].Pattern`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Vec<String>>,
    /// `DestinationConfig.OnFailure.Destination`; `""`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// `DestinationConfig.OnSuccess.Destination`; `""`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// `SourceAccessConfigurations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_access: Option<Vec<SourceAccess>>,
}
