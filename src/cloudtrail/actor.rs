//! Who made a call: `userIdentity` and the caller's circumstances, reduced to what can be relied on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `userIdentity.type`. What CloudTrail does not name, or names in a way not listed here, is `Unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "CloudTrail's own names")]
pub enum PrincipalKind {
    AssumedRole,
    Role,
    #[serde(rename = "IAMUser")]
    IamUser,
    Root,
    #[serde(rename = "AWSService")]
    AwsService,
    #[serde(rename = "AWSAccount")]
    AwsAccount,
    FederatedUser,
    #[serde(rename = "SAMLUser")]
    SamlUser,
    WebIdentityUser,
    IdentityCenterUser,
    Directory,
    #[default]
    Unknown,
}

impl PrincipalKind {
    /// The kind of this name.
    pub fn named(text: &str) -> Self {
        match text {
            "AssumedRole" => Self::AssumedRole,
            "Role" => Self::Role,
            "IAMUser" => Self::IamUser,
            "Root" => Self::Root,
            "AWSService" => Self::AwsService,
            "AWSAccount" => Self::AwsAccount,
            "FederatedUser" => Self::FederatedUser,
            "SAMLUser" => Self::SamlUser,
            "WebIdentityUser" => Self::WebIdentityUser,
            "IdentityCenterUser" => Self::IdentityCenterUser,
            "Directory" => Self::Directory,
            _ => Self::Unknown,
        }
    }
}

/// The caller. Fields that CloudTrail left out hold `""` (`false`, `None`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// `userIdentity.arn` as it stood.
    pub arn: String,
    /// The role's or user's IAM ARN with its path, `arn:aws:iam::A:root` for root; `""` where it cannot be told for
    /// certain (an STS ARN alone drops the role's path). Policy allows on this and on nothing else.
    pub principal_arn: String,
    /// Why `principal_arn` is empty, for people; `""` where it is not.
    pub unidentified: String,
    /// The session's name; for a role, what follows `:` in `principalId` and the last part of the STS ARN.
    pub session_name: String,
    /// The principal's account.
    pub account: String,
    /// `principalId`, for example `AROA…:session`.
    pub principal_id: String,
    /// `sessionContext.sessionIssuer.principalId`: the id of the role or user that a session was issued by.
    pub issuer_id: String,
    /// `accessKeyId`.
    pub access_key_id: String,
    /// The service that made the call for the principal, for example `cloudformation.amazonaws.com`.
    pub invoked_by: String,
    /// `sourceIPAddress`: an address, or a service's host name.
    pub source_ip: String,
    /// Chosen by the caller.
    pub user_agent: String,
    /// `sessionContext.attributes.mfaAuthenticated`.
    pub mfa: bool,
    /// `sessionCredentialFromConsole`.
    pub console: bool,
    /// `sessionContext.attributes.creationDate`: when the session was issued.
    pub issued_at: Option<Timestamp>,
}
