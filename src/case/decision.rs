//! What people decide.

use crate::policy::ApproveAction;
use serde::{Deserialize, Serialize};

/// What people can decide about a case. The names are those of buttons, commands and votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Let it run.
    Leave,
    /// It stays disabled.
    Keep,
    /// Disable it now.
    Disable,
    /// Freeze the function and disable the mapping now.
    Freeze,
    /// Delete the mapping.
    Delete,
    /// Delete the mapping and restrict the credentials behind it; nothing before both are approved.
    DeleteRestrict,
    /// Undo what was done: mapping and function as they were. Restrictions stay.
    Restore,
    /// Take the restriction of credentials off.
    Lift,
}

impl Decision {
    /// Every decision, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Leave,
        Self::Keep,
        Self::Disable,
        Self::Freeze,
        Self::Delete,
        Self::DeleteRestrict,
        Self::Restore,
        Self::Lift,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Keep => "keep",
            Self::Disable => "disable",
            Self::Freeze => "freeze",
            Self::Delete => "delete",
            Self::DeleteRestrict => "delete_restrict",
            Self::Restore => "restore",
            Self::Lift => "lift",
        }
    }

    /// Whether all that it does can be taken back.
    pub fn is_reversible(self) -> bool {
        !matches!(self, Self::Delete | Self::DeleteRestrict)
    }

    /// What policy must permit for it.
    pub fn needs(self) -> &'static [ApproveAction] {
        match self {
            Self::Leave => &[ApproveAction::Leave],
            Self::Keep => &[ApproveAction::Keep],
            Self::Disable => &[ApproveAction::Disable],
            Self::Freeze => &[ApproveAction::Freeze],
            Self::Delete => &[ApproveAction::Delete],
            Self::DeleteRestrict => &[ApproveAction::Delete, ApproveAction::Restrict],
            Self::Restore => &[ApproveAction::Restore],
            Self::Lift => &[ApproveAction::Lift],
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|decision| decision.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("{text:?} is no decision of this version: {known}")
        })
    }
}
