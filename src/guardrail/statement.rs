//! Statements of a service control policy, written as AWS takes them, and judged as AWS judges them: a condition with a
//! negated operator holds where the request lacks the key.

use super::pattern::{arn_like, like};
use crate::cloudtrail::{PrincipalKind, Verb};
use crate::detection::Finding;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// The operators that a guardrail is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Operator {
    ArnLike,
    ArnNotLike,
    Null,
    StringEquals,
    StringLike,
    StringNotEquals,
}

/// What of a request they look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Key {
    /// The role's or user's own ARN, never a session's.
    #[serde(rename = "aws:PrincipalArn")]
    PrincipalArn,
    #[serde(rename = "aws:PrincipalAccount")]
    PrincipalAccount,
    #[serde(rename = "aws:RequestedRegion")]
    RequestedRegion,
    /// The function that a request names.
    #[serde(rename = "lambda:FunctionArn")]
    FunctionArn,
}

/// One condition; any of the values makes a positive one true, all of them must be missed by a negated one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    pub(super) key: Key,
    pub(super) values: Vec<String>,
}

/// A `Deny` on everything, under conditions of which all must hold. No two have the same operator and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sid: String,
    pub(super) verbs: Vec<Verb>,
    pub(super) conditions: Vec<Condition>,
}

/// A request as conditions see it. `None`: the request lacks the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    verb: Verb,
    principal_arn: Option<String>,
    principal_account: Option<String>,
    region: Option<String>,
    function_arn: Option<String>,
}

impl Request {
    /// The request behind a finding, as far as its record tells.
    pub(super) fn of(finding: &Finding) -> Self {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let actor = &finding.actor;
        // To IAM a federated session is a principal of its own, whoever made it.
        let arn = if actor.kind == PrincipalKind::FederatedUser { &actor.arn } else { &actor.principal_arn };
        Self {
            verb: finding.call.verb,
            principal_arn: known(arn),
            principal_account: arn.split(':').nth(4).and_then(known).or_else(|| known(&actor.account)),
            region: known(&finding.region),
            function_arn: known(&finding.call.function.arn),
        }
    }

    fn value(&self, key: Key) -> Option<&str> {
        match key {
            Key::PrincipalArn => self.principal_arn.as_deref(),
            Key::PrincipalAccount => self.principal_account.as_deref(),
            Key::RequestedRegion => self.region.as_deref(),
            Key::FunctionArn => self.function_arn.as_deref(),
        }
    }
}

impl Condition {
    pub(super) fn new(operator: Operator, key: Key, values: impl IntoIterator<Item = String>) -> Self {
        Self { operator, key, values: values.into_iter().collect() }
    }

    fn is_about_principals(&self) -> bool {
        self.operator == Operator::ArnLike && self.key == Key::PrincipalArn
    }

    fn holds(&self, request: &Request) -> bool {
        let value = request.value(self.key);
        let any =
            |fits: fn(&str, &str) -> bool| value.is_some_and(|value| self.values.iter().any(|one| fits(one, value)));
        match self.operator {
            Operator::ArnLike => any(arn_like),
            Operator::ArnNotLike => !any(arn_like),
            Operator::StringEquals => any(|one, value| one == value),
            Operator::StringNotEquals => !any(|one, value| one == value),
            Operator::StringLike => any(like),
            Operator::Null => self.values.iter().all(|wanted| (wanted == "true") == value.is_none()),
        }
    }
}

impl Statement {
    /// Whether the request is denied by it.
    pub(super) fn denies(&self, request: &Request) -> bool {
        self.verbs.contains(&request.verb) && self.conditions.iter().all(|condition| condition.holds(request))
    }

    /// The principals that it is about, where it is about some alone.
    pub(super) fn narrows(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.is_about_principals())
    }

    pub(super) fn narrows_mut(&mut self) -> Option<&mut Condition> {
        self.conditions.iter_mut().find(|condition| condition.is_about_principals())
    }

    /// The characters that it takes, written without white space.
    pub(super) fn size(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX / 2, |text| text.chars().count())
    }
}

/// A single value is written without a list.
struct Values<'a>(&'a [String]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => serializer.serialize_str(one),
            all => {
                let mut list = serializer.serialize_seq(Some(all.len()))?;
                all.iter().try_for_each(|value| list.serialize_element(value))?;
                list.end()
            }
        }
    }
}

struct Conditions<'a>(&'a [Condition]);

impl Serialize for Conditions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut operators: Vec<Operator> = self.0.iter().map(|condition| condition.operator).collect();
        operators.sort_unstable();
        operators.dedup();
        let mut map = serializer.serialize_map(Some(operators.len()))?;
        for operator in operators {
            let of_it = self.0.iter().filter(|condition| condition.operator == operator);
            let keys: std::collections::BTreeMap<Key, Values<'_>> =
                of_it.map(|condition| (condition.key, Values(&condition.values))).collect();
            map.serialize_entry(&operator, &keys)?;
        }
        map.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let action = |verb: &Verb| match verb {
            Verb::Create => "lambda:CreateEventSourceMapping".to_owned(),
            Verb::Update => "lambda:UpdateEventSourceMapping".to_owned(),
        };
        let actions: Vec<String> = self.verbs.iter().map(action).collect();
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("Sid", &self.sid)?;
        map.serialize_entry("Effect", "Deny")?;
        map.serialize_entry("Action", &Values(&actions))?;
        map.serialize_entry("Resource", "*")?;
        map.serialize_entry("Condition", &Conditions(&self.conditions))?;
        map.end()
    }
}

/// One policy, as AWS takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Document<'a> {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: &'a [Statement],
}

impl<'a> Document<'a> {
    pub(super) fn of(statements: &'a [Statement]) -> Self {
        Self { version: "2012-10-17", statements }
    }
}

/// What a document takes beside its statements and the commas between them.
pub(super) const FRAME: usize = r#"{"Version":"2012-10-17","Statement":[]}"#.len();
