//! The port `Iam` on the SDK. IAM is global: each partition has one control plane.

use super::clients::Clients;
use super::errors::call_error;
use super::limits::Limits;
use crate::ports::{Acknowledged, CallError, Iam, PrincipalRead};
use crate::restriction::{AccessKey, Principal, PrincipalType};
use async_trait::async_trait;
use aws_sdk_iam::operation::RequestId;
use aws_sdk_iam::types::{PolicyEvaluationDecisionType, StatusType, Tag};

/// IAM by the SDK, under a limit for each account.
#[derive(Debug, Clone)]
pub struct AwsIam {
    clients: Clients,
    limits: Limits,
}

/// The region whose endpoint is the partition's control plane.
/// <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>
fn region(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// Sends a call about a role or a user, whichever the principal is, and gives the answer's request id.
macro_rules! change {
    ($self:ident, $who:ident, $role:ident, $user:ident $(, $setter:ident($value:expr))*) => {{
        let client = $self.client($who).await;
        let request_id = match $who.kind {
            PrincipalType::Role => {
                let call = client.$role().role_name(&$who.name)$(.$setter($value))*;
                call.send().await.map_err(call_error)?.request_id().unwrap_or_default().to_owned()
            }
            PrincipalType::User => {
                let call = client.$user().user_name(&$who.name)$(.$setter($value))*;
                call.send().await.map_err(call_error)?.request_id().unwrap_or_default().to_owned()
            }
        };
        Ok(Acknowledged { request_id })
    }};
}

/// Reads all pages of a list about a role or a user.
macro_rules! pages {
    ($self:ident, $who:ident, $role:ident, $user:ident, $items:ident) => {{
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let client = $self.client($who).await;
            let (items, next) = match $who.kind {
                PrincipalType::Role => {
                    let page = client.$role().role_name(&$who.name).set_marker(marker).send().await;
                    let page = page.map_err(call_error)?;
                    (page.$items().to_vec(), page.marker().map(str::to_owned))
                }
                PrincipalType::User => {
                    let page = client.$user().user_name(&$who.name).set_marker(marker).send().await;
                    let page = page.map_err(call_error)?;
                    (page.$items().to_vec(), page.marker().map(str::to_owned))
                }
            };
            all.extend(items);
            marker = next.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break all;
            }
        }
    }};
}

impl AwsIam {
    /// With these clients, under these limits.
    pub fn new(clients: Clients, limits: Limits) -> Self {
        Self { clients, limits }
    }

    async fn client(&self, who: &Principal) -> aws_sdk_iam::Client {
        let region = region(who.partition());
        self.limits.wait(&who.account, region).await;
        self.clients.iam(&who.account, region)
    }
}

#[async_trait]
impl Iam for AwsIam {
    async fn principal(&self, who: &Principal) -> Result<Option<PrincipalRead>, CallError> {
        let client = self.client(who).await;
        let read = match who.kind {
            PrincipalType::Role => {
                client.get_role().role_name(&who.name).send().await.map_err(call_error).and_then(|answer| {
                    let role = answer.role.ok_or_else(|| nonsense("GetRole", "role"))?;
                    Ok(PrincipalRead {
                        id: role.role_id,
                        arn: role.arn,
                        trust: decoded(role.assume_role_policy_document.as_deref().unwrap_or_default())?,
                        tags: pairs(role.tags.as_deref().unwrap_or_default()),
                    })
                })
            }
            PrincipalType::User => {
                client.get_user().user_name(&who.name).send().await.map_err(call_error).and_then(|answer| {
                    let user = answer.user.ok_or_else(|| nonsense("GetUser", "user"))?;
                    let tags = pairs(user.tags.as_deref().unwrap_or_default());
                    Ok(PrincipalRead { id: user.user_id, arn: user.arn, trust: String::new(), tags })
                })
            }
        };
        there(read)
    }

    async fn inline_policy(&self, who: &Principal, name: &str) -> Result<Option<String>, CallError> {
        let client = self.client(who).await;
        let read = match who.kind {
            PrincipalType::Role => {
                let call = client.get_role_policy().role_name(&who.name).policy_name(name);
                call.send().await.map_err(call_error).map(|answer| answer.policy_document)
            }
            PrincipalType::User => {
                let call = client.get_user_policy().user_name(&who.name).policy_name(name);
                call.send().await.map_err(call_error).map(|answer| answer.policy_document)
            }
        };
        there(read)?.map(|document| decoded(&document)).transpose()
    }

    async fn inline_size(&self, who: &Principal) -> Result<usize, CallError> {
        let names: Vec<String> = pages!(self, who, list_role_policies, list_user_policies, policy_names);
        let mut size = 0;
        for name in names {
            let document = self.inline_policy(who, &name).await?.unwrap_or_default();
            size += document.chars().filter(|c| !c.is_whitespace()).count();
        }
        Ok(size)
    }

