//! Patterns for principals: the IAM ARNs of roles and users, with their paths.

use super::glob::Glob;

/// What is wrong with a pattern, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) suggestion: String,
}

fn wrong<T>(message: impl Into<String>, suggestion: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { message: message.into(), suggestion: suggestion.into() })
}

const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// A pattern that can match a principal's IAM ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrincipalPattern {
    pub(crate) glob: Glob,
    /// The account as written; may hold `*`.
    pub(crate) account: String,
    /// What follows the account: `role/ci/deployer`.
    pub(crate) resource: String,
}

impl PrincipalPattern {
    /// Reads a pattern, refusing any that can match no principal at all.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        if text.chars().all(|c| c == '*') {
            return wrong(
                format!("principal `{text}` is everybody"),
                "name a role or a user: arn:aws:iam::111122223333:role/ci/deployer",
            );
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &[scheme, partition, service, region, account, resource] = parts.as_slice() else {
            return wrong(
                format!("`{text}` is no ARN"),
                "write arn:aws:iam::ACCOUNT:role/PATH/NAME or arn:aws:iam::ACCOUNT:user/NAME",
            );
        };
        if scheme != "arn" {
            return wrong(format!("`{text}` is no ARN"), "an ARN begins with `arn:`");
        }
        if service == "sts" || resource.starts_with("assumed-role/") {
            return wrong(
                format!("`{text}` is a session's ARN, which never matches: policy looks at the role behind it"),
                role_behind(account, resource),
            );
        }
        let partition_glob = Glob::path(partition);
        if !PARTITIONS.iter().any(|known| partition_glob.matches(known)) {
            return wrong(format!("`{text}`: there is no partition `{partition}`"), "write `aws`");
        }
        if service != "iam" {
            return wrong(
                format!("`{text}`: principals are of the service `iam`, not `{service}`"),
                "write arn:aws:iam::ACCOUNT:role/NAME",
            );
        }
        if !region.is_empty() {
            return wrong(
                format!("`{text}`: an IAM ARN has no region, so this matches nobody"),
                format!("write arn:{partition}:iam::{account}:{resource}"),
            );
        }
        check_account(text, account)?;
        check_resource(text, account, resource)?;
        Ok(Self { glob: Glob::path(text), account: account.to_owned(), resource: resource.to_owned() })
    }

    /// Whether it says which role or user by at least some text of its path or name.
    pub(super) fn names_somebody(&self) -> bool {
        self.literal_length() > 0
    }

    /// How many characters of path and name are literal.
    pub(super) fn literal_length(&self) -> usize {
        let named = self.resource.split_once('/').map_or("root", |(_, rest)| rest);
        named.chars().filter(|c| !matches!(c, '*' | '/')).count()
    }

    pub(super) fn is_root(&self) -> bool {
        self.resource == "root"
    }

    pub(super) fn matches(&self, principal_arn: &str) -> bool {
        !principal_arn.is_empty() && self.glob.matches(principal_arn)
    }
}

/// Whether an entry can name exactly this role or user.
pub(crate) fn is_principal(arn: &str) -> bool {
    PrincipalPattern::parse(arn).is_ok_and(|pattern| pattern.glob.is_literal() && pattern.names_somebody())
}

fn check_account(text: &str, account: &str) -> Result<(), Wrong> {
    if account.is_empty() {
        return wrong(format!("`{text}` names no account"), "put twelve digits, or `*`, before the resource");
    }
    let digits = account.chars().filter(char::is_ascii_digit).count();
    let stars = account.chars().filter(|c| *c == '*').count();
    let fits = if stars == 0 { digits == 12 } else { digits <= 12 };
    if digits + stars != account.len() || !fits {
        return wrong(
            format!("`{text}`: `{account}` is no account, so this matches nobody"),
            "an account has twelve digits",
        );
    }
    Ok(())
}

