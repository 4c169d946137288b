//! The port `Enrichment` on the SDK. Its calls have limits of their own: they take nothing from those that contain.

use super::clients::Clients;
use super::errors::call_error;
use super::limits::Limits;
use super::packages::Packages;
use crate::evidence::Metric;
use crate::mapping::{Arn, FunctionRef};
use crate::ports::{CallError, CodeLocation, Enrichment, FunctionRead, Kept, Seen};
use async_trait::async_trait;
use aws_sdk_lambda::types::Runtime;
use aws_sdk_resourcegroupstagging::types::ResourceTagMapping;
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Reading for people's sake, by the SDK, under a limit for each account and region.
#[derive(Debug, Clone)]
pub struct AwsEnrichment {
    clients: Clients,
    limits: Limits,
    packages: Packages,
    sqs: Arc<Mutex<HashMap<(String, String), aws_sdk_sqs::Client>>>,
    tagging: Arc<Mutex<HashMap<(String, String), aws_sdk_resourcegroupstagging::Client>>>,
    cloudwatch: Arc<Mutex<HashMap<(String, String), aws_sdk_cloudwatch::Client>>>,
}

impl AwsEnrichment {
    /// With these clients, under these limits, keeping code where `packages` say.
    pub fn new(clients: Clients, limits: Limits, packages: Packages) -> Self {
        Self { clients, limits, packages, sqs: Arc::default(), tagging: Arc::default(), cloudwatch: Arc::default() }
    }

    /// The tags of many things at once, by ARN, as the tagging API has them; what it has no tags of is left out.
    /// Repeating it is harmless.
    pub async fn tags_of_many(
        &self,
        account: &str,
        region: &str,
        arns: &[String],
    ) -> Result<HashMap<String, Vec<(String, String)>>, CallError> {
        let (mut found, mut after) = (HashMap::new(), None);
        loop {
            self.limits.wait(account, region).await;
            let ask = self.tagging(account, region).get_resources().set_resource_arn_list(Some(arns.to_vec()));
            let page = ask.set_pagination_token(after.clone()).send().await.map_err(call_error)?;
            for entry in page.resource_tag_mapping_list() {
                let tags = entry.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
                found.insert(entry.resource_arn().unwrap_or_default().to_owned(), sorted(tags));
            }
            let next = page.pagination_token().filter(|token| !token.is_empty()).map(str::to_owned);
            match next {
                Some(_) if next != after => after = next,
                Some(_) => {
                    return Err(CallError::Nonsense { message: "the list of tags goes round in a circle".into() });
                }
                None => return Ok(found),
            }
        }
    }

    fn sqs(&self, account: &str, region: &str) -> aws_sdk_sqs::Client {
        self.clients.cached(&self.sqs, account, region, aws_sdk_sqs::Client::new)
    }

    fn tagging(&self, account: &str, region: &str) -> aws_sdk_resourcegroupstagging::Client {
        self.clients.cached(&self.tagging, account, region, aws_sdk_resourcegroupstagging::Client::new)
    }

    fn cloudwatch(&self, account: &str, region: &str) -> aws_sdk_cloudwatch::Client {
        self.clients.cached(&self.cloudwatch, account, region, aws_sdk_cloudwatch::Client::new)
    }

