//! One call of Slack's Web API, or of a click's own address: bounded in time, and with its end told apart.

use super::answer::{self, Effect};
use super::token::Token;
use crate::ports::ChatError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// Slack's Web API, where the configuration names no other.
pub const API_URL: &str = "https://slack.com/api";
/// How long one call may take.
pub const TIME_OUT: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);

/// What a method is given. Those that read take forms, and not all of them JSON.
#[derive(Debug)]
pub(super) enum Arguments<'a> {
    Json(&'a Value),
    Form(&'a [(&'a str, &'a str)]),
}

/// The Web API. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
}

impl Api {
    /// The API at this address.
    pub fn new(base: &str) -> Result<Self, String> {
        Self::with_time_out(base, TIME_OUT)
    }

    /// The same, with another time-out.
    pub fn with_time_out(base: &str, time_out: Duration) -> Result<Self, String> {
        crate::tls::prepare();
        let url = reqwest::Url::parse(base).map_err(|error| format!("[slack] api_url = {base:?}: {error}"))?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(format!("[slack] api_url = {base:?}: only https, for it is given the tokens"));
        }
        let http = reqwest::Client::builder()
            .timeout(time_out)
            .connect_timeout(CONNECT.min(time_out))
            // A redirect would take the token along.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sluicegate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTPS client: {}", told(&error)))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    pub(super) async fn call(
        &self,
        token: &Token,
        method: &str,
        effect: Effect,
        arguments: Arguments<'_>,
    ) -> Result<Value, ChatError> {
        let Some(header) = token.header().await else {
            let message = format!("{} cannot be read yet", token.kind().key());
            return Err(ChatError::Later { retry_after: None, message });
        };
        let post = self.http.post(format!("{}/{method}", self.base)).header(AUTHORIZATION, header);
        let post = match arguments {
            Arguments::Json(json) => {
                post.header(CONTENT_TYPE, "application/json; charset=utf-8").body(json.to_string())
            }
            Arguments::Form(form) => post.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(encoded(form)),
        };
        let (status, headers, body) = sent(post, effect).await?;
        answer::read(effect, status, retry_after(&headers), &body)
    }

    /// Answers a click at its own address, which is a secret: it stands in no error.
    pub(super) async fn respond(&self, url: &str, json: &Value) -> Result<(), ChatError> {
        if !self.is_slacks(url) {
            let message = "the address to answer at is not Slack's".to_owned();
            return Err(ChatError::Refused { code: "bad_response_url".into(), message });
        }
        let post = self.http.post(url).header(CONTENT_TYPE, "application/json; charset=utf-8");
        let (status, headers, _) = sent(post.body(json.to_string()), Effect::Some).await?;
        match status {
            200..=299 => Ok(()),
            429 => {
                Err(ChatError::Later { retry_after: retry_after(&headers), message: "Slack limits the rate".into() })
            }
            500.. => Err(Effect::Some.unknown(format!("Slack answers HTTP {status}"))),
            _ => {
                Err(ChatError::Refused { code: format!("HTTP {status}"), message: "it is used up, or too old".into() })
            }
        }
    }

    fn is_slacks(&self, url: &str) -> bool {
        let Ok(url) = reqwest::Url::parse(url) else { return false };
        let own = reqwest::Url::parse(&self.base).is_ok_and(|base| base.origin() == url.origin());
        let host = url.host_str().unwrap_or_default();
        let slack = [".slack.com", ".slack-gov.com"].iter().any(|domain| host.ends_with(domain));
        own || (url.scheme() == "https" && slack)
    }
}

async fn sent(post: reqwest::RequestBuilder, effect: Effect) -> Result<(u16, HeaderMap, Vec<u8>), ChatError> {
    let lost = |error: &reqwest::Error| {
        if error.is_connect() || error.is_builder() {
            return ChatError::Later { retry_after: None, message: format!("no connection to Slack: {}", told(error)) };
        }
        effect.unknown(if error.is_timeout() { "no answer in time".to_owned() } else { told(error) })
    };
    let answer = post.send().await.map_err(|error| lost(&error))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await.map_err(|error| lost(&error))?;
    Ok((status, headers, body.to_vec()))
}

/// What an error comes down to, without the address that it was about.
fn told(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    if std::ptr::addr_eq(deepest, error) { "the request failed".to_owned() } else { deepest.to_string() }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn encoded(form: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in form {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_client_for_https_can_be_made() {
        assert!(Api::new(API_URL).is_ok());
    }

    #[test]
    fn tokens_go_nowhere_unencrypted() {
        assert!(Api::new("http://slack.com/api").unwrap_err().contains("[slack] api_url"));
        assert!(Api::new("http://127.0.0.1:4000/api").is_ok());
        assert!(Api::new("slack").is_err());
    }

    #[test]
    fn a_click_is_answered_only_at_slacks_own_addresses() {
        let api = Api::new(API_URL).unwrap();
        for url in ["https://hooks.slack.com/actions/T/1/x", "https://slack.com/x"] {
            assert!(api.is_slacks(url), "{url}");
        }
        for url in ["https://evil.example/slack.com", "https://notslack.com/x", "http://hooks.slack.com/x", ""] {
            assert!(!api.is_slacks(url), "{url}");
        }
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(encoded(&[("a", "x y&z=1"), ("b", "é")]), "a=x%20y%26z%3D1&b=%C3%A9");
    }
}
