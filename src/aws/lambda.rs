//! The port `Lambda` on the SDK.

use super::answer::{KeepBody, snapshot};
use super::clients::Clients;
use super::create;
use super::errors::call_error;
use super::limits::Limits;
use crate::containment::MappingChange;
use crate::mapping::{FunctionRef, MappingKey, Snapshot, SourceAccess, SourceRef, Wiring};
use crate::ports::{Acknowledged, CallError, Lambda, NewMapping};
use async_trait::async_trait;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::types::{
    DestinationConfig, Filter, FilterCriteria, OnFailure, OnSuccess, SourceAccessConfiguration, SourceAccessType,
};
use serde_json::Value;
use std::collections::HashMap;

/// Lambda's control plane by the SDK, under a limit for each account and region.
#[derive(Debug, Clone)]
pub struct AwsLambda {
    clients: Clients,
    limits: Limits,
}

/// A page of the list of mappings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listed {
    /// The mappings; or, by the UUID where there is one, why an entry is none.
    pub entries: Vec<Result<Snapshot, (String, CallError)>>,
    /// What asks for the next page; `None`: this is the last one.
    pub next: Option<String>,
}

impl AwsLambda {
    /// With these clients, under these limits.
    pub fn new(clients: Clients, limits: Limits) -> Self {
        Self { clients, limits }
    }

    /// One page of `ListEventSourceMappings` of the whole account in the region, for who pages by itself: a call that
    /// fails loses no other page, and an entry that cannot be read no other mapping. Repeating it is harmless.
    pub async fn page(&self, account: &str, region: &str, after: Option<String>) -> Result<Listed, CallError> {
        let body = KeepBody::default();
        let list = self.client(account, region).await.list_event_source_mappings().max_items(100);
        let list = list.set_marker(after.clone()).customize().interceptor(body.clone());
        match list.send().await {
            // The SDK refuses a page for one entry that is odd: the body itself is read, entry by entry.
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().is_success()) => {}
            answer => drop(answer.map_err(call_error)?),
        }
        let nonsense = |message: &str| CallError::Nonsense { message: message.to_owned() };
        let json = body.json()?;
        let entries = json["EventSourceMappings"].as_array();
        let entries = entries.ok_or_else(|| nonsense("the list of mappings has no EventSourceMappings"))?;
        let next = match &json["NextMarker"] {
            Value::Null => None,
            Value::String(marker) => Some(marker.clone()).filter(|marker| !marker.is_empty()),
            _ => return Err(nonsense("the list of mappings has a NextMarker that is none")),
        };
        if next.is_some() && next == after {
            return Err(nonsense("the list of mappings goes round in a circle"));
        }
        let read = |entry: &Value| {
            let uuid = entry["UUID"].as_str().unwrap_or_default().to_owned();
            snapshot(entry, account, region).map_err(|error| (uuid, error))
        };
        Ok(Listed { entries: entries.iter().map(read).collect(), next })
    }

    async fn client(&self, account: &str, region: &str) -> aws_sdk_lambda::Client {
        self.limits.wait(account, region).await;
        self.clients.lambda(account, region)
    }

    /// All pages of `ListEventSourceMappings`; what is `""` is not asked for.
    async fn list(
        &self,
        account: &str,
        region: &str,
        function: &str,
        source: &str,
    ) -> Result<Vec<Snapshot>, CallError> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        loop {
            let body = KeepBody::default();
            let client = self.client(account, region).await;
            let list = client.list_event_source_mappings().max_items(100).set_marker(marker);
            let list = list.set_function_name(named(function)).set_event_source_arn(named(source));
            let page = list.customize().interceptor(body.clone()).send().await.map_err(call_error)?;
            let json = body.json()?;
            for entry in json["EventSourceMappings"].as_array().unwrap_or(&Vec::new()) {
                found.push(snapshot(entry, account, region)?);
            }
            marker = page.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(found);
            }
        }
    }
}

