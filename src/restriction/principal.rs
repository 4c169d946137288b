//! A role or user of IAM.

use serde::{Deserialize, Serialize};

/// What kind of IAM entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "IAM's own words")]
pub enum PrincipalType {
    Role,
    User,
}

/// An IAM role or user in one account, whose credentials can be restricted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// Role or user.
    #[serde(rename = "type")]
    pub kind: PrincipalType,
    /// The IAM ARN, with its path.
    pub arn: String,
    /// The name without path: what IAM's calls take.
    pub name: String,
    /// Its account.
    pub account: String,
    /// The unique id, `AROA…` or `AIDA…`: one of the same name that was made anew has another. `""` where it is not
    /// known.
    pub id: String,
}

/// One access key of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AccessKeyId`; no secret.
    pub id: String,
    /// Whether it is `Active`.
    pub active: bool,
}

impl Principal {
    /// The principal of an IAM ARN; `None` where it names neither a role nor a user.
    pub fn parse(arn: &str, id: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", _, "iam", "", account, resource] = parts.as_slice() else {
            return None;
        };
        let (kind, path) = resource.split_once('/')?;
        let kind = match kind {
            "role" => PrincipalType::Role,
            "user" => PrincipalType::User,
            _ => return None,
        };
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        Some(Self { kind, arn: arn.to_owned(), name: name.to_owned(), account: account.to_owned(), id: id.to_owned() })
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }

    /// Its path, which begins and ends with a slash.
    pub fn path(&self) -> &str {
        let resource =
            self.arn.split_once(":role").or_else(|| self.arn.split_once(":user")).map_or("/", |(_, rest)| rest);
        resource.strip_suffix(self.name.as_str()).unwrap_or("/")
    }

    /// `role NAME`, `user NAME`.
    pub fn words(&self) -> String {
        let kind = match self.kind {
            PrincipalType::Role => "role",
            PrincipalType::User => "user",
        };
        format!("{kind} {}", self.name)
    }
}
