//! The event source behind a mapping.

use serde::{Deserialize, Serialize};

/// What kind of source a mapping reads. `docdb` is a change stream, `kafka` a self-managed cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// An SQS queue.
    Sqs,
    /// A Kinesis stream, or an enhanced fan-out consumer of one.
    Kinesis,
    /// A `DynamoDB` table's stream.
    Dynamodb,
    /// An MSK cluster, or a VPC connection to one.
    Msk,
    /// A Kafka cluster outside MSK, known by its bootstrap servers only.
    Kafka,
    /// An Amazon MQ broker.
    Mq,
    /// A `DocumentDB` cluster.
    Docdb,
    /// None of these, or not to be told.
    #[default]
    Unknown,
}

/// An event source as a call or a mapping names it. Fields that are not known hold `""`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SourceRef {
    /// What it is.
    pub kind: SourceKind,
    /// Its ARN; `""` for a self-managed cluster.
    pub arn: String,
    /// Queue, stream, table, cluster or broker name; the sorted bootstrap servers, comma-separated, for `kafka`.
    pub name: String,
    /// The twelve-digit account in the ARN; `""` where there is none.
    pub account: String,
}
