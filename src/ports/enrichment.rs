//! What people would look up by hand before they decide. Nothing waits for it, and nothing in AWS is changed by it.

use super::CallError;
use crate::evidence::Metric;
use async_trait::async_trait;
use jiff::Timestamp;

/// A function as Lambda has it. Strings that are not known are `""`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRead {
    /// Its ARN.
    pub arn: String,
    /// The ARN of its execution role.
    pub role: String,
    /// `CodeSha256`
    pub code_sha256: String,
    /// `Runtime`
    pub runtime: String,
    /// `LastModified`
    pub last_modified: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Where its code can be fetched, for ten minutes. A secret.
    pub code_location: CodeLocation,
    /// The container image that it runs; `""` for one that runs an archive.
    pub image: String,
    /// Its resource policy, a JSON document; `""` where there is none; or why it could not be read.
    pub policy: Result<String, CallError>,
}

/// Where code can be fetched by whoever has it: it is in no log and no error.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CodeLocation(pub String);

impl std::fmt::Debug for CodeLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "[a presigned URL]" })
    }
}

/// A code package, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of the archive.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub bytes: u64,
    /// Where it is, for people.
    pub place: String,
}

/// What a metric said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Over the whole time; `None`: there are no data points, which is not the same as nothing.
    pub value: Option<f64>,
}

/// Reading for people's sake.
#[async_trait]
pub trait Enrichment: Send + Sync {
    /// `GetFunction` and `GetPolicy`; `None`: there is no such function.
    async fn function(&self, account: &str, region: &str, arn: &str) -> Result<Option<FunctionRead>, CallError>;

    /// Whether code is kept at all: where to is configured.
    fn keeps_code(&self) -> bool;

    /// Fetches a function's code package and keeps it, at most `limit` bytes of it: a longer one is an error. It is
    /// named by `function` and its own hash; one that is there already is left as it is. Repeating it is harmless.
    async fn keep_code(&self, location: &CodeLocation, function: &str, limit: u64) -> Result<Kept, CallError>;

    /// `tag:GetResources` for one ARN, or what the service itself has to ask for tags.
    async fn tags(&self, account: &str, region: &str, arn: &str) -> Result<Vec<(String, String)>, CallError>;

    /// For how many seconds a queue keeps messages that nobody takes (`sqs:GetQueueAttributes`); `None` for what is no
    /// queue of SQS.
    async fn retention(&self, account: &str, region: &str, arn: &str) -> Result<Option<u64>, CallError>;

    /// `GetMetricData` for each metric, over the time: its sum, or its maximum.
    async fn metrics(
        &self,
        account: &str,
        region: &str,
        metrics: &[Metric],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Seen>, CallError>;
}
