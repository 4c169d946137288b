//! A request's parameters as one JSON object.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::{Map, Value};

/// A JSON body; anything else is no parameters.
pub(super) fn json(body: &Bytes) -> Map<String, Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// A form, from the body and the query string: `Tags.member.1.Key` becomes a list of objects.
pub(super) fn form(parts: &Parts, body: &Bytes) -> Map<String, Value> {
    let mut map = Map::new();
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    for (key, value) in form_urlencoded::parse(query).chain(form_urlencoded::parse(body)) {
        place(&mut map, &key, value.into_owned());
    }
    map
}

fn place(map: &mut Map<String, Value>, key: &str, value: String) {
    let Some((list, rest)) = key.split_once(".member.") else {
        map.insert(key.to_owned(), Value::String(value));
        return;
    };
    let entry = map.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(items) = entry else { return };
    let (number, field) = rest.split_once('.').map_or((rest, None), |(number, field)| (number, Some(field)));
    // Numbers start at 1; a wild one is not worth the memory.
    let index = number.parse::<usize>().unwrap_or(1).clamp(1, 200) - 1;
    if items.len() <= index {
        items.resize(index + 1, Value::Null);
    }
    let Some(item) = items.get_mut(index) else { return };
    match field {
        None => *item = Value::String(value),
        Some(field) => {
            if !item.is_object() {
                *item = Value::Object(Map::new());
            }
            if let Value::Object(object) = item {
                place(object, field, value);
            }
        }
    }
}
