//! Interactions as HTTP requests, signed as Slack signs them.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;

use crate::error::SandboxError;

/// What is wrong with a signed request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tampering {
    /// Nothing.
    #[default]
    None,
    /// The signature is another.
    Signature,
    /// The body is another than the one that was signed.
    Body,
    /// The request is ten minutes old; its signature is right.
    Old,
    /// The headers are missing.
    Unsigned,
}

/// What the app answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// The body of an interaction.
pub(crate) fn form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

/// Timestamp and signature of a body.
pub(crate) fn headers(secret: &str, body: &str) -> Vec<(&'static str, String)> {
    headers_at(secret, body, Timestamp::now().as_second())
}

fn headers_at(secret: &str, body: &str, second: i64) -> Vec<(&'static str, String)> {
    vec![("x-slack-request-timestamp", second.to_string()), ("x-slack-signature", signature(secret, second, body))]
}

fn signature(secret: &str, second: i64, body: &str) -> String {
    // A key of any length will do for an HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("v0:{second}:{body}").as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("v0=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Body and headers of an interaction, with something wrong with them.
pub(crate) fn tampered(secret: &str, payload: &Value, how: Tampering) -> (String, Vec<(&'static str, String)>) {
    let body = form(payload);
    let now = Timestamp::now().as_second();
    match how {
        Tampering::None => (body.clone(), headers_at(secret, &body, now)),
        Tampering::Signature => (body.clone(), headers_at("another secret", &body, now)),
        Tampering::Body => {
            let signed = headers_at(secret, &body, now);
            (body + "&more=1", signed)
        }
        Tampering::Old => (body.clone(), headers_at(secret, &body, now - 600)),
        Tampering::Unsigned => (body, Vec::new()),
    }
}

/// Posts a form.
pub(crate) async fn post(
    url: &str,
    headers: Vec<(&'static str, String)>,
    body: String,
) -> Result<SignedAnswer, SandboxError> {
    let failed = |error: String| SandboxError::io(format!("posting to {url}"))(std::io::Error::other(error));
    let mut request = Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| failed(error.to_string()))?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.map_err(|error| failed(error.to_string()))?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
    Ok(SignedAnswer { status, body })
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// The example of Slack's documentation on verifying requests.
    #[test]
    fn slacks_own_example_has_slacks_own_signature() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                    channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                    response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
                    &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        assert_eq!(
            signature("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body),
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        );
    }
}
