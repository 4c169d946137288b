//! Whether a principal could undo what is done to it.

use super::{Principal, PrincipalType, Strength};

/// By what a role could take a restriction off itself.
const OF_ROLE: [&str; 5] =
    ["iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:DetachRolePolicy", "iam:UntagRole", "iam:DeleteRole"];
/// The same for a user.
const OF_USER: [&str; 7] = [
    "iam:DeleteUserPolicy",
    "iam:PutUserPolicy",
    "iam:DetachUserPolicy",
    "iam:UpdateAccessKey",
    "iam:CreateAccessKey",
    "iam:UntagUser",
    "iam:DeleteUser",
];
/// By what it could go on as somebody else.
pub const ELSEWHERE: [&str; 6] = [
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateAssumeRolePolicy",
    "sts:AssumeRole",
];

impl Principal {
    /// The actions on itself by which it could undo a restriction.
    pub fn undoing(&self) -> &'static [&'static str] {
        match self.kind {
            PrincipalType::Role => &OF_ROLE,
            PrincipalType::User => &OF_USER,
        }
    }
}

/// The strength by those of the actions that are allowed. Denied to the principal they are too, once the denial counts
/// everywhere; it takes seconds until then, and somebody who waits for it is faster.
/// <https://github.com/OFFENSAI/notyet>
pub fn by(mut could: Vec<String>) -> Strength {
    could.sort();
    could.dedup();
    if could.is_empty() {
        return Strength::Strong {
            why: "its policies allow nothing by which it could undo it, or go on as another".into(),
        };
    }
    Strength::Weak { could }
}
