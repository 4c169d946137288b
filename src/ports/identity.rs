//! Who somebody is.

use super::CallError;
use async_trait::async_trait;

/// Who AWS says that somebody is.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The ARN that this process's own credentials have.
    async fn own(&self) -> Result<String, CallError>;

    /// The ARN behind a signed `GetCallerIdentity`, asked of this process's own STS endpoint. An error, too, where the
    /// proof is not for exactly this vote.
    async fn verify(&self, proof: &AwsProof, claim: &str) -> Result<String, CallError>;
}

/// A `GetCallerIdentity` request, signed by the person who votes, with what they vote for in a signed header.
/// It holds a session token: it is kept only until it is verified, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AwsProof {
    /// The host that it was signed for.
    pub host: String,
    /// The signed headers, in order.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for AwsProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsProof").field("host", &self.host).finish_non_exhaustive()
    }
}