    async fn put_inline_policy(&self, who: &Principal, name: &str, document: &str) -> Result<Acknowledged, CallError> {
        change!(self, who, put_role_policy, put_user_policy, policy_name(name), policy_document(document))
    }

    async fn delete_inline_policy(&self, who: &Principal, name: &str) -> Result<Acknowledged, CallError> {
        change!(self, who, delete_role_policy, delete_user_policy, policy_name(name))
    }

    async fn attached(&self, who: &Principal) -> Result<Vec<String>, CallError> {
        let all = pages!(self, who, list_attached_role_policies, list_attached_user_policies, attached_policies);
        Ok(all.into_iter().filter_map(|policy| policy.policy_arn).collect())
    }

    async fn attach(&self, who: &Principal, policy_arn: &str) -> Result<Acknowledged, CallError> {
        change!(self, who, attach_role_policy, attach_user_policy, policy_arn(policy_arn))
    }

    async fn detach(&self, who: &Principal, policy_arn: &str) -> Result<Acknowledged, CallError> {
        change!(self, who, detach_role_policy, detach_user_policy, policy_arn(policy_arn))
    }

    async fn access_keys(&self, who: &Principal) -> Result<Vec<AccessKey>, CallError> {
        if who.kind == PrincipalType::Role {
            return Ok(Vec::new());
        }
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let client = self.client(who).await;
            let list = client.list_access_keys().user_name(&who.name).set_marker(marker);
            let page = list.send().await.map_err(call_error)?;
            all.extend(page.access_key_metadata().iter().filter_map(|key| {
                let id = key.access_key_id()?.to_owned();
                Some(AccessKey { id, active: key.status() == Some(&StatusType::Active) })
            }));
            marker = page.marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    async fn set_access_key(&self, who: &Principal, key_id: &str, active: bool) -> Result<Acknowledged, CallError> {
        let client = self.client(who).await;
        let status = if active { StatusType::Active } else { StatusType::Inactive };
        let call = client.update_access_key().user_name(&who.name).access_key_id(key_id).status(status);
        let answer = call.send().await.map_err(call_error)?;
        Ok(Acknowledged { request_id: answer.request_id().unwrap_or_default().to_owned() })
    }

    async fn tags(&self, who: &Principal) -> Result<Vec<(String, String)>, CallError> {
        let all: Vec<Tag> = pages!(self, who, list_role_tags, list_user_tags, tags);
        Ok(pairs(&all))
    }

    async fn tag(&self, who: &Principal, tags: &[(String, String)]) -> Result<Acknowledged, CallError> {
        let made: Result<Vec<Tag>, _> =
            tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let made = made.map_err(|error| CallError::NotSent { message: error.to_string() })?;
        change!(self, who, tag_role, tag_user, set_tags(Some(made.clone())))
    }

    async fn untag(&self, who: &Principal, keys: &[String]) -> Result<Acknowledged, CallError> {
        change!(self, who, untag_role, untag_user, set_tag_keys(Some(keys.to_vec())))
    }

    async fn allowed(&self, who: &Principal, actions: &[&str], resource: &str) -> Result<Vec<String>, CallError> {
        let (mut found, mut marker) = (Vec::new(), None);
        loop {
            let client = self.client(who).await;
            let simulate = client.simulate_principal_policy().policy_source_arn(&who.arn).resource_arns(resource);
            let actions = actions.iter().map(|action| (*action).to_owned()).collect();
            let page = simulate.set_action_names(Some(actions)).set_marker(marker).send().await.map_err(call_error)?;
            let allowed = |result: &&aws_sdk_iam::types::EvaluationResult| {
                *result.eval_decision() == PolicyEvaluationDecisionType::Allowed
            };
            found.extend(
                page.evaluation_results().iter().filter(allowed).map(|result| result.eval_action_name().to_owned()),
            );
            marker = page.marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
            if marker.is_none() {
                return Ok(found);
            }
        }
    }
}

/// `NotFound` as `None`.
fn there<T>(read: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(CallError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn pairs(tags: &[Tag]) -> Vec<(String, String)> {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

fn nonsense(call: &str, what: &str) -> CallError {
    CallError::Nonsense { message: format!("the answer of {call} has no {what}") }
}

/// IAM gives documents percent-encoded (RFC 3986, where a plus sign is a plus sign).
fn decoded(text: &str) -> Result<String, CallError> {
    let wrong = || CallError::Nonsense { message: "a policy document is not percent-encoded UTF-8".into() };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(wrong);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_exactly() {
        assert_eq!(decoded("%7B%22a%22%3A%22b+c%20d%C3%BC%22%7D").unwrap(), r#"{"a":"b+c dü"}"#);
        assert_eq!(decoded("plain").unwrap(), "plain");
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert!(decoded(broken).is_err(), "{broken}");
        }
    }
}
