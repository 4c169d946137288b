//! Who somebody is to AWS: a role with or without a session, a user, or root.

/// One way in which a person comes: an entry of `aws = […]`, or a team's IAM ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Identity {
    /// The ARN as written.
    pub(in crate::policy) arn: String,
    pub(in crate::policy) at: usize,
    account: String,
    readings: Vec<Reading>,
}

/// What an ARN can mean. Role names are unique in an account whatever their path, so the name alone tells the role.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    Role(String),
    Session(String, String),
    User(String),
}

/// Somebody in a person's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::policy) struct PersonEntry {
    pub(in crate::policy) slack: String,
    pub(in crate::policy) aws: Vec<Identity>,
    pub(in crate::policy) email: String,
    pub(in crate::policy) at: usize,
}

impl Identity {
    /// Reads an ARN. Which part of `role/A/B` is the session cannot always be told:
    /// - `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` says it, and `role/NAME` has none;
    /// - what follows a name that begins with `AWSReservedSSO_` is a session;
    /// - a last part with `@` in it is a session;
    /// - else both are taken: the role `B`, and the session `B` of the role `A`.
    pub(in crate::policy) fn parse(arn: &str, at: usize) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", _, service, "", account, resource] = parts.as_slice() else {
            return None;
        };
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) || arn.contains('*') {
            return None;
        }
        let segments: Vec<&str> = resource.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let session = |role: &str, session: &str| Reading::Session(role.to_owned(), session.to_owned());
        let readings = match (service, segments.as_slice()) {
            ("sts", ["assumed-role", role]) => vec![Reading::Role((*role).to_owned())],
            ("sts", ["assumed-role", role, name]) => vec![session(role, name)],
            ("iam", ["user", .., name]) => vec![Reading::User((*name).to_owned())],
            ("iam", ["role", name]) => vec![Reading::Role((*name).to_owned())],
            ("iam", ["role", .., role, name]) if role.starts_with("AWSReservedSSO_") || name.contains('@') => {
                vec![session(role, name)]
            }
            ("iam", ["role", .., _, name]) if name.starts_with("AWSReservedSSO_") => {
                vec![Reading::Role((*name).to_owned())]
            }
            ("iam", ["role", .., role, name]) => vec![Reading::Role((*name).to_owned()), session(role, name)],
            _ => return None,
        };
        Some(Self { arn: arn.to_owned(), at, account: account.to_owned(), readings })
    }

    /// Where the ARN can be read in two ways: how to write each for certain.
    pub(in crate::policy) fn ambiguity(&self) -> Option<String> {
        let [Reading::Role(_), Reading::Session(role, session)] = self.readings.as_slice() else {
            return None;
        };
        let account = &self.account;
        Some(format!(
            "write arn:aws:sts::{account}:assumed-role/{role}/{session} for that session, \
             or arn:aws:iam::{account}:role/{session} for that role"
        ))
    }

    /// The role where a session is as possible: a team takes in all who act as a role, and nobody by a guess.
    pub(in crate::policy) fn without_guess(mut self) -> Self {
        if self.ambiguity().is_some() {
            self.readings.truncate(1);
        }
        self
    }

    /// How well it fits: a session is more than a role. `None` where it does not.
    pub(in crate::policy) fn fits(&self, caller: &Caller) -> Option<u8> {
        if caller.account != self.account {
            return None;
        }
        let fit = |reading: &Reading| match reading {
            Reading::Session(role, session) if caller.is_role(role) && caller.session == *session => Some(2),
            Reading::Role(role) if caller.is_role(role) => Some(1),
            Reading::User(user) if !caller.role && caller.name == *user => Some(2),
            Reading::Session(..) | Reading::Role(_) | Reading::User(_) => None,
        };
        self.readings.iter().filter_map(fit).max()
    }

    /// The session that it names.
    pub(in crate::policy) fn session(&self) -> Option<&str> {
        match self.readings.as_slice() {
            [Reading::Session(_, session)] => Some(session),
            _ => None,
        }
    }
}

