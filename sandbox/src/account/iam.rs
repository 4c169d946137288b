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

impl Account {
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