#[async_trait]
impl Lambda for AwsLambda {
    async fn mapping(&self, key: &MappingKey) -> Result<Option<Snapshot>, CallError> {
        let body = KeepBody::default();
        let client = self.client(&key.account, &key.region).await;
        let answer = client.get_event_source_mapping().uuid(&key.uuid).customize().interceptor(body.clone()).send();
        match answer.await.map_err(call_error) {
            Ok(_) => {
                let read = snapshot(&body.json()?, &key.account, &key.region)?;
                if read.uuid == key.uuid {
                    return Ok(Some(read));
                }
                Err(CallError::Nonsense { message: format!("asked for mapping {}, got {}", key.uuid, read.uuid) })
            }
            Err(CallError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find_mappings(
        &self,
        account: &str,
        region: &str,
        function: &FunctionRef,
        source: &SourceRef,
    ) -> Result<Vec<Snapshot>, CallError> {
        let listed = self.list(account, region, &function.arn, &source.arn).await;
        // The function itself is gone: so Lambda lists none by it.
        let listed = match listed {
            Err(CallError::NotFound { .. }) => Vec::new(),
            listed => listed?,
        };
        let same = |entry: &Snapshot| {
            entry.function.arn == function.arn && entry.source.arn == source.arn && entry.source.name == source.name
        };
        Ok(listed.into_iter().filter(same).collect())
    }

    async fn all_mappings(&self, account: &str, region: &str) -> Result<Vec<Snapshot>, CallError> {
        let (mut found, mut after) = (HashMap::new(), None);
        loop {
            let page = self.page(account, region, after).await?;
            for entry in page.entries {
                match entry {
                    // What is made or deleted meanwhile moves the pages: one may come twice, and later is newer.
                    Ok(mapping) => drop(found.insert(mapping.uuid.clone(), mapping)),
                    Err((uuid, error)) => {
                        tracing::error!(uuid, region, %error, "a mapping in the list is none, and is not looked at");
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(found.into_values().collect());
            }
        }
    }

    async fn update_mapping(&self, key: &MappingKey, change: &MappingChange) -> Result<Acknowledged, CallError> {
        let client = self.client(&key.account, &key.region).await;
        let wiring = &change.wiring;
        let answer = client
            .update_event_source_mapping()
            .uuid(&key.uuid)
            .set_enabled(change.enabled)
            .set_function_name(change.function_arn.clone())
            .set_filter_criteria(wiring.filters.as_ref().map(|all| filters(all)))
            .set_destination_config(destinations(wiring))
            .set_source_access_configurations(wiring.source_access.as_ref().map(|all| source_access(all)))
            .send()
            .await
            .map_err(call_error)?;
        Ok(Acknowledged { request_id: answer.request_id().unwrap_or_default().to_owned() })
    }

    async fn delete_mapping(&self, key: &MappingKey) -> Result<Acknowledged, CallError> {
        let client = self.client(&key.account, &key.region).await;
        let answer = client.delete_event_source_mapping().uuid(&key.uuid).send().await.map_err(call_error)?;
        Ok(Acknowledged { request_id: answer.request_id().unwrap_or_default().to_owned() })
    }

    async fn create_mapping(&self, new: &NewMapping<'_>) -> Result<(Acknowledged, String), CallError> {
        let client = self.client(new.account, new.region).await;
        let answer = create::request(&client, new)?.send().await.map_err(call_error)?;
        let uuid = answer.uuid().filter(|uuid| !uuid.is_empty());
        let uuid = uuid.ok_or_else(|| CallError::Nonsense { message: "the new mapping has no UUID".into() })?;
        let request_id = answer.request_id().unwrap_or_default().to_owned();
        Ok((Acknowledged { request_id }, uuid.to_owned()))
    }

    async fn mapping_tags(&self, key: &MappingKey, arn: &str) -> Result<Vec<(String, String)>, CallError> {
        let client = self.client(&key.account, &key.region).await;
        let answer = client.list_tags().resource(arn).send().await.map_err(call_error)?;
        let mut tags: Vec<(String, String)> = answer.tags.unwrap_or_default().into_iter().collect();
        tags.sort();
        Ok(tags)
    }

    async fn concurrency(&self, account: &str, region: &str, function_arn: &str) -> Result<Option<i32>, CallError> {
        let body = KeepBody::default();
        let client = self.client(account, region).await;
        let get = client.get_function_concurrency().function_name(function_arn).customize().interceptor(body.clone());
        get.send().await.map_err(call_error)?;
        match &body.json()?["ReservedConcurrentExecutions"] {
            Value::Null => Ok(None),
            value => {
                let reserved = value.as_i64().and_then(|n| i32::try_from(n).ok());
                let message = || format!("ReservedConcurrentExecutions is {value}");
                reserved.map(Some).ok_or_else(|| CallError::Nonsense { message: message() })
            }
        }
    }

    async fn set_concurrency(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        reserved: Option<i32>,
    ) -> Result<Acknowledged, CallError> {
        let client = self.client(account, region).await;
        let request_id = if let Some(reserved) = reserved {
            let put = client.put_function_concurrency().function_name(function_arn);
            let answer = put.reserved_concurrent_executions(reserved).send().await.map_err(call_error)?;
            answer.request_id().unwrap_or_default().to_owned()
        } else {
            let delete = client.delete_function_concurrency().function_name(function_arn);
            let answer = delete.send().await.map_err(call_error)?;
            answer.request_id().unwrap_or_default().to_owned()
        };
        Ok(Acknowledged { request_id })
    }
}

pub(super) fn filters(patterns: &[String]) -> FilterCriteria {
    let filters = patterns.iter().map(|pattern| Filter::builder().pattern(pattern).build()).collect();
    FilterCriteria::builder().set_filters(Some(filters)).build()
}

pub(super) fn source_access(all: &[SourceAccess]) -> Vec<SourceAccessConfiguration> {
    let one = |access: &SourceAccess| {
        let kind = SourceAccessType::from(access.kind.as_str());
        SourceAccessConfiguration::builder().r#type(kind).uri(&access.uri).build()
    };
    all.iter().map(one).collect()
}

pub(super) fn destinations(wiring: &Wiring) -> Option<DestinationConfig> {
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if wiring.on_failure.is_none() && wiring.on_success.is_none() {
        return None;
    }
    let failure = OnFailure::builder().set_destination(named(&wiring.on_failure)).build();
    let mut config = DestinationConfig::builder().on_failure(failure);
    if let Some(success) = named(&wiring.on_success) {
        config = config.on_success(OnSuccess::builder().destination(success).build());
    }
    Some(config.build())
}
