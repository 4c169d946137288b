//! IAM's own ARNs: a role, a user, or root.

use crate::mapping::Arn;

/// A role, user or root by its IAM ARN.
pub(super) struct Entity<'a> {
    /// `role`, `user`, `root`, …
    pub(super) kind: &'a str,
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    /// Without the path.
    pub(super) name: &'a str,
}

impl<'a> Entity<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let arn = Arn::parse(text)?;
        if arn.service != "iam" || !arn.region.is_empty() || arn.account.is_empty() {
            return None;
        }
        let (kind, path) = match arn.resource {
            "root" => ("root", "root"),
            other => other.split_once('/')?,
        };
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        // IAM's own alphabets; anything else, a wildcard above all, is no principal.
        let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
        let placed = folders.bytes().all(|b| b.is_ascii_graphic() && !b"*?".contains(&b));
        (named && placed).then_some(Self { kind, partition: arn.partition, account: arn.account, name })
    }
}
