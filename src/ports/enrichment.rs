//! What people would look up by hand before they decide. Nothing waits for it, and nothing is changed by it.

use super::CallError;
use async_trait::async_trait;
use jiff::Timestamp;

/// A function as Lambda has it. Strings that are not known are `""`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    pub code_location: String,
    /// Its resource policy, a JSON document; `""` where there is none.
    pub policy: String,
}

/// A code package.
#[derive(Clone, PartialEq, Eq)]
pub struct Package(pub Vec<u8>);

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Package({} bytes)", self.0.len())
    }
}

/// A metric to be summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// `AWS/Lambda`, `AWS/SQS`, …
    pub namespace: String,
    /// `Invocations`, …
    pub name: String,
    /// Its dimensions: name and value.
    pub dimensions: Vec<(String, String)>,
    /// `Sum` or `Maximum`.
    pub statistic: String,
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

    /// Fetches a function's code package, at most `limit` bytes of it: a longer one is an error.
    async fn package(&self, location: &str, limit: u64) -> Result<Package, CallError>;

    /// Keeps a package under a name, where the configuration says; gives the place. One that is there already is left.
    async fn keep(&self, name: &str, package: &Package) -> Result<String, CallError>;

    /// `tag:GetResources` for one ARN.
    async fn tags(&self, account: &str, region: &str, arn: &str) -> Result<Vec<(String, String)>, CallError>;

    /// For how many seconds a source keeps records that nobody reads, and where that is known from, for people; `None`
    /// where it cannot be known.
    async fn retention(&self, account: &str, region: &str, arn: &str) -> Result<Option<(u64, String)>, CallError>;

    /// `GetMetricData` for each metric, summed over the time.
    async fn metrics(
        &self,
        account: &str,
        region: &str,
        metrics: &[Metric],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Seen>, CallError>;
}
