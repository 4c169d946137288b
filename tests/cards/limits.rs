//! Slack's limits, and what may be live in a text, written down a second time and independently of the cards.

use serde_json::Value;

/// What is wrong with a payload.
pub fn problems(payload: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let modal = payload["type"] == "modal";
    let blocks = payload["blocks"].as_array().cloned().unwrap_or_default();
    let mut most = |what: &str, length: usize, most: usize| {
        if length > most {
            found.push(format!("{what}: {length} > {most}"));
        }
    };
    most("blocks", blocks.len(), if modal { 100 } else { 50 });
    if modal {
        for key in ["title", "submit", "close"] {
            most(key, length(&payload[key]["text"]), 24);
        }
        most("private_metadata", length(&payload["private_metadata"]), 3_000);
        most("callback_id", length(&payload["callback_id"]), 255);
    } else {
        most("blocks in all", payload["blocks"].to_string().chars().count(), 13_200);
        // As people measured it: 125 a block beside the texts.
        let mut texts = Vec::new();
        strings(&payload["blocks"], &mut texts);
        let text: usize = texts.iter().map(|text| text.encode_utf16().count()).sum();
        most("blocks as Slack counts", text + blocks.len() * 125, 13_297 + 125 + 40 * blocks.len());
        most("text", length(&payload["text"]), 4_000);
        if length(&payload["text"]) == 0 {
            found.push("no text".into());
        }
    }
    for block in &blocks {
        found.extend(of_block(block));
    }
    let mut texts = Vec::new();
    strings(payload, &mut texts);
    found.extend(texts.iter().flat_map(|text| live(text)));
    found
}

fn length(text: &Value) -> usize {
    text.as_str().unwrap_or_default().encode_utf16().count()
}

fn of_block(block: &Value) -> Vec<String> {
    let kind = block["type"].as_str().unwrap();
    let mut checks = vec![("block_id", length(&block["block_id"]), 0, 255)];
    let elements = block["elements"].as_array().cloned().unwrap_or_default();
    match kind {
        "header" => checks.push(("header", length(&block["text"]["text"]), 1, 150)),
        "section" => checks.push(("section", length(&block["text"]["text"]), 1, 3_000)),
        "context" => checks.push(("context", elements.len(), 1, 10)),
        "actions" => checks.push(("actions", elements.len(), 1, 25)),
        "input" => {
            checks.push(("label", length(&block["label"]["text"]), 1, 2_000));
            checks.push(("hint", length(&block["hint"]["text"]), 0, 2_000));
            for option in block["element"]["options"].as_array().into_iter().flatten() {
                checks.push(("option", length(&option["text"]["text"]), 1, 75));
                checks.push(("description", length(&option["description"]["text"]), 0, 75));
                checks.push(("option's value", length(&option["value"]), 1, 150));
            }
        }
        "divider" => {}
        other => panic!("an unknown block: {other}"),
    }
    for button in elements.iter().filter(|element| element["type"] == "button") {
        checks.push(("button", length(&button["text"]["text"]), 1, 75));
        checks.push(("value", length(&button["value"]), 1, 2_000));
        checks.push(("action_id", length(&button["action_id"]), 1, 255));
        if let Some(confirm) = button.get("confirm") {
            checks.push(("confirm's title", length(&confirm["title"]["text"]), 1, 100));
            checks.push(("confirm's text", length(&confirm["text"]["text"]), 1, 300));
            checks.push(("confirm's yes", length(&confirm["confirm"]["text"]), 1, 30));
            checks.push(("confirm's no", length(&confirm["deny"]["text"]), 1, 30));
        }
    }
    let wrong = |(_, length, least, most): &&(&str, usize, usize, usize)| length < least || length > most;
    checks.iter().filter(wrong).map(|(what, length, ..)| format!("{what} of {length}")).collect()
}

/// Every string that is shown.
fn strings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
        Value::Object(fields) => {
            if fields.get("type").is_some_and(|kind| kind == "mrkdwn") {
                assert_eq!(fields.get("verbatim"), Some(&Value::Bool(true)));
            }
            fields.values().for_each(|value| strings(value, all));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What would be live in a text, beside times and pages of the AWS console.
pub fn live(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('<') {
        let end = text[at..].find('>').map_or(text.len(), |end| at + end);
        let inside = &text[at + 1..end];
        let date = inside.starts_with("!date^") && inside[6..].bytes().take_while(u8::is_ascii_digit).count() > 0;
        let page =
            inside.starts_with("https://") && inside.contains(".console.aws.amazon.com/") && !inside.contains(' ');
        if !(date || page) {
            found.push(format!("live: {inside}"));
        }
    }
    for (at, _) in text.match_indices('&') {
        if !["&amp;", "&lt;", "&gt;"].iter().any(|entity| text[at..].starts_with(entity)) {
            found.push(format!("a bare &: {}", &text[at..].chars().take(20).collect::<String>()));
        }
    }
    for mention in ["@here", "@channel", "@everyone"] {
        if text.to_ascii_lowercase().contains(mention) {
            found.push(format!("{mention} in {text}"));
        }
    }
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{61c}'
                | '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{1fef}' | '\u{e0000}'..='\u{e007f}')
    };
    found.extend(text.chars().filter(|c| hidden(*c)).map(|c| format!("hidden: {}", c.escape_unicode())));
    // Code spans open and close on one line: nothing from outside opens one.
    for line in text.lines().filter(|line| line.matches('`').count() % 2 == 1) {
        found.push(format!("an open code span: {line}"));
    }
    found
}
