//! IAM, of any account. It has no regions that matter here.

use super::{Acknowledged, CallError};
use crate::restriction::{AccessKey, Principal};
use async_trait::async_trait;

/// A role or user as IAM has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalRead {
    /// `RoleId` or `UserId`.
    pub id: String,
    /// The ARN, with its path.
    pub arn: String,
    /// For a role: its trust policy, a JSON document, decoded; else `""`.
    pub trust: String,
    /// Its tags: key and value.
    pub tags: Vec<(String, String)>,
}

/// IAM. What the principal is is told by its type and name; its id is for the caller to compare.
///
/// Every change may be repeated: the second has no further effect. `NotFound`: there is no such principal, or no such
/// policy, attachment or key on it.
#[async_trait]
pub trait Iam: Send + Sync {
    /// `GetRole` or `GetUser`; `None`: there is none of that name.
    async fn principal(&self, who: &Principal) -> Result<Option<PrincipalRead>, CallError>;

    /// `GetRolePolicy` or `GetUserPolicy`: the document, decoded, byte for byte; `None`: there is no such policy.
    async fn inline_policy(&self, who: &Principal, name: &str) -> Result<Option<String>, CallError>;

    /// How many characters, white space not counted, all inline policies of the principal have together: what IAM's
    /// quota is on.
    async fn inline_size(&self, who: &Principal) -> Result<usize, CallError>;

    /// `PutRolePolicy` or `PutUserPolicy`. It overwrites a policy of that name: look first.
    async fn put_inline_policy(&self, who: &Principal, name: &str, document: &str) -> Result<Acknowledged, CallError>;

    /// `DeleteRolePolicy` or `DeleteUserPolicy`.
    async fn delete_inline_policy(&self, who: &Principal, name: &str) -> Result<Acknowledged, CallError>;

    /// `ListAttachedRolePolicies` or `ListAttachedUserPolicies`, all pages: their ARNs.
    async fn attached(&self, who: &Principal) -> Result<Vec<String>, CallError>;

    /// `AttachRolePolicy` or `AttachUserPolicy`.
    async fn attach(&self, who: &Principal, policy_arn: &str) -> Result<Acknowledged, CallError>;

    /// `DetachRolePolicy` or `DetachUserPolicy`.
    async fn detach(&self, who: &Principal, policy_arn: &str) -> Result<Acknowledged, CallError>;

    /// `ListAccessKeys`, all pages; none for a role.
    async fn access_keys(&self, who: &Principal) -> Result<Vec<AccessKey>, CallError>;

    /// `UpdateAccessKey`.
    async fn set_access_key(&self, who: &Principal, key_id: &str, active: bool) -> Result<Acknowledged, CallError>;

    /// `ListRoleTags` or `ListUserTags`, all pages.
    async fn tags(&self, who: &Principal) -> Result<Vec<(String, String)>, CallError>;

    /// `TagRole` or `TagUser`.
    async fn tag(&self, who: &Principal, tags: &[(String, String)]) -> Result<Acknowledged, CallError>;

    /// `UntagRole` or `UntagUser`.
    async fn untag(&self, who: &Principal, keys: &[String]) -> Result<Acknowledged, CallError>;

    /// `SimulatePrincipalPolicy`: those of `actions` that the principal's policies allow on `resource`. Changes nothing.
    async fn allowed(&self, who: &Principal, actions: &[&str], resource: &str) -> Result<Vec<String>, CallError>;
}
