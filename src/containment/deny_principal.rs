//! `deny_principal`: an inline policy that denies everything to the whole user or role.

/// What it costs, for people.
pub(super) const SIDE_EFFECTS: &str = "everything that runs as this user or role stops, in every session, until it is \
    lifted";
