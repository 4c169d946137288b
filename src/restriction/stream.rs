//! A restriction in the journal: a stream of its own, with the cases that hold it. It owns one thing in IAM: an inline
//! policy, an attachment, a tag, or the state of keys. Cases join it and let go of it; it comes off with the last.

use super::Principal;
use crate::case::CaseId;
use crate::containment::{Call, StepKind};
use data_encoding::BASE32;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A restriction's id: `rs-` and 16 base32 characters of a hash over what it is on and by whom it was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RestrictionId(pub String);

impl RestrictionId {
    /// The id of what `call` puts on: the same for every case that wants the same of the same principal.
    pub fn of(step: StepKind, call: &Call) -> Self {
        Self::hashed(step, call, "")
    }

    /// The id of what is not shared: where one is on already that does not reach as far, this one stands beside it.
    pub fn apart(step: StepKind, call: &Call) -> Self {
        let own = match call {
            Call::PutPolicy { name, .. } => name.clone(),
            Call::SetAccessKeys { keys, .. } => keys.join(" "),
            _ => String::new(),
        };
        Self::hashed(step, call, &own)
    }

    fn hashed(step: StepKind, call: &Call, own: &str) -> Self {
        let id = call.principal().map_or("", |principal| &principal.id);
        let hash = Sha256::digest([step.name(), &call.target(), id, own].join("\n").as_bytes());
        Self(format!("rs-{}", BASE32.encode(&hash[..10]).to_ascii_lowercase()))
    }
}

impl std::fmt::Display for RestrictionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happens to a restriction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there are few, and they are short-lived")]
pub enum RestrictionEvent {
    /// A case is about to put it on.
    Claimed {
        /// The case.
        case_id: CaseId,
        /// Whom it restricts.
        principal: Principal,
        /// In which form.
        step: StepKind,
        /// The call that puts it on, as it was prepared.
        call: Call,
        /// The call that takes it off.
        undo: Option<Call>,
    },
    /// It was read back as on.
    Applied,
    /// Another case holds it too.
    Joined {
        /// The case.
        case_id: CaseId,
    },
    /// A case lets go; others hold it still.
    LetGo {
        /// The case.
        case_id: CaseId,
    },
    /// The last case lets go: it is being taken off.
    ComingOff {
        /// The case.
        case_id: CaseId,
    },
    /// It was read back as off.
    TakenOff,
    /// It was found to be missing or changed.
    Tampered {
        /// What was read, for people.
        seen: String,
    },
    /// It was put on again, and read back.
    Reapplied,
    /// What it restricts was seen to be denied, or nothing was allowed for long enough.
    Effective {
        /// By what it is known, for people.
        by: String,
    },
    /// People were reminded that it is on.
    Reminded {
        /// How often so far, this one included.
        nth: u32,
    },
}

/// Where a restriction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the events' names")]
pub enum RestrictionState {
    Claimed,
    On,
    Tampered,
    ComingOff,
    Off,
}

/// A restriction as its events left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// Its id.
    pub id: RestrictionId,
    /// How many events it has: what the next append expects.
    pub seq: u64,
    /// Whom it restricts.
    pub principal: Principal,
    /// In which form.
    pub step: StepKind,
    /// The call that puts it on.
    pub call: Call,
    /// The call that takes it off.
    pub undo: Option<Call>,
    /// Where it stands.
    pub state: RestrictionState,
    /// The cases that hold it, oldest first.
    pub holders: Vec<CaseId>,
    /// When it was first read back as on.
    pub applied_at: Option<Timestamp>,
    /// When it was known to be effective.
    pub effective_at: Option<Timestamp>,
    /// How often people were reminded of it.
    pub reminders: u32,
    /// When its last event was.
    pub updated_at: Timestamp,
}

/// How far a restriction's effect is known, as the case that put it on is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Effect {
    /// It was read back; AWS may take minutes to enforce it everywhere.
    Applied,
    /// It was seen to be enforced.
    Effective {
        /// By what that is known.
        by: String,
    },
    /// Calls still succeed although it is on.
    NotEffective {
        /// What was seen.
        seen: String,
    },
    /// Somebody took it off or changed it.
    Tampered {
        /// What was read.
        seen: String,
    },
    /// It was put on again.
    Reapplied,
    /// It could not be put on again, for now.
    NotReapplied {
        /// Why.
        why: String,
    },
}

/// An event that cannot follow what came before it: the journal is damaged, or sluicegate has a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("restriction {id}: event {kind} cannot follow event {seq}")]
pub struct Misplaced {
    id: String,
    kind: &'static str,
    seq: u64,
}

