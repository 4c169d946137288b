//! The words of the policy files for what the rest of sluicegate has as types.

use super::files::Notes;
use super::toml_doc::Text;
use super::{ApproveAction, suggest};
use crate::cloudtrail::PrincipalKind;
use crate::detection::{Change, Trigger};
use crate::mapping::SourceKind;

/// Every principal kind, as `userIdentity.type` names it.
pub(super) const PRINCIPAL_KINDS: [(&str, PrincipalKind); 12] = [
    ("AssumedRole", PrincipalKind::AssumedRole),
    ("Role", PrincipalKind::Role),
    ("IAMUser", PrincipalKind::IamUser),
    ("Root", PrincipalKind::Root),
    ("AWSService", PrincipalKind::AwsService),
    ("AWSAccount", PrincipalKind::AwsAccount),
    ("FederatedUser", PrincipalKind::FederatedUser),
    ("SAMLUser", PrincipalKind::SamlUser),
    ("WebIdentityUser", PrincipalKind::WebIdentityUser),
    ("IdentityCenterUser", PrincipalKind::IdentityCenterUser),
    ("Directory", PrincipalKind::Directory),
    ("Unknown", PrincipalKind::Unknown),
];

/// Every source kind.
pub(super) const SOURCE_KINDS: [(&str, SourceKind); 8] = [
    ("sqs", SourceKind::Sqs),
    ("kinesis", SourceKind::Kinesis),
    ("dynamodb", SourceKind::Dynamodb),
    ("msk", SourceKind::Msk),
    ("kafka", SourceKind::Kafka),
    ("mq", SourceKind::Mq),
    ("docdb", SourceKind::Docdb),
    ("unknown", SourceKind::Unknown),
];

/// Every change that policy is asked about.
pub(super) const CHANGES: [(&str, Change); 4] =
    [("create", Change::Create), ("enable", Change::Enable), ("repoint", Change::Repoint), ("rewire", Change::Rewire)];

/// Every decision that a person may be asked for.
pub(super) const APPROVALS: [(&str, ApproveAction); 8] = [
    ("leave", ApproveAction::Leave),
    ("keep", ApproveAction::Keep),
    ("disable", ApproveAction::Disable),
    ("freeze", ApproveAction::Freeze),
    ("delete", ApproveAction::Delete),
    ("restrict", ApproveAction::Restrict),
    ("restore", ApproveAction::Restore),
    ("lift", ApproveAction::Lift),
];

/// The value behind a word.
pub(super) fn value<T: Copy>(table: &[(&'static str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// The value behind a word of a file; a word that is none is noted.
pub(super) fn read<T: Copy>(table: &[(&'static str, T)], text: &Text, what: &str, notes: &mut Notes<'_>) -> Option<T> {
    let read = value(table, &text.value);
    if read.is_none() {
        let suggestion = suggest::instead_of(&text.value, words(table));
        notes.error(text.at, format!("there is no {what} `{}`", text.value), suggestion);
    }
    read
}

/// The word for a value.
pub(super) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("unknown", |(name, _)| name)
}

/// The word for a kind of source.
pub(crate) fn source_kind_word(kind: SourceKind) -> &'static str {
    word(&SOURCE_KINDS, &kind)
}

/// The word for a change, which is also the policy's action.
pub(crate) fn change_word(change: Change) -> &'static str {
    word(&CHANGES, &change)
}

/// All words of a table.
pub(super) fn words<T>(table: &[(&'static str, T)]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|(name, _)| *name)
}

/// The word for what brought a finding in.
pub(super) fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Event => "event",
        Trigger::Sweep => "sweep",
        Trigger::Replay => "replay",
        Trigger::Expiry => "expiry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_json() {
        for (name, kind) in PRINCIPAL_KINDS {
            assert_eq!(serde_json::json!(kind), name);
        }
        for (name, kind) in SOURCE_KINDS {
            assert_eq!(serde_json::json!(kind), name);
        }
        for (name, change) in CHANGES {
            assert_eq!(serde_json::json!(change), name);
        }
        for (name, action) in APPROVALS {
            assert_eq!(serde_json::json!(action), name);
        }
        for trigger in [Trigger::Event, Trigger::Sweep, Trigger::Replay, Trigger::Expiry] {
            assert_eq!(serde_json::json!(trigger), super::trigger(trigger));
        }
    }
}
