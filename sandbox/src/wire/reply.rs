//! Answers, and errors in each protocol's genuine shape.

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{Operation, Protocol};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request id as AWS makes them.
fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl Reply {
    /// A JSON answer.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { status, headers, body: Bytes::from(value.to_string()) }
    }

    /// An error as the operation's service would write it.
    pub(crate) fn error(operation: &Operation, status: u16, code: &str, message: &str) -> Self {
        let side = if status >= 500 { "Service" } else { "User" };
        match operation.protocol {
            Protocol::RestJson => {
                let mut reply = Self::json(status, &json!({ "Type": side, "message": message, "Message": message }));
                reply.set("x-amzn-errortype", code);
                reply
            }
            Protocol::AwsJson => Self::json(status, &json!({ "__type": code, "message": message })),
            Protocol::Query => {
                let side = if status >= 500 { "Receiver" } else { "Sender" };
                let text = format!(
                    "<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                     <RequestId>{}</RequestId></ErrorResponse>",
                    new_request_id()
                );
                let mut reply = Self { status, headers: HeaderMap::new(), body: Bytes::from(text) };
                reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
                reply
            }
        }
    }

    /// Sets a header; a value that cannot be one is left out.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// Replaces the body.
    pub(crate) fn set_json(&mut self, value: &Value) {
        self.headers.remove(CONTENT_LENGTH);
        self.body = Bytes::from(value.to_string());
    }

    /// Whether the call succeeded.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON.
    pub(crate) fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The request id that the client is answered with; one is given if there is none.
    ///
    /// XML answers carry one in the body too, which some clients read and others not: both are made the same.
    pub(crate) fn settle_request_id(&mut self) -> String {
        let in_body =
            std::str::from_utf8(&self.body).ok().and_then(|text| between(text, "<RequestId>", "</RequestId>"));
        let in_header = self.headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
        let id = in_body.or(in_header).map_or_else(new_request_id, str::to_owned);
        self.set("x-amzn-requestid", &id);
        id
    }

    /// Code and message of an error answer.
    pub(crate) fn error_code(&self) -> Option<(String, String)> {
        if self.is_success() {
            return None;
        }
        let bare = |code: &str| code.rsplit('#').next().unwrap_or(code).split(':').next().unwrap_or(code).to_owned();
        let header = self.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(bare);
        if let Some(value) = self.value() {
            let text = |key: &str| value.get(key).and_then(Value::as_str);
            let code = header.or_else(|| text("__type").or_else(|| text("code")).map(bare))?;
            return Some((code, text("message").or_else(|| text("Message")).unwrap_or_default().to_owned()));
        }
        let text = std::str::from_utf8(&self.body).ok()?;
        let code = header.or_else(|| between(text, "<Code>", "</Code>").map(str::to_owned))?;
        Some((code, between(text, "<Message>", "</Message>").unwrap_or_default().to_owned()))
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}
