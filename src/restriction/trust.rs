//! Who may assume a role, by its trust policy: that tells whether a session's name stays the same.

use serde_json::Value;

/// Who may assume a role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assumers {
    /// Services, by name: `lambda.amazonaws.com`.
    pub services: Vec<String>,
    /// Principals of AWS: accounts, roles, users; anybody.
    pub principals: Vec<String>,
    /// Identity providers.
    pub providers: Vec<String>,
}

impl Assumers {
    /// Those that a trust policy names; `None` where it cannot be read, or names in a way that is not known here.
    pub fn of(trust: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(trust).ok()?;
        let mut all = Self::default();
        for statement in list(&document["Statement"]) {
            if statement["Effect"] != "Allow" {
                continue;
            }
            match &statement["Principal"] {
                Value::String(anybody) => all.principals.push(anybody.clone()),
                Value::Object(kinds) => {
                    for (kind, names) in kinds {
                        let names = list(names).into_iter().filter_map(|name| name.as_str().map(str::to_owned));
                        match kind.as_str() {
                            "Service" => all.services.extend(names),
                            "AWS" => all.principals.extend(names),
                            "Federated" => all.providers.extend(names),
                            _ => return None,
                        }
                    }
                }
                _ => return None,
            }
        }
        Some(all)
    }

    /// Only principals of AWS: whoever assumes the role gives the session its name, and can give it another.
    pub fn name_their_sessions(&self) -> bool {
        !self.principals.is_empty() && self.services.is_empty() && self.providers.is_empty()
    }
}

/// An element, or the elements of a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_the_sessions() {
        let trust = |principal: &str| {
            let text = format!(
                r#"{{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {principal}}}}}"#
            );
            Assumers::of(&text).map(|all| all.name_their_sessions())
        };
        assert_eq!(trust(r#"{"AWS": "arn:aws:iam::111122223333:root"}"#), Some(true));
        assert_eq!(trust(r#""*""#), Some(true));
        assert_eq!(trust(r#"{"Service": ["ec2.amazonaws.com"]}"#), Some(false));
        assert_eq!(trust(r#"{"AWS": "*", "Service": "lambda.amazonaws.com"}"#), Some(false));
        assert_eq!(trust(r#"{"Federated": "arn:aws:iam::111122223333:saml-provider/x"}"#), Some(false));
        assert_eq!(trust(r#"{"CanonicalUser": "x"}"#), None);
        assert_eq!(Assumers::of("no json"), None);
    }
}
