//! Whether a source's tags say that its data is sensitive.

use crate::evidence::sensitive;

/// What is known of a source's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// Nobody asked, for nothing depends on them.
    NotAsked,
    /// They are these.
    Read(Vec<(String, String)>),
    /// They could not be read; why.
    Unread(String),
}

/// Words of a value that say so.
const WORDS: [&str; 15] = [
    "confidential",
    "restricted",
    "sensitive",
    "secret",
    "high",
    "critical",
    "personal",
    "pii",
    "phi",
    "pci",
    "gdpr",
    "dsgvo",
    "hipaa",
    "sox",
    "regulated",
];
/// Whole values that say yes to a key that asks (`pii = true`).
const YES: [&str; 6] = ["true", "yes", "y", "1", "on", "in-scope"];
const NO: [&str; 8] = ["not", "non", "no", "none", "un", "false", "never", "without"];

/// The first tag that says so: its key is about how sensitive data is (`data-classification`, `Confidentiality`, `pii`, in
/// any spelling), and its value says that it is (`confidential`, `restricted`, `high`, `true`, …). `public`, `internal`,
/// `non-confidential` do not. Which tags an organisation uses is not configured, so both must be known words.
pub fn says_sensitive(tags: &[(String, String)]) -> Option<(String, String)> {
    sensitive(tags).into_iter().find(|(_, value)| says_yes(value))
}

fn says_yes(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    let words: Vec<&str> = value.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let denied = words.iter().any(|word| NO.contains(word));
    !denied && (YES.contains(&value.as_str()) || words.iter().any(|word| WORDS.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(key: &str, value: &str) -> bool {
        says_sensitive(&[("team".to_owned(), "high".to_owned()), (key.to_owned(), value.to_owned())]).is_some()
    }

    #[test]
    fn a_known_key_with_a_known_value_says_so() {
        for (key, value) in [
            ("data-classification", "confidential"),
            ("DataClassification", "RESTRICTED"),
            ("classification", "Highly Confidential"),
            ("sensitivity", "high"),
            ("Confidentiality", "Top-Secret"),
            ("org:data_classification", "pii,internal"),
            ("sensitive", "TRUE"),
            ("pii", " yes "),
            ("PII", "1"),
            ("compliance", "pci-dss"),
        ] {
            assert!(says(key, value), "{key}={value}");
        }
    }

    #[test]
    fn other_keys_and_other_values_do_not() {
        for (key, value) in [
            ("data-classification", "public"),
            ("data-classification", "internal"),
            ("compliance", "on-demand"),
            ("classification", "non-confidential"),
            ("classification", "Not Sensitive"),
            ("pii", "false"),
            ("pii", "no pii"),
            ("pii", ""),
            ("sensitivity", "low"),
            ("priority", "high"),
            ("capacity", "true"),
            ("data-classification", "\u{202e}laitnedifnoc"),
        ] {
            assert!(!says(key, value), "{key}={value}");
        }
        assert_eq!(says_sensitive(&[]), None);
    }
}
