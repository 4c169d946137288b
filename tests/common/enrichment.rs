//! What people would look up, from nowhere: what is not set is not there.

use async_trait::async_trait;
use jiff::Timestamp;
use sluicegate::evidence::Metric;
use sluicegate::ports::{CallError, CodeLocation, Enrichment, FunctionRead, Kept, Seen};

#[derive(Debug, Clone, Default)]
pub struct NothingToRead;

#[async_trait]
impl Enrichment for NothingToRead {
    async fn function(&self, _: &str, _: &str, _: &str) -> Result<Option<FunctionRead>, CallError> {
        Ok(None)
    }

    fn keeps_code(&self) -> bool {
        false
    }

    async fn keep_code(&self, _: &CodeLocation, _: &str, _: u64) -> Result<Kept, CallError> {
        Err(CallError::NotSent { message: "as told".into() })
    }

    async fn tags(&self, _: &str, _: &str, _: &str) -> Result<Vec<(String, String)>, CallError> {
        Ok(Vec::new())
    }

    async fn retention(&self, _: &str, _: &str, _: &str) -> Result<Option<u64>, CallError> {
        Ok(Some(345_600))
    }

    async fn metrics(
        &self,
        _: &str,
        _: &str,
        metrics: &[Metric],
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Vec<Seen>, CallError> {
        Ok(vec![Seen { value: None }; metrics.len()])
    }
}
