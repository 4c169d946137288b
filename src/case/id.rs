//! A case's id: the same finding always gets the same one.

use crate::detection::{Detection, Finding};
use data_encoding::BASE32;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// `sg-` and 16 lower-case base32 characters: the first 80 bits of SHA-256(account, region, eventID, detection).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId(String);

impl CaseId {
    /// The id of the case that `finding` would open.
    pub fn of(finding: &Finding) -> Self {
        Self::from_parts(&finding.account, &finding.region, &finding.event.id, finding.detection)
    }

    /// The same from its parts, in the order in which they are hashed, a newline between them.
    pub fn from_parts(account: &str, region: &str, event_id: &str, detection: Detection) -> Self {
        let text = [account, region, event_id, detection.name()].join("\n");
        let hash = Sha256::digest(text.as_bytes());
        Self(format!("sg-{}", BASE32.encode(&hash[..10]).to_ascii_lowercase()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = text.to_ascii_lowercase();
        let digits = id.strip_prefix("sg-").unwrap_or("");
        if digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)) {
            Ok(Self(id))
        } else {
            Err(format!("{text:?} is no case id: one looks like sg-abcdefgh234567ab (see `sluicegate cases`)"))
        }
    }
}

impl TryFrom<String> for CaseId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_finding_has_the_same_id_and_another_has_another() {
        let id = |event: &str, detection| CaseId::from_parts("111122223333", "eu-west-1", event, detection);
        assert_eq!(id("e1", Detection::MappingCreated), id("e1", Detection::MappingCreated));
        assert_ne!(id("e1", Detection::MappingCreated), id("e2", Detection::MappingCreated));
        assert_ne!(id("e1", Detection::MappingCreated), id("e1", Detection::MappingEnabled));
        assert_eq!(id("e1", Detection::MappingCreated).as_str().len(), 19);
    }

    #[test]
    fn an_id_survives_text_and_nothing_else_is_one() {
        let id = CaseId::from_parts("1", "r", "e", Detection::MappingCreated);
        assert_eq!(id.as_str().parse::<CaseId>(), Ok(id.clone()));
        assert_eq!(id.as_str().to_uppercase().parse::<CaseId>(), Ok(id));
        for text in ["", "sg-", "sg-1111111111111111", "xx-aaaaaaaaaaaaaaaa", "sg-aaaaaaaaaaaaaaa/"] {
            assert!(text.parse::<CaseId>().is_err(), "{text}");
        }
    }
}
