//! The port `Trail` on the SDK.

use super::clients::Clients;
use super::errors::call_error;
use super::limits::Limits;
use crate::ports::{CallError, SearchBy, Trail};
use async_trait::async_trait;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(50);

/// CloudTrail's `LookupEvents`, which answers two calls a second in each account and region.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>
#[derive(Debug, Clone)]
pub struct AwsTrail {
    clients: Clients,
    limits: Limits,
    /// How many look-ups wait or are under way: searches make way for them, since a containment may hang on one.
    looking: Arc<AtomicUsize>,
}

/// A page of `LookupEvents`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrailPage {
    /// Records as CloudTrail keeps them, JSON, newest first.
    pub records: Vec<String>,
    /// What asks for the next page; `None`: this is the last one.
    pub next: Option<String>,
}

/// Counts a look-up for as long as it is there, however it ends.
struct Looking(Arc<AtomicUsize>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AwsTrail {
    /// With these clients, under these limits.
    pub fn new(clients: Clients, limits: Limits) -> Self {
        Self { clients, limits, looking: Arc::default() }
    }

    /// One page of at most 50 records between two times, for who pages by itself: a call that fails loses no other
    /// page. `after` is the page before's [`TrailPage::next`]. Repeating it is harmless.
    pub async fn page(
        &self,
        account: &str,
        region: &str,
        by: SearchBy<'_>,
        (since, until): (Timestamp, Option<Timestamp>),
        after: Option<String>,
    ) -> Result<TrailPage, CallError> {
        let attribute = match by {
            SearchBy::AccessKey(id) => attribute(LookupAttributeKey::AccessKeyId, id)?,
            SearchBy::Username(name) => attribute(LookupAttributeKey::Username, name)?,
            SearchBy::EventName(name) => attribute(LookupAttributeKey::EventName, name)?,
            SearchBy::Resource(name) => attribute(LookupAttributeKey::ResourceName, name)?,
        };
        let moment = |time: Timestamp| aws_smithy_types::DateTime::from_secs(time.as_second());
        self.place_for_search(account, region).await;
        let lookup = self.clients.trail(account, region).lookup_events().lookup_attributes(attribute);
        let lookup = lookup.start_time(moment(since)).set_end_time(until.map(moment)).max_results(50);
        let answer = lookup.set_next_token(after).send().await.map_err(call_error)?;
        let records = answer.events().iter().filter_map(|event| event.cloud_trail_event()).map(str::to_owned);
        let next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(TrailPage { records: records.collect(), next })
    }

    async fn place_for_search(&self, account: &str, region: &str) {
        while self.looking.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(MOMENT).await;
        }
        self.limits.wait(account, region).await;
    }
}

#[async_trait]
impl Trail for AwsTrail {
    async fn lookup(&self, account: &str, region: &str, event_id: &str) -> Result<Option<String>, CallError> {
        let attribute = attribute(LookupAttributeKey::EventId, event_id)?;
        self.looking.fetch_add(1, Ordering::SeqCst);
        let _looking = Looking(self.looking.clone());
        self.limits.wait(account, region).await;
        let lookup = self.clients.trail(account, region).lookup_events().lookup_attributes(attribute).max_results(10);
        let answer = lookup.send().await.map_err(call_error)?;
        let found = answer.events().iter().find(|event| event.event_id() == Some(event_id));
        Ok(found.and_then(|event| event.cloud_trail_event()).map(str::to_owned))
    }

    async fn search(
        &self,
        account: &str,
        region: &str,
        by: SearchBy<'_>,
        since: Timestamp,
        pages: u32,
    ) -> Result<(Vec<String>, bool), CallError> {
        let (mut found, mut token) = (Vec::new(), None);
        for _ in 0..pages {
            let page = self.page(account, region, by, (since, None), token).await?;
            found.extend(page.records);
            token = page.next;
            if token.is_none() {
                return Ok((found, false));
            }
        }
        Ok((found, true))
    }
}

fn attribute(key: LookupAttributeKey, value: &str) -> Result<LookupAttribute, CallError> {
    let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build();
    attribute.map_err(|error| CallError::NotSent { message: error.to_string() })
}
