//! What is known of a source by its kind, and what its tags say.

use crate::mapping::{SourceKind, SourceRef};

const HOUR: u64 = 3_600;

/// Words in a tag's key that say how sensitive the data is, compared without case, hyphens and the like.
const SENSITIVE: [&str; 16] = [
    "classification",
    "confidential",
    "sensitiv",
    "dataclass",
    "datatype",
    "privacy",
    "personaldata",
    "compliance",
    "pii",
    "phi",
    "gdpr",
    "dsgvo",
    "pci",
    "hipaa",
    "sox",
    "secret",
];

/// Those of the tags that say how sensitive something is. Short words must stand alone: `pci`, `data-pci`, not `capacity`.
pub fn sensitive(tags: &[(String, String)]) -> Vec<(String, String)> {
    tags.iter().filter(|(key, _)| says_sensitive(key)).cloned().collect()
}

fn says_sensitive(key: &str) -> bool {
    let words: Vec<String> =
        words_of(key).into_iter().map(|word| word.to_lowercase()).filter(|word| !word.is_empty()).collect();
    let joined = words.concat();
    SENSITIVE.iter().any(|known| match known.len() {
        ..=5 => words.iter().any(|word| word == known),
        _ => joined.contains(known),
    })
}

/// `DataClassification`, `data-classification`, `org:data_classification` → its words.
fn words_of(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in key.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && after_lower {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.push(c));
        }
        after_lower = c.is_lowercase();
    }
    words
}

/// The tags that both have, with the same value.
pub fn shared(one: &[(String, String)], other: &[(String, String)]) -> Vec<(String, String)> {
    one.iter().filter(|tag| other.contains(tag) && !tag.0.starts_with("aws:")).cloned().collect()
}

/// The ARN that carries a source's tags: the table of a `DynamoDB` stream, the stream of a Kinesis consumer; `""` where
/// there is none.
pub fn tagged_arn(source: &SourceRef) -> String {
    let cut = |mark: &str| source.arn.split(mark).next().unwrap_or_default().to_owned();
    match source.kind {
        SourceKind::Dynamodb => cut("/stream/"),
        SourceKind::Kinesis => cut("/consumer/"),
        SourceKind::Kafka | SourceKind::Unknown => String::new(),
        SourceKind::Sqs | SourceKind::Msk | SourceKind::Mq | SourceKind::Docdb => source.arn.clone(),
    }
}

/// For how many seconds a source of this kind keeps records that nobody reads, as far as the kind alone tells, and where
/// that is known from.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>,
/// <https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>,
/// <https://docs.aws.amazon.com/documentdb/latest/developerguide/change_streams.html>
pub fn usual_retention(kind: SourceKind) -> (Option<u64>, &'static str) {
    match kind {
        SourceKind::Sqs => (None, "the queue's MessageRetentionPeriod, which was not read: 4 days unless it was set"),
        SourceKind::Dynamodb => (Some(24 * HOUR), "DynamoDB streams: always 24 hours"),
        SourceKind::Kinesis => (Some(24 * HOUR), "Kinesis: 24 hours by default, up to 365 days; not read"),
        SourceKind::Docdb => (Some(3 * HOUR), "DocumentDB change streams: 3 hours by default, up to 7 days; not read"),
        SourceKind::Msk | SourceKind::Kafka => (None, "the broker's own retention, which is not known here"),
        SourceKind::Mq => (None, "a broker keeps messages that nobody takes, unless they expire by their own setting"),
        SourceKind::Unknown => (None, "the kind of source is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_tell_how_sensitive_data_is_are_known_in_any_spelling() {
        for key in
            ["data-classification", "DataClassification", "Classification", "org:Data_Sensitivity", "GDPR", "isPII"]
        {
            assert!(says_sensitive(key), "{key}");
        }
        for key in ["pci-scope", "Confidentiality", "hipaa", "contains_phi", "COMPLIANCE", "dataPrivacy"] {
            assert!(says_sensitive(key), "{key}");
        }
        for key in ["capacity", "Name", "team", "philosophy", "graphics", "", "-", "socks", "\u{202e}"] {
            assert!(!says_sensitive(key), "{key}");
        }
    }

    #[test]
    fn shared_tags_are_equal_in_key_and_value_and_somebodys_own() {
        let tags = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let one = tags(&[("team", "orders"), ("env", "prod"), ("aws:cloudformation:stack-name", "s")]);
        let other = tags(&[("team", "orders"), ("env", "dev"), ("aws:cloudformation:stack-name", "s")]);
        assert_eq!(shared(&one, &other), tags(&[("team", "orders")]));
    }

    #[test]
    fn tags_hang_on_the_table_and_the_stream() {
        let of = |arn: &str| tagged_arn(&SourceRef::from_arn(arn));
        let table = "arn:aws:dynamodb:eu-west-1:000123456789:table/users";
        assert_eq!(of(&format!("{table}/stream/2024-05-09T21:05:41.000")), table);
        let stream = "arn:aws:kinesis:eu-west-1:000123456789:stream/clicks";
        assert_eq!((of(&format!("{stream}/consumer/tap:1")), of(stream)), (stream.to_owned(), stream.to_owned()));
        assert_eq!(tagged_arn(&SourceRef::from_bootstrap(["b:9092"])), "");
    }
}