    /// A resource policy; `""` where the function has none.
    async fn policy(&self, account: &str, region: &str, arn: &str) -> Result<String, CallError> {
        self.limits.wait(account, region).await;
        match self.clients.lambda(account, region).get_policy().function_name(arn).send().await.map_err(call_error) {
            Ok(answer) => Ok(answer.policy().unwrap_or_default().to_owned()),
            Err(CallError::NotFound { .. }) => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// The URL of a queue, which SQS tells by name and owner.
    async fn queue_url(&self, account: &str, region: &str, queue: &Arn<'_>) -> Result<String, CallError> {
        self.limits.wait(account, region).await;
        let ask = self
            .sqs(account, region)
            .get_queue_url()
            .queue_name(queue.resource)
            .queue_owner_aws_account_id(queue.account);
        let answer = ask.send().await.map_err(call_error)?;
        let url = answer.queue_url().filter(|url| !url.is_empty()).map(str::to_owned);
        url.ok_or_else(|| CallError::Nonsense { message: format!("SQS tells no URL of {}", queue.resource) })
    }

    /// What SQS itself knows: it lists tags of queues that the tagging API may not have yet.
    async fn queue_tags(
        &self,
        account: &str,
        region: &str,
        queue: &Arn<'_>,
    ) -> Result<Vec<(String, String)>, CallError> {
        let url = self.queue_url(account, region, queue).await?;
        self.limits.wait(account, region).await;
        let answer = self.sqs(account, region).list_queue_tags().queue_url(url).send().await.map_err(call_error)?;
        Ok(sorted(answer.tags().cloned().unwrap_or_default()))
    }

    async fn tags_of(&self, account: &str, region: &str, arn: &str) -> Result<Vec<(String, String)>, CallError> {
        self.limits.wait(account, region).await;
        let answer =
            self.tagging(account, region).get_resources().resource_arn_list(arn).send().await.map_err(call_error)?;
        let entries = answer.resource_tag_mapping_list().iter().filter(|entry| entry.resource_arn() == Some(arn));
        let tags = entries.flat_map(ResourceTagMapping::tags).map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
        Ok(sorted(tags))
    }
}

#[async_trait]
impl Enrichment for AwsEnrichment {
    async fn function(&self, account: &str, region: &str, arn: &str) -> Result<Option<FunctionRead>, CallError> {
        self.limits.wait(account, region).await;
        let read =
            self.clients.lambda(account, region).get_function().function_name(arn).send().await.map_err(call_error);
        let read = match read {
            Ok(read) => read,
            Err(CallError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let (found, code) = (read.configuration(), read.code());
        let told = owned(found.and_then(|found| found.function_arn()));
        let named = |text: &str| FunctionRef::parse(text, "", "", "").name;
        if named(&told) != named(arn) {
            return Err(CallError::Nonsense { message: format!("asked for function {arn}, got {told:?}") });
        }
        Ok(Some(FunctionRead {
            arn: told,
            role: owned(found.and_then(|found| found.role())),
            code_sha256: owned(found.and_then(|found| found.code_sha256())),
            runtime: owned(found.and_then(|found| found.runtime()).map(Runtime::as_str)),
            last_modified: owned(found.and_then(|found| found.last_modified())),
            tags: sorted(read.tags().cloned().unwrap_or_default()),
            code_location: CodeLocation(owned(code.and_then(|code| code.location()))),
            image: owned(code.and_then(|code| code.image_uri())),
            policy: self.policy(account, region, arn).await,
        }))
    }

    fn keeps_code(&self) -> bool {
        self.packages.are_kept()
    }

    async fn keep_code(&self, location: &CodeLocation, function: &str, limit: u64) -> Result<Kept, CallError> {
        self.packages.keep(location, function, limit).await
    }

    async fn tags(&self, account: &str, region: &str, arn: &str) -> Result<Vec<(String, String)>, CallError> {
        let tags = self.tags_of(account, region, arn).await;
        match Arn::parse(arn).filter(|arn| arn.service == "sqs") {
            Some(queue) if tags.as_ref().map_or(true, Vec::is_empty) => self.queue_tags(account, region, &queue).await,
            _ => tags,
        }
    }

    async fn retention(&self, account: &str, region: &str, arn: &str) -> Result<Option<u64>, CallError> {
        let Some(queue) = Arn::parse(arn).filter(|arn| arn.service == "sqs") else {
            return Ok(None);
        };
        let url = self.queue_url(account, region, &queue).await?;
        self.limits.wait(account, region).await;
        let name = QueueAttributeName::MessageRetentionPeriod;
        let ask = self.sqs(account, region).get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let answer = ask.send().await.map_err(call_error)?;
        let told = answer.attributes().and_then(|all| all.get(&name)).and_then(|seconds| seconds.parse().ok());
        let message = || format!("SQS tells no MessageRetentionPeriod of {}", queue.resource);
        told.map(Some).ok_or_else(|| CallError::Nonsense { message: message() })
    }

    async fn metrics(
        &self,
        account: &str,
        region: &str,
        metrics: &[Metric],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Seen>, CallError> {
        super::metrics::read(
            &self.cloudwatch(account, region),
            || self.limits.wait(account, region),
            metrics,
            from,
            until,
        )
        .await
    }
}

fn sorted(tags: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut tags: Vec<(String, String)> = tags.into_iter().collect();
    tags.sort_unstable();
    tags
}
