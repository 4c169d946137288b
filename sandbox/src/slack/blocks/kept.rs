//! Blocks as Slack keeps them: with what was left out filled in.

use serde_json::Value;

/// Gives every block an id and every element an action, and texts their defaults.
pub(crate) fn kept(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for block in &mut blocks {
        if let Some(map) = block.as_object_mut() {
            map.entry("block_id").or_insert_with(|| random_id().into());
        }
        fill(block);
    }
    blocks
}

/// Five characters, as Slack's own ids have.
fn random_id() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(5).collect()
}

fn fill(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
            let (key, filled) = match kind {
                "plain_text" => ("emoji", Value::Bool(true)),
                "mrkdwn" => ("verbatim", Value::Bool(false)),
                "button" | "static_select" | "checkboxes" | "radio_buttons" | "plain_text_input" => {
                    ("action_id", random_id().into())
                }
                "input" => ("optional", Value::Bool(false)),
                _ => ("type", Value::Null),
            };
            if key != "type" {
                map.entry(key).or_insert(filled);
            }
            map.values_mut().for_each(fill);
        }
        Value::Array(list) => list.iter_mut().for_each(fill),
        _ => {}
    }
}
