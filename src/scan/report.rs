//! All that a scan found.

use super::smells::Smell;
use super::{Attribution, Deed, Place};
use crate::mapping::Snapshot;
use crate::policy::Verdict;
use jiff::Timestamp;
use serde::Serialize;

/// A mapping that exists, and what is to be thought of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// Where it is.
    pub place: Place,
    /// As it was read.
    pub mapping: Snapshot,
    /// Whether it is known who made it.
    pub attribution: Attribution,
    /// The call that made it.
    pub created: Option<Deed>,
    /// The change since that counts most.
    pub changed: Option<Deed>,
    /// Of the mapping as it stands.
    pub verdict: Option<Verdict>,
    /// What about it smells.
    pub smells: Vec<Smell>,
    /// What could not be told of it.
    pub unknown: Vec<String>,
}

/// Something that could not be looked at: a whole place, a part of it, or one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Where.
    pub place: Place,
    /// Which mapping, where it is one; `""`: not one.
    pub uuid: String,
    /// Why.
    pub error: String,
}

/// How a mapping stands, most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Policy does not allow it.
    NotAllowed,
    /// Policy has nothing against it, but it smells.
    Smells,
    /// Nobody knows who made it.
    Unattributed,
    /// Policy allows it.
    Allowed,
}

impl Standing {
    /// Its name, for people.
    pub fn told(self) -> &'static str {
        match self {
            Self::NotAllowed => "NOT ALLOWED",
            Self::Smells => "smells",
            Self::Unattributed => "unattributed",
            Self::Allowed => "allowed",
        }
    }
}

impl Scanned {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        match &self.verdict {
            Some(verdict) if !verdict.allowed => Standing::NotAllowed,
            _ if !self.smells.is_empty() => Standing::Smells,
            None => Standing::Unattributed,
            Some(_) => Standing::Allowed,
        }
    }
}

/// A whole scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When it was begun.
    pub at: Timestamp,
    /// The policy set that judged, by its digest.
    pub policy_digest: String,
    /// All that was to be looked at.
    pub places: Vec<Place>,
    /// What was found; see [`Report::sort`].
    pub scanned: Vec<Scanned>,
    /// What could not be looked at.
    pub missing: Vec<Missing>,
    /// What was not to be looked at, and people may expect.
    pub notes: Vec<String>,
}

/// How many of what. `allowed`, `not_allowed` and `unattributed` are all mappings; any of them may smell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs, reason = "numbers, by their names")]
pub struct Summary {
    pub places: usize,
    /// Places of which something could not be looked at.
    pub places_incomplete: usize,
    pub mappings: usize,
    pub not_allowed: usize,
    pub unattributed: usize,
    pub allowed: usize,
    pub with_smells: usize,
    pub errors: usize,
}

impl Report {
    /// By place; in each the most telling first, then the latest.
    pub fn sort(&mut self) {
        self.places.sort_unstable();
        self.missing.sort_by(|one, other| (&one.place, &one.uuid).cmp(&(&other.place, &other.uuid)));
        self.scanned.sort_by(|one, other| {
            let modified = |scanned: &Scanned| std::cmp::Reverse(scanned.mapping.last_modified);
            let key = |scanned: &Scanned| (scanned.standing(), modified(scanned));
            let (first, second) = (key(one), key(other));
            one.place.cmp(&other.place).then(first.cmp(&second)).then_with(|| one.mapping.uuid.cmp(&other.mapping.uuid))
        });
    }

    /// How many of what.
    pub fn summary(&self) -> Summary {
        let count = |wanted: fn(&Scanned) -> bool| self.scanned.iter().filter(|scanned| wanted(scanned)).count();
        let incomplete = |place: &&Place| self.missing.iter().any(|missing| missing.place == **place);
        Summary {
            places: self.places.len(),
            places_incomplete: self.places.iter().filter(incomplete).count(),
            mappings: self.scanned.len(),
            not_allowed: count(|scanned| scanned.verdict.as_ref().is_some_and(|verdict| !verdict.allowed)),
            unattributed: count(|scanned| scanned.verdict.is_none()),
            allowed: count(|scanned| scanned.verdict.as_ref().is_some_and(|verdict| verdict.allowed)),
            with_smells: count(|scanned| !scanned.smells.is_empty()),
            errors: self.missing.len(),
        }
    }

    /// The mappings of a place.
    pub fn of<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Scanned> {
        self.scanned.iter().filter(move |scanned| scanned.place == *place)
    }
}
