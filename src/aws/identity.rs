//! The port `Identity` on the SDK. A vote carries a `GetCallerIdentity` that the voter signed, with the vote in a signed
//! header; only STS can tell whose signature it is, so the worker sends it to its own STS endpoint. Vault's and EKS's
//! AWS authentication work the same way.

use super::clients::AwsSettings;
use super::errors::call_error;
use crate::ports::{AwsProof, CallError, Clock, Identity};
use async_trait::async_trait;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::fmt::strtime;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// The header that carries the vote.
const VOTE: &str = "x-sluicegate-vote";
/// For how long a signature counts.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The headers that a proof may replace: nothing else of a stranger's request is ever sent.
const SIGNED: [&str; 6] =
    ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "content-type", VOTE];

/// Identities by STS.
#[derive(Clone)]
pub struct AwsIdentity {
    sts: aws_sdk_sts::Client,
    clock: Arc<dyn Clock>,
}

impl AwsIdentity {
    /// With the environment's own credentials and STS endpoint.
    pub fn new(settings: &AwsSettings, clock: Arc<dyn Clock>) -> Self {
        Self { sts: aws_sdk_sts::Client::new(&settings.sdk), clock }
    }

    /// Signs a vote with the environment's own credentials. Nothing is sent.
    pub async fn sign(&self, claim: &str) -> Result<AwsProof, String> {
        let caught = Catch::default();
        let claim = claim.to_owned();
        let attempt = self
            .sts
            .get_caller_identity()
            .customize()
            .mutate_request(move |request| {
                request.headers_mut().insert(VOTE, claim.clone());
            })
            .interceptor(caught.clone())
            .send()
            .await;
        let proof = caught.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        proof.ok_or_else(|| match attempt {
            Ok(_) => "the request was not caught before it was sent".to_owned(),
            Err(error) => format!("the vote cannot be signed with your AWS credentials: {}", call_error(error)),
        })
    }

    fn check(&self, proof: &AwsProof, claim: &str, own_host: &str) -> Result<(), String> {
        let header = |name: &str| {
            let mut values = proof.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let value = values.next().map(|(_, value)| value.as_str());
            value.filter(|_| values.next().is_none()).ok_or_else(|| format!("the proof has not exactly one {name}"))
        };
        if header(VOTE)? != claim {
            return Err("the proof was signed for another vote".into());
        }
        let authorization = header("authorization")?;
        if !covers_vote(authorization) {
            return Err("the proof's signature does not cover the vote".into());
        }
        if proof.host != own_host {
            return Err(format!(
                "the proof was signed for {}, and this worker asks {own_host}: set the same AWS_REGION",
                proof.host
            ));
        }
        let date = header("x-amz-date")?;
        let signed_at = strtime::parse("%Y%m%dT%H%M%SZ", date).and_then(|time| time.to_datetime());
        let signed_at: Timestamp = signed_at
            .and_then(|time| jiff::tz::Offset::UTC.to_timestamp(time))
            .map_err(|_| format!("the proof has no date: {date:?}"))?;
        if self.clock.now().duration_since(signed_at).abs() > FRESH {
            return Err(format!("the proof is from {signed_at}: vote again"));
        }
        Ok(())
    }
}

#[async_trait]
impl Identity for AwsIdentity {
    async fn own(&self) -> Result<String, CallError> {
        let answer = self.sts.get_caller_identity().send().await.map_err(call_error)?;
        arn_of(answer.arn())
    }

    async fn verify(&self, proof: &AwsProof, claim: &str) -> Result<String, CallError> {
        let refused = |message: String| CallError::Refused { code: "proof".into(), message, request_id: None };
        let own = self.sign("-").await.map_err(|message| CallError::NotSent { message })?;
        self.check(proof, claim, &own.host).map_err(refused)?;
        let put_on = PutOn(proof.clone());
        let answer = self.sts.get_caller_identity().customize().interceptor(put_on).send().await.map_err(call_error)?;
        arn_of(answer.arn())
    }
}

/// Whether the one list of signed headers names the vote. With two lists STS might go by the other one: a request that
/// somebody signed for something else would carry a vote that they never saw.
fn covers_vote(authorization: &str) -> bool {
    let mut lists = authorization.split("SignedHeaders=").skip(1);
    let (Some(list), None) = (lists.next(), lists.next()) else { return false };
    let list = list.split(',').next().unwrap_or_default();
    list.split(';').any(|name| name.trim() == VOTE)
}

fn arn_of(arn: Option<&str>) -> Result<String, CallError> {
    let arn = arn.filter(|arn| arn.starts_with("arn:")).map(str::to_owned);
    arn.ok_or_else(|| CallError::Nonsense { message: "STS answered without an ARN".into() })
}

/// Takes the signed request, and ends the call before it is sent.
#[derive(Clone, Default)]
struct Catch(Arc<Mutex<Option<AwsProof>>>);

impl std::fmt::Debug for Catch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Catch")
    }
}

#[dyn_dispatch_hint]
impl Intercept for Catch {
    fn name(&self) -> &'static str {
        "Catch"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let rest = request.uri().split("://").nth(1).unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default().to_owned();
        let headers = request
            .headers()
            .iter()
            .filter(|(name, _)| SIGNED.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(AwsProof { host, headers });
        Err("signed, not sent".into())
    }
}

/// Sends the call under another's signature.
#[derive(Debug)]
struct PutOn(AwsProof);

#[dyn_dispatch_hint]
impl Intercept for PutOn {
    fn name(&self) -> &'static str {
        "PutOn"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        for name in SIGNED {
            headers.remove(name);
        }
        for (name, value) in self.0.headers.iter().filter(|(name, _)| SIGNED.contains(&name.as_str())) {
            headers.try_insert(name.clone(), value.clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_is_signed_in_the_only_list_there_is() {
        let proof = |lists: &str| format!("AWS4-HMAC-SHA256 Credential=A/1/r/sts/aws4_request, {lists}Signature=0");
        assert!(covers_vote(&proof("SignedHeaders=host;x-amz-date;x-sluicegate-vote, ")));
        assert!(!covers_vote(&proof("SignedHeaders=host;x-amz-date, ")));
        assert!(!covers_vote(&proof("SignedHeaders=host;x-sluicegate-vote, SignedHeaders=host;x-amz-date, ")));
        assert!(!covers_vote(&proof("SignedHeaders=host;x-amz-date, SignedHeaders=host;x-sluicegate-vote, ")));
        assert!(!covers_vote(&proof("")));
    }
}
