//! The port `Trail` on the SDK.

use super::clients::Clients;
use super::errors::call_error;
use super::limits::Limits;
use crate::ports::{CallError, Trail};
use async_trait::async_trait;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};

/// CloudTrail's `LookupEvents`, which answers two calls a second in each account and region.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>
#[derive(Debug, Clone)]
pub struct AwsTrail {
    clients: Clients,
    limits: Limits,
}

impl AwsTrail {
    /// With these clients, under these limits.
    pub fn new(clients: Clients, limits: Limits) -> Self {
        Self { clients, limits }
    }
}

#[async_trait]
impl Trail for AwsTrail {
    async fn lookup(&self, account: &str, region: &str, event_id: &str) -> Result<Option<String>, CallError> {
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventId)
            .attribute_value(event_id)
            .build()
            .map_err(|error| CallError::NotSent { message: error.to_string() })?;
        self.limits.wait(account, region).await;
        let lookup = self.clients.trail(region).lookup_events().lookup_attributes(attribute).max_results(10);
        let answer = lookup.send().await.map_err(call_error)?;
        let found = answer.events().iter().find(|event| event.event_id() == Some(event_id));
        Ok(found.and_then(|event| event.cloud_trail_event()).map(str::to_owned))
    }
}
