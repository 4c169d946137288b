//! What an HTTP request to AWS asks for, by whom, and what an answer looks like on the wire.

mod params;
mod reply;
mod routes;

use bytes::Bytes;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

pub(crate) use reply::Reply;

/// How a service's requests and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Paths and JSON: Lambda.
    RestJson,
    /// `X-Amz-Target` and JSON: SQS, `DynamoDB`, `CloudTrail`.
    AwsJson,
    /// Forms and XML: IAM, STS.
    Query,
}

/// One API call, as far as the sandbox needs to know it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) protocol: Protocol,
    /// The service of the signature's scope: `lambda`, `iam`.
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) access_key_id: Option<String>,
    /// The mapping's UUID, the function's name, the role's or user's name.
    pub(crate) resource: Option<String>,
    /// The request's parameters under their names in the API model, those of the path included.
    pub(crate) params: Map<String, Value>,
}

impl Operation {
    /// Reads a request.
    pub(crate) fn of(parts: &Parts, body: &Bytes) -> Self {
        let (access_key_id, region, service) = signature(parts);
        let target = header(parts, "x-amz-target").and_then(|target| target.rsplit('.').next());
        let found = if let Some(name) = target {
            let params = params::json(body);
            Found { protocol: Protocol::AwsJson, name: name.to_owned(), resource: None, params }
        } else if service == "lambda" {
            routes::lambda(parts, body)
        } else if let Some((_, name)) = parts.uri.path().split_once("/operation/") {
            // CBOR, which nothing here needs to look into: CloudWatch.
            Found { protocol: Protocol::AwsJson, name: name.to_owned(), resource: None, params: Map::new() }
        } else {
            let params = params::form(parts, body);
            let name = params.get("Action").and_then(Value::as_str);
            let name = name.map_or_else(|| format!("{} {}", parts.method, parts.uri.path()), str::to_owned);
            let named = ["RoleName", "UserName", "PolicyArn", "RoleArn"];
            let resource = named.iter().find_map(|key| params.get(*key)?.as_str().map(str::to_owned));
            Found { protocol: Protocol::Query, name, resource, params }
        };
        let Found { protocol, name, resource, params } = found;
        Self { protocol, service, name, region, access_key_id, resource, params }
    }

    /// Whether this is one of Lambda's calls.
    pub(crate) fn is_lambda(&self, name: &str) -> bool {
        self.service == "lambda" && self.name == name
    }
}

struct Found {
    protocol: Protocol,
    name: String,
    resource: Option<String>,
    params: Map<String, Value>,
}

pub(crate) fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Key id, region and service of the `SigV4` scope, in the header or, presigned, in the query.
fn signature(parts: &Parts) -> (Option<String>, String, String) {
    let in_header = header(parts, "authorization").and_then(|text| text.split("Credential=").nth(1));
    let in_header = in_header.map(|rest| rest.split([',', ' ']).next().unwrap_or_default().to_owned());
    let in_query = || {
        let query = parts.uri.query().unwrap_or_default();
        let found = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="));
        found.map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned())
    };
    let scope = in_header.or_else(in_query).unwrap_or_default();
    let mut fields = scope.split('/');
    let key = fields.next().filter(|key| !key.is_empty()).map(str::to_owned);
    let region = fields.nth(1).unwrap_or("us-east-1").to_owned();
    let service = fields.next().unwrap_or_default().to_owned();
    (key, region, service)
}