fn check_resource(text: &str, account: &str, resource: &str) -> Result<(), Wrong> {
    if resource == "root" {
        return Ok(());
    }
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    if !matches!(kind, "role" | "user") {
        return wrong(
            format!("`{text}`: a principal is a `role/…`, a `user/…` or `root`, not `{resource}`"),
            format!("write arn:aws:iam::{account}:role/NAME"),
        );
    }
    if rest.is_empty() || rest.ends_with('/') || rest.starts_with('/') || rest.contains("//") {
        return wrong(
            format!("`{text}` lacks the name of the {kind}, so this matches nobody"),
            format!("write arn:aws:iam::{account}:{kind}/NAME, or {kind}/PATH/* for all under a path"),
        );
    }
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, ':' | '?' | '[' | ']' | '{' | '}');
    if let Some(bad) = rest.chars().find(|c| !allowed(*c)) {
        return wrong(format!("`{text}`: no {kind} has `{bad}` in its name"), "`*` and `**` are the only wildcards");
    }
    Ok(())
}

fn role_behind(account: &str, resource: &str) -> String {
    let mut parts = resource.split('/');
    let role = match parts.next() {
        Some("assumed-role") => parts.next().unwrap_or("NAME"),
        _ => "NAME",
    };
    format!("write the role with its path, arn:aws:iam::{account}:role/{role}, and the session under `sessions`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_can_match_is_taken() {
        for text in [
            "arn:aws:iam::111122223333:role/ci/deployer",
            "arn:aws:iam::*:role/terraform/*",
            "arn:aws-cn:iam::1111*:user/a@b.c",
            "arn:*:iam::111122223333:role/**/x",
            "arn:aws:iam::111122223333:root",
        ] {
            assert!(PrincipalPattern::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_never_matches_is_refused() {
        for (text, told) in [
            ("*", "everybody"),
            ("**", "everybody"),
            ("role/x", "no ARN"),
            ("ARN:aws:iam::111122223333:role/x", "no ARN"),
            ("arn:aws:sts::111122223333:assumed-role/x/s", "session's ARN"),
            ("arn:amazon:iam::111122223333:role/x", "no partition `amazon`"),
            ("arn:aws:s3::111122223333:role/x", "not `s3`"),
            ("arn:aws:iam:eu-west-1:111122223333:role/x", "no region"),
            ("arn:aws:iam:::role/x", "no account"),
            ("arn:aws:iam::11112222333:role/x", "`11112222333` is no account"),
            ("arn:aws:iam::111122223333:role", "lacks the name"),
            ("arn:aws:iam::111122223333:role/", "lacks the name"),
            ("arn:aws:iam::111122223333:role/ci/", "lacks the name"),
            ("arn:aws:iam::111122223333:group/x", "not `group/x`"),
            ("arn:aws:iam::111122223333:*", "not `*`"),
            ("arn:aws:iam::111122223333:role/a b", "has ` `"),
            ("arn:aws:iam::111122223333:role/ci-?", "has `?`"),
        ] {
            let wrong = PrincipalPattern::parse(text).unwrap_err();
            assert!(wrong.message.contains(told), "{text}: {}", wrong.message);
            assert!(!wrong.suggestion.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_role_behind_a_session_is_suggested() {
        let wrong = PrincipalPattern::parse("arn:aws:sts::111122223333:assumed-role/ci/run-1").unwrap_err();
        assert!(wrong.suggestion.contains("arn:aws:iam::111122223333:role/ci"));
    }

    #[test]
    fn nobody_is_named_by_stars_alone() {
        let named = |text| PrincipalPattern::parse(text).unwrap().names_somebody();
        assert!(!named("arn:aws:iam::111122223333:role/*"));
        assert!(!named("arn:aws:iam::111122223333:role/**"));
        assert!(!named("arn:aws:iam::111122223333:user/*/*"));
        assert!(named("arn:aws:iam::*:role/terraform/*"));
        assert!(named("arn:aws:iam::111122223333:root"));
    }
}
