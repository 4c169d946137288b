//! What mappings read from: queues, streams, tables.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType, Tag,
};
use aws_sdk_sqs::types::QueueAttributeName;

use super::{Account, failed, lacking};
use crate::error::SandboxError;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its URL.
    pub url: String,
    /// Its ARN.
    pub arn: String,
}

impl Account {
    /// Creates a queue; what was received `max_receives` times goes to `dead_letters`.
    pub async fn create_queue(&self, name: &str, redrive: Option<(&Queue, u32)>) -> Result<Queue, SandboxError> {
        let mut queue = self.sqs.create_queue().queue_name(name);
        if let Some((dead_letters, max_receives)) = redrive {
            let policy = serde_json::json!({
                "deadLetterTargetArn": dead_letters.arn,
                "maxReceiveCount": max_receives.to_string(),
            });
            queue = queue.attributes(QueueAttributeName::RedrivePolicy, policy.to_string());
        }
        let made = queue.send().await.map_err(failed("CreateQueue"))?;
        let url = made.queue_url().ok_or_else(|| lacking("CreateQueue", "queue URL"))?.to_owned();
        let arn = self.queue_attributes(&url).await?.remove(&QueueAttributeName::QueueArn);
        Ok(Queue { url, arn: arn.ok_or_else(|| lacking("GetQueueAttributes", "queue ARN"))? })
    }

    /// Everything that a queue says of itself.
    pub async fn queue_attributes(&self, url: &str) -> Result<HashMap<QueueAttributeName, String>, SandboxError> {
        let asked = self.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
        let answer = asked.send().await.map_err(failed("GetQueueAttributes"))?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// How many messages wait in a queue, and how many are in somebody's hands.
    pub async fn queue_depth(&self, url: &str) -> Result<(u64, u64), SandboxError> {
        let attributes = self.queue_attributes(url).await?;
        let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok((
            number(QueueAttributeName::ApproximateNumberOfMessages),
            number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        ))
    }

    /// Puts a message into a queue.
    pub async fn send_message(&self, url: &str, body: &str) -> Result<(), SandboxError> {
        self.sqs.send_message().queue_url(url).message_body(body).send().await.map_err(failed("SendMessage"))?;
        Ok(())
    }

    /// Takes up to ten messages out of a queue for good, waiting up to `wait_seconds` for the first.
    pub async fn take_messages(&self, url: &str, wait_seconds: i32) -> Result<Vec<String>, SandboxError> {
        let asked = self.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let answer = asked.wait_time_seconds(wait_seconds).send().await.map_err(failed("ReceiveMessage"))?;
        let mut bodies = Vec::new();
        for message in answer.messages.unwrap_or_default() {
            let handle = message.receipt_handle.unwrap_or_default();
            let delete = self.sqs.delete_message().queue_url(url).receipt_handle(handle);
            delete.send().await.map_err(failed("DeleteMessage"))?;
            bodies.extend(message.body);
        }
        Ok(bodies)
    }

    /// Creates a Kinesis stream of one shard, and returns its ARN.
    pub async fn create_stream(&self, name: &str) -> Result<String, SandboxError> {
        self.kinesis.create_stream().stream_name(name).shard_count(1).send().await.map_err(failed("CreateStream"))?;
        let described = self.kinesis.describe_stream_summary().stream_name(name).send().await;
        let described = described.map_err(failed("DescribeStreamSummary"))?;
        let summary = described.stream_description_summary();
        let arn = summary.map(|summary| summary.stream_arn().to_owned());
        arn.ok_or_else(|| lacking("DescribeStreamSummary", "stream ARN"))
    }

    /// Creates a table with the string key `id` and a stream of new images, and returns the stream's ARN.
    pub async fn create_table(&self, name: &str) -> Result<String, SandboxError> {
        let call = "CreateTable";
        let key = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
        let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage);
        let made = self
            .dynamodb
            .create_table()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(key.build().map_err(failed(call))?)
            .key_schema(schema.build().map_err(failed(call))?)
            .stream_specification(stream.build().map_err(failed(call))?)
            .send()
            .await
            .map_err(failed(call))?;
        let arn = made.table_description().and_then(|table| table.latest_stream_arn());
        arn.map(str::to_owned).ok_or_else(|| lacking(call, "stream ARN"))
    }

    /// Tags a table.
    pub async fn tag_table(&self, arn: &str, tags: &[(&str, &str)]) -> Result<(), SandboxError> {
        let mut tagging = self.dynamodb.tag_resource().resource_arn(arn);
        for (key, value) in tags {
            let tag = Tag::builder().key(*key).value(*value).build();
            tagging = tagging.tags(tag.map_err(failed("TagResource"))?);
        }
        tagging.send().await.map_err(failed("TagResource"))?;
        Ok(())
    }
}
