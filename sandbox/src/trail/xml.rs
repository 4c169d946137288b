//! The result of an XML answer as JSON in `CloudTrail`'s spelling.

use serde_json::{Map, Value};

use super::spelling::{in_words, lower_first};

/// Never written to a trail.
const SECRET: [&str; 2] = ["SecretAccessKey", "Password"];

/// What is inside `<…Result>`; nothing for an answer without one.
pub(super) fn result(text: &str, operation: &str) -> Option<Value> {
    let inner = element(text, &format!("{operation}Result"))?.0;
    children(inner).filter(|value| value.as_object().is_some_and(|map| !map.is_empty()))
}

/// The content of the first element of that name, and what follows it.
fn element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>"))
}

/// The child elements as an object, `<member>`s as a list; none in a text.
fn children(mut text: &str) -> Option<Value> {
    let mut map = Map::new();
    let mut list = Vec::new();
    loop {
        text = text.trim_start();
        let Some(rest) = text.strip_prefix('<') else { break };
        let (tag, after) = rest.split_once('>')?;
        if let Some(name) = tag.strip_suffix('/') {
            map.insert(lower_first(name.trim()), Value::Null);
            text = after;
            continue;
        }
        let name = tag.split_whitespace().next()?;
        let (inner, after) = after.split_once(&format!("</{name}>"))?;
        text = after;
        let value = children(inner).unwrap_or_else(|| plain(inner));
        if name == "member" {
            list.push(value);
        } else if !SECRET.contains(&name) {
            map.insert(lower_first(name), value);
        }
    }
    match (list.is_empty(), map.is_empty()) {
        (false, _) => Some(Value::Array(list)),
        (_, false) => Some(Value::Object(map)),
        _ => None,
    }
}

/// A text, unescaped; a time in words; a number as a number.
fn plain(text: &str) -> Value {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Value::String(in_words(time));
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Value::String(text.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_without_its_secret() {
        let text = "<CreateAccessKeyResponse xmlns=\"x\"><CreateAccessKeyResult><AccessKey><UserName>eve</UserName>\
                    <AccessKeyId>AKIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                    <CreateDate>2026-11-24T01:02:03Z</CreateDate></AccessKey></CreateAccessKeyResult>\
                    </CreateAccessKeyResponse>";
        let expected = serde_json::json!({ "accessKey": {
            "userName": "eve", "accessKeyId": "AKIA1", "createDate": "Nov 24, 2026, 1:02:03 AM"
        }});
        assert_eq!(result(text, "CreateAccessKey"), Some(expected));
        assert_eq!(result("<PutRolePolicyResponse><ResponseMetadata/></PutRolePolicyResponse>", "PutRolePolicy"), None);
    }
}