/// Somebody as AWS names them: `GetCallerIdentity`'s answer, or a finding's actor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::policy) struct Caller {
    pub(in crate::policy) account: String,
    /// A role's name or a user's, without its path; `root`.
    pub(in crate::policy) name: String,
    /// Whether it is a role.
    pub(in crate::policy) role: bool,
    /// `""` where there is none.
    pub(in crate::policy) session: String,
}

impl Caller {
    /// Reads an STS or IAM ARN that names a role's session, a role, a user or root.
    pub(in crate::policy) fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", _, service, "", account, resource] = parts.as_slice() else {
            return None;
        };
        let caller = |role: bool, name: &str, session: &str| Self {
            account: account.to_owned(),
            name: name.to_owned(),
            role,
            session: session.to_owned(),
        };
        match (service, resource.split('/').collect::<Vec<_>>().as_slice()) {
            ("sts", ["assumed-role", role, session]) => Some(caller(true, role, session)),
            ("sts", ["assumed-role", role]) => Some(caller(true, role, "")),
            ("iam", ["role", .., name]) => Some(caller(true, name, "")),
            ("iam", ["user", .., name]) => Some(caller(false, name, "")),
            ("iam", ["root"]) => Some(caller(false, "root", "")),
            _ => None,
        }
        .filter(|caller| !caller.name.is_empty() && !caller.account.is_empty())
    }

    fn is_role(&self, name: &str) -> bool {
        self.role && self.name == name
    }

    /// The same role, user or root, whatever the session.
    pub(in crate::policy) fn is_principal_of(&self, other: &Self) -> bool {
        self.account == other.account && self.role == other.role && self.name == other.name
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn fits(identity: &str, caller: &str) -> Option<u8> {
        let identity = Identity::parse(identity, 0).unwrap();
        identity.fits(&Caller::parse(caller).unwrap())
    }

    const SSO: &str = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_01";

    #[test]
    fn sso_sessions_are_told_from_roles() {
        let alice = format!("{SSO}/alice");
        let caller = |who| format!("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_01/{who}");
        assert_eq!(fits(&alice, &caller("alice")), Some(2));
        assert_eq!(fits(&alice, &caller("bob")), None);
        assert_eq!(fits(SSO, &caller("bob")), Some(1));
        assert!(Identity::parse(&alice, 0).unwrap().ambiguity().is_none());
    }

    #[test]
    fn an_ambiguous_arn_is_read_both_ways_and_says_so() {
        let arn = "arn:aws:iam::111122223333:role/ops/alice";
        assert_eq!(fits(arn, "arn:aws:sts::111122223333:assumed-role/ops/alice"), Some(2));
        assert_eq!(fits(arn, "arn:aws:sts::111122223333:assumed-role/alice/any"), Some(1));
        assert_eq!(fits(arn, "arn:aws:sts::111122223333:assumed-role/ops/bob"), None);
        assert!(Identity::parse(arn, 0).unwrap().ambiguity().unwrap().contains(":assumed-role/ops/alice"));
    }

    #[test]
    fn roles_and_users_of_one_name_are_two() {
        assert_eq!(fits("arn:aws:iam::111122223333:user/x", "arn:aws:sts::111122223333:assumed-role/x/s"), None);
        assert_eq!(fits("arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:user/x"), None);
        assert_eq!(fits("arn:aws:iam::111122223333:user/p/x", "arn:aws:iam::111122223333:user/p/x"), Some(2));
        assert_eq!(fits("arn:aws:iam::111122223333:role/x", "arn:aws:sts::444455556666:assumed-role/x/s"), None);
    }

    #[test]
    fn what_names_nobody_is_no_identity() {
        for arn in [
            "alice",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::111122223333:group/x",
            "arn:aws:iam:eu-west-1:111122223333:role/x",
        ] {
            assert!(Identity::parse(arn, 0).is_none(), "{arn}");
        }
    }
}
