//! The inline policy that denies: its document, byte for byte.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which sessions are denied by the time they were issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cutoff {
    /// Those issued before the vote that passes. Only in a plan: before the call is made it becomes `At`.
    Decision,
    /// Those issued before this time, in whole seconds.
    At(Timestamp),
}

/// What an inline policy denies: everything, to all who fit. With neither condition: to the whole principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Deny {
    /// `aws:userid`: the role's id, a colon, and the session's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// `aws:TokenIssueTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<Cutoff>,
}

impl Deny {
    /// The same with its cut-off fixed at the decision's time: the second after it, so that what was issued within it
    /// is denied too.
    pub fn decided(self, at: Timestamp) -> Self {
        let next = Timestamp::from_second(at.as_second() + 1).unwrap_or(at);
        let issued_before = self.issued_before.map(|cutoff| match cutoff {
            Cutoff::Decision => Cutoff::At(next),
            fixed @ Cutoff::At(_) => fixed,
        });
        Self { issued_before, ..self }
    }

    /// To whom it is denied, but for the times: the session, or `*` for the whole principal.
    pub fn scope(&self) -> &str {
        match (&self.user_id, self.issued_before) {
            (Some(user_id), _) => user_id,
            (None, Some(_)) => "sessions",
            (None, None) => "*",
        }
    }

    /// Whether this, which is on, denies all that `wanted` would to a session that was issued at `issued`.
    pub fn covers(&self, wanted: &Self, issued: Option<Timestamp>) -> bool {
        let times = match (self.issued_before, wanted.issued_before) {
            (None, _) => true,
            (Some(Cutoff::At(until)), Some(_)) => issued.is_some_and(|issued| issued < until),
            (Some(_), _) => false,
        };
        self.user_id == wanted.user_id && times
    }

    /// For people: what is denied to whom.
    pub fn describe(&self) -> String {
        let mut who = Vec::new();
        who.extend(self.user_id.as_ref().map(|id| format!("aws:userid = {id}")));
        who.extend(self.issued_before.map(|cutoff| match cutoff {
            Cutoff::Decision => "aws:TokenIssueTime before the deciding vote".to_owned(),
            Cutoff::At(time) => format!("aws:TokenIssueTime before {time}"),
        }));
        if who.is_empty() { "Deny *".to_owned() } else { format!("Deny * where {}", who.join(" and ")) }
    }

    /// The policy document; `None` while its cut-off is not fixed. It is written out by hand: what one version put on, the
    /// next must know again byte for byte.
    pub fn document(&self) -> Option<String> {
        let mut conditions = Vec::new();
        if let Some(user_id) = &self.user_id {
            let user_id = serde_json::Value::from(user_id.as_str());
            conditions.push(format!(r#""StringEquals":{{"aws:userid":{user_id}}}"#));
        }
        match self.issued_before {
            Some(Cutoff::Decision) => return None,
            Some(Cutoff::At(time)) => {
                conditions.push(format!(r#""DateLessThan":{{"aws:TokenIssueTime":"{time}"}}"#));
            }
            None => {}
        }
        let condition = match conditions.join(",") {
            none if none.is_empty() => String::new(),
            all => format!(r#","Condition":{{{all}}}"#),
        };
        let statement = format!(r#"{{"Sid":"Sluicegate","Effect":"Deny","Action":"*","Resource":"*"{condition}}}"#);
        Some(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
    }
}
