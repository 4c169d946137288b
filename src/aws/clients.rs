//! The SDK's configuration and its clients, one for each region.

use super::CALL_TIMEOUT;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the SDK found in its environment.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// The whole configuration.
    pub sdk: SdkConfig,
}

impl AwsSettings {
    /// Loads the SDK's environment: credentials, region, `AWS_ENDPOINT_URL`. Retries are ours: each try is recorded, and
    /// what AWS tells about waiting is honoured.
    pub async fn load() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(CALL_TIMEOUT)
            .build();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .load()
            .await;
        Self { sdk }
    }

    /// The region of the environment; an error that says what to set where there is none.
    pub fn region(&self) -> Result<String, String> {
        let region = self.sdk.region().map(ToString::to_string);
        region.ok_or_else(|| "no AWS region: set AWS_REGION, or a region in the AWS profile".to_owned())
    }

    /// An SQS client that waits as long as long polling takes.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(30))
            .build();
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk).timeout_config(timeouts).build();
        aws_sdk_sqs::Client::from_conf(config)
    }
}

/// Clients by region. Clones share them.
#[derive(Debug, Clone)]
pub struct Clients {
    sdk: SdkConfig,
    lambda: Arc<Mutex<HashMap<String, aws_sdk_lambda::Client>>>,
    trail: Arc<Mutex<HashMap<String, aws_sdk_cloudtrail::Client>>>,
    iam: Arc<Mutex<HashMap<String, aws_sdk_iam::Client>>>,
}

impl Clients {
    /// Clients with this configuration.
    pub fn new(settings: &AwsSettings) -> Self {
        Self { sdk: settings.sdk.clone(), lambda: Arc::default(), trail: Arc::default(), iam: Arc::default() }
    }

    /// The configuration for a region.
    pub(super) fn in_region(&self, region: &str) -> SdkConfig {
        self.sdk.to_builder().region(Region::new(region.to_owned())).build()
    }

    pub(super) fn lambda(&self, region: &str) -> aws_sdk_lambda::Client {
        cached(&self.lambda, region, || {
            let config = aws_sdk_lambda::config::Builder::from(&self.sdk).region(Region::new(region.to_owned()));
            aws_sdk_lambda::Client::from_conf(config.build())
        })
    }

    pub(super) fn iam(&self, region: &str) -> aws_sdk_iam::Client {
        cached(&self.iam, region, || {
            let config = aws_sdk_iam::config::Builder::from(&self.sdk).region(Region::new(region.to_owned()));
            aws_sdk_iam::Client::from_conf(config.build())
        })
    }

    pub(super) fn trail(&self, region: &str) -> aws_sdk_cloudtrail::Client {
        cached(&self.trail, region, || {
            let config = aws_sdk_cloudtrail::config::Builder::from(&self.sdk).region(Region::new(region.to_owned()));
            aws_sdk_cloudtrail::Client::from_conf(config.build())
        })
    }
}

pub(super) fn cached<C: Clone>(all: &Mutex<HashMap<String, C>>, region: &str, make: impl FnOnce() -> C) -> C {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.entry(region.to_owned()).or_insert_with(make).clone()
}
