//! Who else may invoke a function: the principals of its resource policy.

use serde_json::Value;

/// The principals that a resource policy lets in, each with the source that it is bound to, for people. A policy that
/// cannot be read says so in the list: nobody must take it for an empty one.
/// <https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html>
pub fn invokers(policy: &str) -> Vec<String> {
    if policy.is_empty() {
        return Vec::new();
    }
    let Ok(document) = serde_json::from_str::<Value>(policy) else {
        return vec!["a resource policy that cannot be read".to_owned()];
    };
    let statements = match &document["Statement"] {
        Value::Array(all) => all.clone(),
        one @ Value::Object(_) => vec![one.clone()],
        _ => return vec!["a resource policy that cannot be read".to_owned()],
    };
    let mut found = Vec::new();
    for statement in statements.iter().filter(|statement| statement["Effect"] != "Deny") {
        let bound = bound(&statement["Condition"]);
        let principals = principals(statement);
        if principals.is_empty() {
            found.push(format!("a principal that cannot be read{bound}"));
        }
        found.extend(principals.into_iter().map(|principal| format!("{principal}{bound}")));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn principals(statement: &Value) -> Vec<String> {
    if let Some(except) = statement.get("NotPrincipal") {
        return vec![format!("everybody but {except}")];
    }
    match &statement["Principal"] {
        Value::Object(kinds) => kinds.values().flat_map(texts).map(|text| anyone(&text)).collect(),
        Value::String(text) => vec![anyone(text)],
        _ => Vec::new(),
    }
}

fn anyone(text: &str) -> String {
    if text == "*" { "anyone (*)".to_owned() } else { text.to_owned() }
}

/// What the statement is bound to: the ARN, account or organisation in its condition.
fn bound(condition: &Value) -> String {
    const KEYS: [&str; 5] =
        ["aws:sourcearn", "aws:sourceaccount", "aws:principalorgid", "aws:sourceowner", "aws:principalarn"];
    let operators = condition.as_object().into_iter().flat_map(|map| map.values());
    let entries = operators.filter_map(Value::as_object).flatten();
    let named = entries.filter(|(key, _)| KEYS.contains(&key.to_ascii_lowercase().as_str()));
    let values: Vec<String> = named.flat_map(|(_, value)| texts(value)).collect();
    if values.is_empty() { String::new() } else { format!(" for {}", values.join(", ")) }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_told_with_what_binds_them() {
        let policy = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",
             "Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::uploads"}}},
            {"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl"},
            {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::999900001111:root","arn:aws:iam::1:user/x"]}},
            {"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:root"}}]}"#;
        let expected = [
            "anyone (*)",
            "arn:aws:iam::1:user/x",
            "arn:aws:iam::999900001111:root",
            "s3.amazonaws.com for arn:aws:s3:::uploads",
        ];
        assert_eq!(invokers(policy), expected);
        assert_eq!(invokers(r#"{"Statement":{"Effect":"Allow","Principal":"events.amazonaws.com"}}"#).len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nobody() {
        assert_eq!(invokers(""), Vec::<String>::new());
        for policy in ["{", "[]", "null", "7", r#"{"Statement":"x"}"#] {
            assert_eq!(invokers(policy), ["a resource policy that cannot be read"], "{policy}");
        }
        for statement in ["{}", "7", r#"{"Principal":{"AWS":[7]}}"#, r#"{"Condition":[],"Principal":null}"#] {
            let policy = format!(r#"{{"Statement":[{statement}]}}"#);
            assert_eq!(invokers(&policy), ["a principal that cannot be read"], "{statement}");
        }
        assert_eq!(invokers(r#"{"Statement":[]}"#), Vec::<String>::new());
    }
}
