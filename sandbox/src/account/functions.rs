//! Functions and event source mappings.

use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, EventSourcePosition, FunctionCode, Runtime};

use serde_json::{Value, json};

use super::{Account, failed, lacking, zip};
use crate::error::SandboxError;

/// Says of each record it was given: puts its body into the queue that the variable `QUEUE_URL` names.
pub const SIPHON: &str = r#"
import json, os, boto3

def handler(event, context):
    sqs = boto3.client("sqs")
    for record in event["Records"]:
        seen = record.get("body") or json.dumps(record.get("kinesis") or record.get("dynamodb"))
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=seen)
"#;

impl Account {
    /// Creates a function from the source of a Python module with a `handler`, and returns its ARN.
    pub async fn create_function(
        &self,
        name: &str,
        source: &str,
        role_arn: &str,
        variables: &[(&str, &str)],
    ) -> Result<String, SandboxError> {
        let mut environment = Environment::builder();
        for (key, value) in variables {
            environment = environment.variables(*key, *value);
        }
        let code = FunctionCode::builder().zip_file(Blob::new(zip::stored("index.py", source.as_bytes()))).build();
        let made = self
            .lambda
            .create_function()
            .function_name(name)
            .runtime(Runtime::Python312)
            .handler("index.handler")
            .role(role_arn)
            .timeout(30)
            .environment(environment.build())
            .code(code)
            .send()
            .await
            .map_err(failed("CreateFunction"))?;
        made.function_arn.ok_or_else(|| lacking("CreateFunction", "function ARN"))
    }

    /// Wires a source to a function, enabled, and returns the mapping's UUID. Streams are read from their start.
    pub async fn create_mapping(&self, source_arn: &str, function: &str) -> Result<String, SandboxError> {
        let mut call = self.lambda.create_event_source_mapping().event_source_arn(source_arn).function_name(function);
        if !source_arn.contains(":sqs:") {
            call = call.starting_position(EventSourcePosition::TrimHorizon);
        }
        let made = call.send().await.map_err(failed("CreateEventSourceMapping"))?;
        made.uuid.ok_or_else(|| lacking("CreateEventSourceMapping", "UUID"))
    }

    /// Enables or disables a mapping.
    pub async fn set_mapping_enabled(&self, uuid: &str, enabled: bool) -> Result<(), SandboxError> {
        let call = self.lambda.update_event_source_mapping().uuid(uuid).enabled(enabled);
        call.send().await.map_err(failed("UpdateEventSourceMapping"))?;
        Ok(())
    }

    /// The state that a mapping reads as; none if there is no such mapping.
    pub async fn mapping_state(&self, uuid: &str) -> Result<Option<String>, SandboxError> {
        match self.lambda.get_event_source_mapping().uuid(uuid).send().await {
            Ok(mapping) => Ok(mapping.state),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetEventSourceMappingError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("GetEventSourceMapping")(error)),
        }
    }

    /// How a mapping is wired: all that it takes to make another like it.
    pub async fn mapping_wiring(&self, uuid: &str) -> Result<Value, SandboxError> {
        let read = self.lambda.get_event_source_mapping().uuid(uuid).send().await;
        let read = read.map_err(failed("GetEventSourceMapping"))?;
        Ok(json!({
            "function": read.function_arn(),
            "source": read.event_source_arn(),
            "batch_size": read.batch_size(),
            "window": read.maximum_batching_window_in_seconds(),
            "filters": read.filter_criteria().map(|criteria| format!("{:?}", criteria.filters())),
            "state": read.state(),
        }))
    }
}
