#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::cloudtrail::fixtures::{changed, one};
use crate::mapping::SourceKind;
use serde_json::{Value, json};

const UUID: &str = "a1b2c3d4-5678-4abc-9def-012345678901";

fn call(name: &str) -> MappingCall {
    one(name).call.unwrap()
}

fn update(request: Value) -> MappingCall {
    let record = changed("update-enable.json", |record| record["requestParameters"] = request);
    record.call.unwrap()
}

#[test]
fn the_documented_record_is_read_whole() {
    insta::assert_json_snapshot!(call("create-sqs.json"), @r#"
    {
      "verb": "create",
      "uuid": "a1b2c3d4-5678-4abc-9def-012345678901",
      "mapping_arn": "arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:a1b2c3d4-5678-4abc-9def-012345678901",
      "function": {
        "arn": "arn:aws:lambda:eu-west-1:111122223333:function:orders",
        "name": "orders",
        "qualifier": "",
        "account": "111122223333"
      },
      "names_function": true,
      "source": {
        "kind": "sqs",
        "arn": "arn:aws:sqs:eu-west-1:111122223333:orders-queue",
        "name": "orders-queue",
        "account": "111122223333"
      },
      "enabled": true,
      "wiring": {},
      "state": "Creating",
      "last_modified": "2024-05-09T21:05:41Z",
      "mentions": {
        "filter": true,
        "destination": false,
        "source_access": true,
        "unreadable": false
      },
      "withheld": false,
      "disagrees": ""
    }
    "#);
}

#[test]
fn every_kind_of_source_is_known() {
    for (name, kind, source) in [
        ("create-sqs.json", SourceKind::Sqs, "orders-queue"),
        ("create-kinesis.json", SourceKind::Kinesis, "clicks"),
        ("create-dynamodb.json", SourceKind::Dynamodb, "users"),
        ("create-msk.json", SourceKind::Msk, "bus"),
        ("create-mq.json", SourceKind::Mq, "letters"),
        ("create-docdb.json", SourceKind::Docdb, "papers"),
        ("create-kafka.json", SourceKind::Kafka, "b-1.kafka.example.net:9092,b-2.kafka.example.net:9092"),
    ] {
        let call = call(name);
        assert_eq!((call.source.kind, call.source.name.as_str()), (kind, source), "{name}");
        assert_eq!((call.function.name.as_str(), call.disagrees.as_str()), ("orders", ""), "{name}");
    }
}

#[test]
fn alias_partition_and_leading_zeros_are_kept() {
    assert_eq!(call("create-alias.json").function.qualifier, "live");
    let gov = call("create-gov.json").function;
    assert_eq!(gov.arn, "arn:aws-us-gov:lambda:us-gov-west-1:000011112222:function:orders");
    // Without an answer the partition comes from the region.
    let record = changed("create-cn.json", |record| record["responseElements"] = json!(null));
    let china = record.call.unwrap();
    assert_eq!(china.function.arn, "arn:aws-cn:lambda:cn-north-1:111122223333:function:orders");
    assert_eq!((china.uuid.as_str(), china.source.kind), ("", SourceKind::Sqs));
}

#[test]
fn booleans_may_be_texts_and_oddities_count_as_true() {
    assert_eq!(call("create-string-booleans.json").enabled, Some(false));
    for (value, expected) in [
        (json!("true"), Some(true)),
        (json!("False"), Some(false)),
        (json!(null), None),
        (json!(1), Some(true)),
        (json!({}), Some(true)),
    ] {
        assert_eq!(update(json!({"enabled": value})).enabled, expected, "{value}");
    }
}

#[test]
fn the_mapping_is_named_in_any_spelling() {
    for key in ["uUID", "uuid", "UUID", "Uuid"] {
        let mut request = json!({"enabled": true});
        request[key] = json!(UUID);
        let record = changed("update-enable.json", |record| {
            record["requestParameters"] = request;
            record["responseElements"] = json!("null");
        });
        assert_eq!(record.call.unwrap().uuid, UUID, "{key}");
    }
}

#[test]
fn a_request_that_is_not_there_is_withheld() {
    for request in [json!(null), json!("null"), json!(7), json!([]), json!("{}")] {
        let call = update(request.clone());
        assert!(call.withheld && !call.names_function, "{request}");
        assert_eq!(call.function.name, "orders");
    }
    assert!(call("create-request-null-text.json").withheld);
    assert!(!update(json!({})).withheld);
}

#[test]
fn request_and_response_that_contradict_each_other_are_told() {
    let call = update(json!({"uUID": "other", "functionName": "orders:live", "eventSourceArn": "arn:aws:sns:::x"}));
    assert_eq!(call.function.qualifier, "");
    insta::assert_snapshot!(call.disagrees.replace("; ", "\n"), @r#"
    the request names function arn:aws:lambda:eu-west-1:111122223333:function:orders:live, the response arn:aws:lambda:eu-west-1:111122223333:function:orders
    the request names source arn:aws:sns:::x, the response arn:aws:sqs:eu-west-1:111122223333:orders-queue
    the request names mapping other, the response a1b2c3d4-5678-4abc-9def-012345678901
    "#);
}

#[test]
fn a_function_or_mapping_elsewhere_contradicts_the_place_of_the_call() {
    let elsewhere = |region: &str, account: &str| {
        let record = changed("update-repoint.json", |record| {
            let text = record["responseElements"].to_string();
            let text = text.replace("eu-west-1", region).replace("111122223333", account);
            record["requestParameters"] = json!(null);
            record["responseElements"] = serde_json::from_str(&text).unwrap();
        });
        record.call.unwrap().disagrees
    };
    assert_eq!(elsewhere("eu-west-1", "111122223333"), "");
    for (region, account) in [("us-east-1", "111122223333"), ("eu-west-1", "999900001111")] {
        let told = elsewhere(region, account);
        let start = "the call was made in account 111122223333, region eu-west-1, but its function is arn:aws:lambda:";
        assert!(told.starts_with(start) && told.contains("but its mapping is"), "{told}");
    }
}

#[test]
fn wiring_that_is_left_out_is_mentioned_and_not_named() {
    let call = update(json!({"filterCriteria": {}, "destinationConfig": {}, "sourceAccessConfigurations": []}));
    assert!(call.wiring.is_empty());
    assert!(call.mentions.filter && call.mentions.destination && call.mentions.source_access);
    assert!(!call.mentions.unreadable);
    let call = update(json!({"filterCriteria": null}));
    assert_eq!(call.mentions, Mentions::default());
}

#[test]
fn wiring_that_is_named_is_read_sorted() {
    let call = update(json!({
        "filterCriteria": {"filters": [{"pattern": "b"}, {"Pattern": "a"}]},
        "destinationConfig": {"onFailure": {"destination": "arn:x"}, "onSuccess": {}},
        "sourceAccessConfigurations": [{"type": "VPC_SUBNET", "uRI": "s-2"}, {"type": "BASIC_AUTH", "URI": "k"}],
    }));
    insta::assert_json_snapshot!(call.wiring, @r#"
    {
      "filters": [
        "a",
        "b"
      ],
      "on_failure": "arn:x",
      "on_success": "",
      "source_access": [
        {
          "kind": "BASIC_AUTH",
          "uri": "k"
        },
        {
          "kind": "VPC_SUBNET",
          "uri": "s-2"
        }
      ]
    }
    "#);
    let cleared = update(json!({"filterCriteria": {"filters": []}, "destinationConfig": {"onFailure": {}}})).wiring;
    assert_eq!(
        (cleared.filters, cleared.on_failure, cleared.on_success),
        (Some(Vec::new()), Some(String::new()), None)
    );
}

#[test]
fn wiring_that_cannot_be_read_counts_as_named() {
    for request in [
        json!({"filterCriteria": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        json!({"filterCriteria": {"filters": [7]}}),
        json!({"filterCriteria": {"filters": [{}]}}),
        json!({"destinationConfig": {"onFailure": {"destination": 7}}}),
        json!({"sourceAccessConfigurations": [{"type": "BASIC_AUTH"}]}),
        json!({"sourceAccessConfigurations": {}}),
    ] {
        assert!(update(request.clone()).mentions.unreadable, "{request}");
    }
}

#[test]
fn bootstrap_servers_stand_under_any_key() {
    for endpoints in [
        json!({"kAFKA_BOOTSTRAP_SERVERS": ["a:1", "b:2"]}),
        json!({"kafkaBootstrapServers": "b:2,a:1"}),
        json!({"KAFKA_BOOTSTRAP_SERVERS": ["b:2"], "more": ["a:1", 7, null]}),
    ] {
        let record = changed("create-kafka.json", |record| {
            record["requestParameters"]["selfManagedEventSource"] = json!({"Endpoints": endpoints});
            record["responseElements"] = json!(null);
        });
        assert_eq!(record.call.unwrap().source.name, "a:1,b:2", "{endpoints}");
    }
    assert_eq!(update(json!({"selfManagedEventSource": 7})).source.kind, SourceKind::Sqs);
}
