//! The event source behind a mapping.

use super::Arn;
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

impl SourceRef {
    /// Reads an event source's ARN. What is none, or is of a service that Lambda does not poll, has kind `Unknown` and
    /// keeps its text in `arn`.
    pub fn from_arn(text: &str) -> Self {
        let text = text.trim();
        let (kind, name, account) = match Arn::parse(text) {
            Some(arn) => {
                let (kind, name) = kind_and_name(&arn).unwrap_or_default();
                (kind, name, arn.account)
            }
            None => (SourceKind::Unknown, "", ""),
        };
        Self { kind, arn: text.to_owned(), name: name.to_owned(), account: account.to_owned() }
    }

    /// A self-managed Kafka cluster, known by its bootstrap servers. Each text may itself be a comma-separated list;
    /// order and repetition do not matter.
    pub fn from_bootstrap<T: AsRef<str>>(servers: impl IntoIterator<Item = T>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for list in servers {
            let servers = list.as_ref().split(',').map(str::trim);
            names.extend(servers.filter(|server| !server.is_empty()).map(str::to_owned));
        }
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Self::default();
        }
        Self { kind: SourceKind::Kafka, name: names.join(","), ..Self::default() }
    }

    /// Whether anything is known about the source.
    pub fn is_known(&self) -> bool {
        !self.arn.is_empty() || !self.name.is_empty()
    }
}

impl std::fmt::Display for SourceRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.arn.is_empty() { &self.name } else { &self.arn })
    }
}

fn kind_and_name<'a>(arn: &Arn<'a>) -> Option<(SourceKind, &'a str)> {
    let resource = arn.resource;
    let first = |prefix: &str, end: char| {
        let rest = resource.strip_prefix(prefix)?;
        rest.split(end).next().filter(|name| !name.is_empty())
    };
    match arn.service {
        "sqs" => (!resource.contains([':', '/'])).then_some((SourceKind::Sqs, resource)),
        "kinesis" => Some((SourceKind::Kinesis, first("stream/", '/')?)),
        "dynamodb" => Some((SourceKind::Dynamodb, first("table/", '/')?)),
        "kafka" => {
            // `cluster/NAME/UUID`, or `vpc-connection/ACCOUNT/NAME/UUID` to a cluster of another account.
            let connection = resource.strip_prefix("vpc-connection/");
            let name = match connection {
                Some(rest) => rest.split('/').nth(1).filter(|name| !name.is_empty())?,
                None => first("cluster/", '/')?,
            };
            Some((SourceKind::Msk, name))
        }
        "mq" => Some((SourceKind::Mq, first("broker:", ':')?)),
        "rds" => Some((SourceKind::Docdb, first("cluster:", ':')?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_kind_by_its_arn() {
        let account = "000123456789";
        for (service, resource, kind, name) in [
            ("sqs", "orders.fifo", SourceKind::Sqs, "orders.fifo"),
            ("kinesis", "stream/clicks", SourceKind::Kinesis, "clicks"),
            ("kinesis", "stream/clicks/consumer/tap:1525898737", SourceKind::Kinesis, "clicks"),
            ("dynamodb", "table/users/stream/2024-05-09T21:05:41.000", SourceKind::Dynamodb, "users"),
            ("kafka", "cluster/bus/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2", SourceKind::Msk, "bus"),
            ("kafka", "vpc-connection/999900001111/bus/6cc0432b-2", SourceKind::Msk, "bus"),
            ("mq", "broker:letters:b-24cacbb4", SourceKind::Mq, "letters"),
            ("rds", "cluster:papers", SourceKind::Docdb, "papers"),
            ("sns", "topic", SourceKind::Unknown, ""),
            ("kinesis", "stream/", SourceKind::Unknown, ""),
            ("sqs", "a:b", SourceKind::Unknown, ""),
        ] {
            let arn = format!("arn:aws-us-gov:{service}:us-gov-west-1:{account}:{resource}");
            let source = SourceRef::from_arn(&arn);
            assert_eq!((source.kind, source.name.as_str()), (kind, name), "{arn}");
            assert_eq!((source.arn, source.account.as_str()), (arn, account));
        }
    }

    #[test]
    fn what_is_no_arn_is_unknown() {
        let source = SourceRef::from_arn("orders");
        assert_eq!(source.kind, SourceKind::Unknown);
        assert_eq!((source.arn.as_str(), source.account.as_str()), ("orders", ""));
        assert!(!SourceRef::from_arn("").is_known());
    }

    #[test]
    fn bootstrap_servers_compare_in_any_order() {
        let one = SourceRef::from_bootstrap(["b:9092, a:9092", "b:9092", ""]);
        assert_eq!(one, SourceRef::from_bootstrap(vec!["a:9092".to_owned(), "b:9092".to_owned()]));
        assert_eq!((one.kind, one.name.as_str()), (SourceKind::Kafka, "a:9092,b:9092"));
        assert_eq!(SourceRef::from_bootstrap([" ", ""]), SourceRef::default());
    }
}
