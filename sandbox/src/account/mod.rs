//! Setting the emulated account up: who is in it, what runs in it, what it reads from.

mod functions;
mod iam;
mod sources;
mod zip;

use std::fmt::Debug;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::error::ProvideErrorMetadata;

pub use functions::SIPHON;
pub use iam::{RESTRICTING, allow};
pub use sources::Queue;

use crate::error::SandboxError;

/// An access key.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct Credentials {
    /// `AKIA…`, `ASIA…`, or `test` for the root.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The token of a session's key.
    pub session_token: Option<String>,
}

impl Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The root of the sandbox's account: the emulator takes this key id without looking at the signature.
    pub fn root() -> Self {
        Self::bare("test")
    }

    /// The root of another account.
    pub fn root_of(account_id: &str) -> Self {
        Self::bare(account_id)
    }

    fn bare(id: &str) -> Self {
        Self { access_key_id: id.to_owned(), secret_access_key: "test".to_owned(), session_token: None }
    }

    /// An SDK configuration that makes its calls with this key.
    pub fn sdk_config(&self, endpoint_url: &str, region: &str) -> SdkConfig {
        let key = aws_credential_types::Credentials::new(
            &self.access_key_id,
            &self.secret_access_key,
            self.session_token.clone(),
            None,
            "sandbox",
        );
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint_url)
            .credentials_provider(SharedCredentialsProvider::new(key))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}

/// The account as one of its principals sees it: clients, and helpers to set it up.
#[derive(Clone, Debug)]
pub struct Account {
    /// The key that its calls are made with.
    pub credentials: Credentials,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Kinesis.
    pub kinesis: aws_sdk_kinesis::Client,
    /// `DynamoDB`.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// `CloudTrail`.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    endpoint_url: String,
    region: String,
}

impl Account {
    /// The account at this endpoint, with this key.
    pub fn new(credentials: Credentials, endpoint_url: &str, region: &str) -> Self {
        let config = credentials.sdk_config(endpoint_url, region);
        Self {
            credentials,
            lambda: aws_sdk_lambda::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            kinesis: aws_sdk_kinesis::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(&config),
            endpoint_url: endpoint_url.to_owned(),
            region: region.to_owned(),
        }
    }

    /// The same place, with another key.
    pub fn with(&self, credentials: Credentials) -> Self {
        Self::new(credentials, &self.endpoint_url, &self.region)
    }

    /// The same principal in another region.
    pub fn in_region(&self, region: &str) -> Self {
        Self::new(self.credentials.clone(), &self.endpoint_url, region)
    }

    /// What the environment of a child process needs to act as this principal here.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("AWS_ENDPOINT_URL", self.endpoint_url.clone()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.credentials.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.credentials.secret_access_key.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        if let Some(token) = &self.credentials.session_token {
            environment.push(("AWS_SESSION_TOKEN", token.clone()));
        }
        environment
    }
}

/// What AWS answered instead: the error's code and message.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
pub fn aws_error<E: ProvideErrorMetadata + std::error::Error>(error: E) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => error.to_string(),
    }
}

/// Names the call that failed.
fn failed<E: std::error::Error>(call: &str) -> impl FnOnce(E) -> SandboxError {
    let call = call.to_owned();
    move |error| {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        SandboxError::Account { call, reason }
    }
}

/// Names the call whose answer lacks something.
fn lacking(call: &str, what: &str) -> SandboxError {
    SandboxError::Account { call: call.to_owned(), reason: format!("the answer has no {what}") }
}
