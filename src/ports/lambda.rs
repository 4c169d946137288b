//! Lambda's control plane, and CloudTrail's own record.

use super::{Acknowledged, CallError};
use crate::containment::MappingChange;
use crate::mapping::{FunctionRef, MappingKey, Snapshot, SourceRef, Wiring};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

/// Lambda's control plane, in any account and region. Every call waits for its place under the account's limit.
#[async_trait]
pub trait Lambda: Send + Sync {
    /// `GetEventSourceMapping`; `None`: there is no such mapping. Changes nothing.
    async fn mapping(&self, key: &MappingKey) -> Result<Option<Snapshot>, CallError>;

    /// `ListEventSourceMappings`, all pages: the mappings of exactly this function (with its qualifier) and source.
    /// Changes nothing.
    async fn find_mappings(
        &self,
        account: &str,
        region: &str,
        function: &FunctionRef,
        source: &SourceRef,
    ) -> Result<Vec<Snapshot>, CallError>;

    /// `ListEventSourceMappings`, all pages: every mapping of the account in the region. Filters that are encrypted are
    /// left out of such a list, and an entry that cannot be read is told and left out: it hides no other. Changes nothing.
    async fn all_mappings(&self, account: &str, region: &str) -> Result<Vec<Snapshot>, CallError>;

    /// `UpdateEventSourceMapping`. Repeating it with the same change is harmless.
    async fn update_mapping(&self, key: &MappingKey, change: &MappingChange) -> Result<Acknowledged, CallError>;

    /// `DeleteEventSourceMapping`. Repeating it is harmless: AWS then says that there is none.
    async fn delete_mapping(&self, key: &MappingKey) -> Result<Acknowledged, CallError>;

    /// `CreateEventSourceMapping`: all as in `like` (an answer of `GetEventSourceMapping`) but for what is given; gives
    /// the new UUID. It must not be repeated without looking first: AWS refuses a second mapping of the same pair, but
    /// not of every kind of source.
    async fn create_mapping(&self, new: &NewMapping<'_>) -> Result<(Acknowledged, String), CallError>;

    /// `ListTags` of a mapping, by its ARN. Changes nothing.
    async fn mapping_tags(&self, key: &MappingKey, arn: &str) -> Result<Vec<(String, String)>, CallError>;

    /// `GetFunctionConcurrency`: the reserved concurrency; `None`: there is none. Changes nothing.
    async fn concurrency(&self, account: &str, region: &str, function_arn: &str) -> Result<Option<i32>, CallError>;

    /// `PutFunctionConcurrency`, or `DeleteFunctionConcurrency` for `None`. Repeating it is harmless.
    async fn set_concurrency(
        &self,
        account: &str,
        region: &str,
        function_arn: &str,
        reserved: Option<i32>,
    ) -> Result<Acknowledged, CallError>;
}

/// A mapping to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewMapping<'a> {
    /// Its account.
    pub account: &'a str,
    /// Its region.
    pub region: &'a str,
    /// `FunctionName`, as a full ARN.
    pub function_arn: &'a str,
    /// Filter, destinations and source access; what is `None` is as in `like`.
    pub wiring: &'a Wiring,
    /// `Enabled`
    pub enabled: bool,
    /// All else.
    pub like: &'a Value,
    /// Tags beside those in `like`.
    pub tags: &'a [(String, String)],
}

/// What CloudTrail can be searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchBy<'a> {
    /// `AccessKeyId`
    AccessKey(&'a str),
    /// `Username`: a user's name, or a role session's.
    Username(&'a str),
    /// `EventName`, as CloudTrail writes it, with its API date: it matches no prefix.
    EventName(&'a str),
    /// `ResourceName`: a function's name or ARN, a role's.
    Resource(&'a str),
}

/// CloudTrail's own record of events.
#[async_trait]
pub trait Trail: Send + Sync {
    /// `LookupEvents` by event id: the record as CloudTrail keeps it, JSON; `None`: not there (yet: minutes may pass).
    async fn lookup(&self, account: &str, region: &str, event_id: &str) -> Result<Option<String>, CallError>;

    /// `LookupEvents` by one attribute, newest first, at most `pages` pages of 50: records as CloudTrail keeps them,
    /// JSON, and whether there are more.
    async fn search(
        &self,
        account: &str,
        region: &str,
        by: SearchBy<'_>,
        since: Timestamp,
        pages: u32,
    ) -> Result<(Vec<String>, bool), CallError>;
}