impl Restriction {
    /// Whether it is on, or about to be, and all that `wanted` would do to a session that was issued at `issued`.
    pub fn covers(&self, wanted: &Call, issued: Option<Timestamp>) -> bool {
        let held = matches!(self.state, RestrictionState::Claimed | RestrictionState::On | RestrictionState::Tampered);
        let does = match (&self.call, wanted) {
            (Call::PutPolicy { deny, .. }, Call::PutPolicy { deny: wanted, .. }) => deny.covers(wanted, issued),
            (Call::SetAccessKeys { keys, active, .. }, Call::SetAccessKeys { keys: wanted, active: as_wanted, .. }) => {
                active == as_wanted && wanted.iter().all(|key| keys.contains(key))
            }
            (Call::AttachPolicy { policy_arn, .. }, Call::AttachPolicy { policy_arn: wanted, .. }) => {
                policy_arn == wanted
            }
            (Call::Tag { .. }, Call::Tag { .. }) => true,
            _ => false,
        };
        held && does && self.call.principal() == wanted.principal()
    }

    /// The restriction after `events`, oldest first; `None` where there are none.
    pub fn fold<'e>(
        id: &RestrictionId,
        events: impl IntoIterator<Item = (&'e RestrictionEvent, Timestamp)>,
    ) -> Result<Option<Self>, Misplaced> {
        let mut folded: Option<Self> = None;
        for (event, at) in events {
            let seq = folded.as_ref().map_or(0, |restriction| restriction.seq);
            let misplaced = || Misplaced { id: id.0.clone(), kind: event.kind(), seq };
            folded = Some(match (folded, event) {
                (None, RestrictionEvent::Claimed { .. }) => Self::claimed(id, event, at).ok_or_else(misplaced)?,
                // What was off can be put on anew.
                (Some(off), RestrictionEvent::Claimed { .. }) if off.state == RestrictionState::Off => {
                    let anew = Self::claimed(id, event, at).ok_or_else(misplaced)?;
                    Self { seq: off.seq + 1, ..anew }
                }
                (None, _) => return Err(misplaced()),
                (Some(mut restriction), _) => {
                    if !restriction.apply(event, at) {
                        return Err(misplaced());
                    }
                    restriction.seq += 1;
                    restriction.updated_at = at;
                    restriction
                }
            });
        }
        Ok(folded)
    }

    fn claimed(id: &RestrictionId, event: &RestrictionEvent, at: Timestamp) -> Option<Self> {
        let RestrictionEvent::Claimed { case_id, principal, step, call, undo } = event else {
            return None;
        };
        Some(Self {
            id: id.clone(),
            seq: 1,
            principal: principal.clone(),
            step: *step,
            call: call.clone(),
            undo: undo.clone(),
            state: RestrictionState::Claimed,
            holders: vec![case_id.clone()],
            applied_at: None,
            effective_at: None,
            reminders: 0,
            updated_at: at,
        })
    }

    /// Applies one more event; `false` where it cannot follow.
    fn apply(&mut self, event: &RestrictionEvent, at: Timestamp) -> bool {
        use RestrictionState::{Claimed, ComingOff, Off, On, Tampered};
        match (event, self.state) {
            (RestrictionEvent::Applied, Claimed) => {
                self.state = On;
                self.applied_at = Some(at);
            }
            (RestrictionEvent::Joined { case_id }, Claimed | On | Tampered) => {
                self.holders.retain(|holder| holder != case_id);
                self.holders.push(case_id.clone());
            }
            (RestrictionEvent::LetGo { case_id }, Claimed | On | Tampered) if self.holders.len() > 1 => {
                self.holders.retain(|holder| holder != case_id);
            }
            (RestrictionEvent::ComingOff { case_id }, Claimed | On | Tampered) => {
                self.holders.retain(|holder| holder != case_id);
                self.state = ComingOff;
                return self.holders.is_empty();
            }
            (RestrictionEvent::TakenOff, ComingOff) => self.state = Off,
            (RestrictionEvent::Tampered { .. }, On) => self.state = Tampered,
            (RestrictionEvent::Reapplied, Tampered) => self.state = On,
            (RestrictionEvent::Effective { .. }, On | Tampered) => self.effective_at = Some(at),
            (RestrictionEvent::Reminded { nth }, On | Tampered) => self.reminders = *nth,
            _ => return false,
        }
        true
    }
}

impl RestrictionEvent {
    /// The `type` that the journal stores it under.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "claimed",
            Self::Applied => "applied",
            Self::Joined { .. } => "joined",
            Self::LetGo { .. } => "let_go",
            Self::ComingOff { .. } => "coming_off",
            Self::TakenOff => "taken_off",
            Self::Tampered { .. } => "tampered",
            Self::Reapplied => "reapplied",
            Self::Effective { .. } => "effective",
            Self::Reminded { .. } => "reminded",
        }
    }
}
