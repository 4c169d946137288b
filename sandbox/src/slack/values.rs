//! What people enter into a view's fields.

use serde_json::{Map, Value, json};

use super::clicks::ClickError;

/// The fields of a view with what was entered, as a submission carries them.
///
/// A text field takes a string, a menu and radio buttons the value of an option, boxes a list of such values.
pub(crate) fn entered(view: &Value, values: &[(String, String, Value)]) -> Result<Value, ClickError> {
    let blocks = view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let inputs: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "input").collect();
    for (block_id, action_id, _) in values {
        let exists = |input: &&Value| input["block_id"] == **block_id && input["element"]["action_id"] == **action_id;
        if !inputs.iter().any(exists) {
            return Err(ClickError::NoInput(format!("{block_id}/{action_id}")));
        }
    }
    let mut state = Map::new();
    for input in inputs {
        let (block_id, element) = (text(&input["block_id"]), &input["element"]);
        let action_id = text(&element["action_id"]);
        let given = values.iter().find(|(block, action, _)| *block == block_id && *action == action_id);
        let (field, is_empty) = field(element, given.map(|(_, _, value)| value))?;
        if is_empty && input["optional"] != true {
            return Err(ClickError::Required(block_id));
        }
        state.insert(block_id, json!({ action_id: field }));
    }
    Ok(Value::Object(state))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One field, and whether nothing was entered.
fn field(element: &Value, given: Option<&Value>) -> Result<(Value, bool), ClickError> {
    let kind = text(&element["type"]);
    let option = |wanted: &Value| {
        let mut options = element["options"].as_array().into_iter().flatten();
        let found = options.find(|option| option["value"] == *wanted).cloned();
        found.ok_or_else(|| ClickError::NoInput(format!("option {wanted}")))
    };
    match kind.as_str() {
        "plain_text_input" => {
            let entered = given.or_else(|| element.get("initial_value")).and_then(Value::as_str).unwrap_or_default();
            let length = u64::try_from(entered.chars().count()).unwrap_or(u64::MAX);
            let (min, max) = (element["min_length"].as_u64().unwrap_or(0), element["max_length"].as_u64());
            if length > max.unwrap_or(3_000) || (length > 0 && length < min) {
                return Err(ClickError::Length(text(&element["action_id"])));
            }
            let value = if entered.is_empty() { Value::Null } else { entered.into() };
            Ok((json!({ "type": kind, "value": value }), entered.is_empty()))
        }
        "checkboxes" => {
            let chosen = match given {
                Some(values) => values.as_array().into_iter().flatten().map(option).collect::<Result<Vec<_>, _>>()?,
                None => element["initial_options"].as_array().cloned().unwrap_or_default(),
            };
            let is_empty = chosen.is_empty();
            Ok((json!({ "type": kind, "selected_options": chosen }), is_empty))
        }
        _ => {
            let chosen = match given {
                Some(Value::Null) => Value::Null,
                Some(value) => option(value)?,
                None => element["initial_option"].clone(),
            };
            let is_empty = chosen.is_null();
            Ok((json!({ "type": kind, "selected_option": chosen }), is_empty))
        }
    }
}
