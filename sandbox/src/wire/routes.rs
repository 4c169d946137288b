//! Lambda's REST paths, and the names that `CloudTrail` gives its calls.

use bytes::Bytes;
use hyper::Method;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Found, Protocol, params};

/// Which of Lambda's operations a request is.
pub(super) fn lambda(parts: &Parts, body: &Bytes) -> Found {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let segments: Vec<String> = parts.uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let segments: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let (name, key, resource) = operation(&parts.method, &segments)
        .unwrap_or_else(|| (format!("{} {}", parts.method, parts.uri.path()), None, None));
    let mut params = params::json(body);
    for (key, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        params.entry(key).or_insert_with(|| Value::String(value.into_owned()));
    }
    if let (Some(key), Some(resource)) = (key, resource.as_deref()) {
        params.insert(key.to_owned(), Value::String(resource.to_owned()));
    }
    let created = || params.get("FunctionName").and_then(Value::as_str).map(str::to_owned);
    let resource = resource.or_else(created);
    Found { protocol: Protocol::RestJson, name, resource, params }
}

type Route = (String, Option<&'static str>, Option<String>);

fn operation(method: &Method, segments: &[&str]) -> Option<Route> {
    let one_of = |get: &str, put: &str, post: &str, delete: &str| {
        let name = match method.as_str() {
            "GET" | "HEAD" => get,
            "PUT" => put,
            "POST" => post,
            "DELETE" => delete,
            _ => "",
        };
        (!name.is_empty()).then(|| name.to_owned())
    };
    let (name, key, resource) = match segments {
        ["event-source-mappings"] => {
            (one_of("ListEventSourceMappings", "", "CreateEventSourceMapping", "")?, None, None)
        }
        ["event-source-mappings", uuid] => {
            let name = one_of("GetEventSourceMapping", "UpdateEventSourceMapping", "", "DeleteEventSourceMapping")?;
            (name, Some("UUID"), Some(*uuid))
        }
        ["functions"] => (one_of("ListFunctions", "", "CreateFunction", "")?, None, None),
        ["functions", function, rest @ ..] => {
            let name = match rest {
                [] => one_of("GetFunction", "", "", "DeleteFunction"),
                ["code"] => one_of("", "UpdateFunctionCode", "", ""),
                ["configuration"] => one_of("GetFunctionConfiguration", "UpdateFunctionConfiguration", "", ""),
                ["concurrency"] => {
                    one_of("GetFunctionConcurrency", "PutFunctionConcurrency", "", "DeleteFunctionConcurrency")
                }
                ["invocations"] => one_of("", "", "Invoke", ""),
                ["policy"] => one_of("GetPolicy", "", "AddPermission", ""),
                ["policy", _] => one_of("", "", "", "RemovePermission"),
                ["versions"] => one_of("ListVersionsByFunction", "", "PublishVersion", ""),
                ["aliases"] => one_of("ListAliases", "", "CreateAlias", ""),
                ["aliases", _] => one_of("GetAlias", "UpdateAlias", "", "DeleteAlias"),
                ["url"] => one_of(
                    "GetFunctionUrlConfig",
                    "UpdateFunctionUrlConfig",
                    "CreateFunctionUrlConfig",
                    "DeleteFunctionUrlConfig",
                ),
                _ => None,
            }?;
            (name, Some("FunctionName"), Some(*function))
        }
        ["tags", arn @ ..] => {
            let name = one_of("ListTags", "", "TagResource", "UntagResource")?;
            return Some((name, Some("Resource"), Some(arn.join("/"))));
        }
        _ => return None,
    };
    Some((name, key, resource.map(str::to_owned)))
}
