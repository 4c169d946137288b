//! Roles, users and their keys.

use serde_json::{Value, json};

use super::{Account, Credentials, failed, lacking};
use crate::error::SandboxError;

/// A policy that allows these actions on everything.
pub fn allow(actions: &[&str]) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
    })
}

/// What a responder needs of IAM to restrict credentials, in every form, and to take it off again.
pub const RESTRICTING: [&str; 24] = [
    "iam:GetRole",
    "iam:GetUser",
    "iam:ListRolePolicies",
    "iam:ListUserPolicies",
    "iam:GetRolePolicy",
    "iam:GetUserPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:ListAccessKeys",
    "iam:UpdateAccessKey",
    "iam:ListRoleTags",
    "iam:ListUserTags",
    "iam:TagRole",
    "iam:TagUser",
    "iam:UntagRole",
    "iam:UntagUser",
];

impl Account {
    /// Creates a managed policy that denies everything, and returns its ARN: the emulator knows AWS's own by name only.
    pub async fn create_deny_all(&self, name: &str) -> Result<String, SandboxError> {
        let deny = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*" }],
        });
        let made = self.iam.create_policy().policy_name(name).policy_document(deny.to_string());
        let made = made.send().await.map_err(failed("CreatePolicy"))?;
        let arn = made.policy().and_then(|policy| policy.arn()).map(str::to_owned);
        arn.ok_or_else(|| lacking("CreatePolicy", "policy ARN"))
    }

    /// All that IAM has of a role that decides what it may do: its inline policies, what is attached to it, its tags.
    pub async fn role_as_it_is(&self, name: &str) -> Result<Value, SandboxError> {
        let listed = self.iam.list_role_policies().role_name(name).send().await.map_err(failed("ListRolePolicies"))?;
        let mut policies = Vec::new();
        for policy in listed.policy_names() {
            let read = self.iam.get_role_policy().role_name(name).policy_name(policy).send().await;
            let read = read.map_err(failed("GetRolePolicy"))?;
            policies.push(json!([policy, read.policy_document()]));
        }
        let attached = self.iam.list_attached_role_policies().role_name(name).send().await;
        let attached = attached.map_err(failed("ListAttachedRolePolicies"))?;
        let attached: Vec<_> = attached.attached_policies().iter().map(|policy| policy.policy_arn()).collect();
        let tags = self.iam.list_role_tags().role_name(name).send().await.map_err(failed("ListRoleTags"))?;
        let tags: Vec<_> = tags.tags().iter().map(|tag| json!([tag.key(), tag.value()])).collect();
        Ok(json!({ "policies": policies, "attached": attached, "tags": tags }))
    }

    /// A session of the user that this account is seen as (`GetSessionToken`).
    pub async fn session(&self) -> Result<Self, SandboxError> {
        let issued = self.sts.get_session_token().send().await.map_err(failed("GetSessionToken"))?;
        let key = issued.credentials().ok_or_else(|| lacking("GetSessionToken", "credentials"))?;
        Ok(self.with(Credentials {
            access_key_id: key.access_key_id().to_owned(),
            secret_access_key: key.secret_access_key().to_owned(),
            session_token: Some(key.session_token().to_owned()),
        }))
    }

    /// A federated session of the user that this account is seen as (`GetFederationToken`), with this policy.
    pub async fn federated(&self, name: &str, policy: &Value) -> Result<Self, SandboxError> {
        let issued = self.sts.get_federation_token().name(name).policy(policy.to_string());
        let issued = issued.send().await.map_err(failed("GetFederationToken"))?;
        let key = issued.credentials().ok_or_else(|| lacking("GetFederationToken", "credentials"))?;
        Ok(self.with(Credentials {
            access_key_id: key.access_key_id().to_owned(),
            secret_access_key: key.secret_access_key().to_owned(),
            session_token: Some(key.session_token().to_owned()),
        }))
    }

    /// Creates a role that everybody in the account and Lambda may assume, with this policy, and returns its ARN.
    ///
    /// `path` begins and ends with a slash.
    pub async fn create_role(&self, path: &str, name: &str, policy: &Value) -> Result<String, SandboxError> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "*" } },
                { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" } },
            ],
        });
        self.create_role_trusting(path, name, &trust, policy).await
    }

    /// Creates a role with this trust policy and this inline policy, and returns its ARN.
    pub async fn create_role_trusting(
        &self,
        path: &str,
        name: &str,
        trust: &Value,
        policy: &Value,
    ) -> Result<String, SandboxError> {
        let role = self.iam.create_role().path(path).role_name(name).assume_role_policy_document(trust.to_string());
        let role = role.send().await.map_err(failed("CreateRole"))?;
        let arn = role.role().map(|role| role.arn().to_owned()).ok_or_else(|| lacking("CreateRole", "role"))?;
        let put = self.iam.put_role_policy().role_name(name).policy_name("granted").policy_document(policy.to_string());
        put.send().await.map_err(failed("PutRolePolicy"))?;
        Ok(arn)
    }

    /// Assumes a role and returns the account as that session sees it.
    pub async fn assume_role(&self, role_arn: &str, session: &str) -> Result<Self, SandboxError> {
        let assumed = self.sts.assume_role().role_arn(role_arn).role_session_name(session);
        let assumed = assumed.send().await.map_err(failed("AssumeRole"))?;
        let key = assumed.credentials().ok_or_else(|| lacking("AssumeRole", "credentials"))?;
        Ok(self.with(Credentials {
            access_key_id: key.access_key_id().to_owned(),
            secret_access_key: key.secret_access_key().to_owned(),
            session_token: Some(key.session_token().to_owned()),
        }))
    }

    /// Creates a user with this inline policy and an access key, and returns the account as that user sees it.
    pub async fn create_user(&self, path: &str, name: &str, policy: &Value) -> Result<Self, SandboxError> {
        self.iam.create_user().path(path).user_name(name).send().await.map_err(failed("CreateUser"))?;
        let put = self.iam.put_user_policy().user_name(name).policy_name("granted").policy_document(policy.to_string());
        put.send().await.map_err(failed("PutUserPolicy"))?;
        let made = self.iam.create_access_key().user_name(name).send().await.map_err(failed("CreateAccessKey"))?;
        let key = made.access_key().ok_or_else(|| lacking("CreateAccessKey", "access key"))?;
        Ok(self.with(Credentials {
            access_key_id: key.access_key_id().to_owned(),
            secret_access_key: key.secret_access_key().to_owned(),
            session_token: None,
        }))
    }
}
