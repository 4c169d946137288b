//! `CreateEventSourceMapping` from an earlier answer of `GetEventSourceMapping`: every field that can be given.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>

use super::lambda::{destinations, filters, source_access};
use crate::ports::{CallError, NewMapping};
use aws_sdk_lambda::operation::create_event_source_mapping::builders::CreateEventSourceMappingFluentBuilder;
use aws_sdk_lambda::primitives::DateTime;
use aws_sdk_lambda::types::{
    AmazonManagedKafkaEventSourceConfig, DocumentDbEventSourceConfig, EndPointType, EventSourceMappingMetric,
    EventSourceMappingMetricsConfig, EventSourcePosition, FullDocument, FunctionResponseType, ProvisionedPollerConfig,
    ScalingConfig, SelfManagedEventSource, SelfManagedKafkaEventSourceConfig,
};
use serde_json::Value;
use std::collections::HashMap;

pub(super) fn request(
    client: &aws_sdk_lambda::Client,
    new: &NewMapping<'_>,
) -> Result<CreateEventSourceMappingFluentBuilder, CallError> {
    let like = new.like;
    let wiring = new.wiring;
    if like["FilterCriteria"].is_null() && !like["KMSKeyArn"].is_null() && wiring.filters.is_none() {
        // Encrypted, and not readable to us: a mapping without its filter would be another.
        let message = "the filter that it had is encrypted and was not readable: make it anew by hand".to_owned();
        return Err(CallError::Refused { code: "FilterCriteria".into(), message, request_id: None });
    }
    let tags = new.tags.iter().cloned().collect::<HashMap<_, _>>();
    let request = client
        .create_event_source_mapping()
        .function_name(new.function_arn)
        .enabled(new.enabled)
        .set_event_source_arn(text(&like["EventSourceArn"]))
        .set_batch_size(number(&like["BatchSize"]))
        .set_filter_criteria(wiring.filters.as_ref().filter(|all| !all.is_empty()).map(|all| filters(all)))
        .set_maximum_batching_window_in_seconds(number(&like["MaximumBatchingWindowInSeconds"]))
        .set_parallelization_factor(number(&like["ParallelizationFactor"]))
        .set_starting_position(text(&like["StartingPosition"]).map(|it| EventSourcePosition::from(it.as_str())))
        .set_starting_position_timestamp(like["StartingPositionTimestamp"].as_f64().map(DateTime::from_secs_f64))
        .set_destination_config(destinations(wiring))
        .set_maximum_record_age_in_seconds(number(&like["MaximumRecordAgeInSeconds"]))
        .set_bisect_batch_on_function_error(like["BisectBatchOnFunctionError"].as_bool())
        .set_maximum_retry_attempts(number(&like["MaximumRetryAttempts"]))
        .set_tumbling_window_in_seconds(number(&like["TumblingWindowInSeconds"]).filter(|window| *window > 0))
        .set_topics(texts(&like["Topics"]))
        .set_queues(texts(&like["Queues"]))
        .set_source_access_configurations(
            wiring.source_access.as_ref().filter(|all| !all.is_empty()).map(|all| source_access(all)),
        )
        .set_function_response_types(
            texts(&like["FunctionResponseTypes"])
                .map(|all| all.iter().map(|it| FunctionResponseType::from(it.as_str())).collect()),
        )
        .set_kms_key_arn(text(&like["KMSKeyArn"]))
        .set_tags((!tags.is_empty()).then_some(tags));
    Ok(with_source_settings(request, like))
}

/// What only some kinds of source have.
fn with_source_settings(
    request: CreateEventSourceMappingFluentBuilder,
    like: &Value,
) -> CreateEventSourceMappingFluentBuilder {
    let present = |key: &str| Some(&like[key]).filter(|value| value.is_object());
    request
        .set_self_managed_event_source(present("SelfManagedEventSource").map(|it| {
            let servers = texts(&it["Endpoints"]["KAFKA_BOOTSTRAP_SERVERS"]).unwrap_or_default();
            SelfManagedEventSource::builder().endpoints(EndPointType::KafkaBootstrapServers, servers).build()
        }))
        .set_amazon_managed_kafka_event_source_config(present("AmazonManagedKafkaEventSourceConfig").map(|it| {
            let group = text(&it["ConsumerGroupId"]);
            AmazonManagedKafkaEventSourceConfig::builder().set_consumer_group_id(group).build()
        }))
        .set_self_managed_kafka_event_source_config(present("SelfManagedKafkaEventSourceConfig").map(|it| {
            let group = text(&it["ConsumerGroupId"]);
            SelfManagedKafkaEventSourceConfig::builder().set_consumer_group_id(group).build()
        }))
        .set_scaling_config(
            present("ScalingConfig")
                .map(|it| ScalingConfig::builder().set_maximum_concurrency(number(&it["MaximumConcurrency"])).build()),
        )
        .set_document_db_event_source_config(present("DocumentDBEventSourceConfig").map(|it| {
            DocumentDbEventSourceConfig::builder()
                .set_database_name(text(&it["DatabaseName"]))
                .set_collection_name(text(&it["CollectionName"]))
                .set_full_document(text(&it["FullDocument"]).map(|it| FullDocument::from(it.as_str())))
                .build()
        }))
        .set_metrics_config(present("MetricsConfig").and_then(|it| {
            let metrics = texts(&it["Metrics"])?.iter().map(|it| EventSourceMappingMetric::from(it.as_str())).collect();
            Some(EventSourceMappingMetricsConfig::builder().set_metrics(Some(metrics)).build())
        }))
        .set_provisioned_poller_config(present("ProvisionedPollerConfig").map(|it| {
            ProvisionedPollerConfig::builder()
                .set_minimum_pollers(number(&it["MinimumPollers"]))
                .set_maximum_pollers(number(&it["MaximumPollers"]))
                .build()
        }))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let all: Vec<String> = value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    (!all.is_empty()).then_some(all)
}
