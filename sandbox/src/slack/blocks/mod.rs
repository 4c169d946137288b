//! Slack's rules for blocks and views, with Slack's complaints.
//!
//! Stricter than Slack where it is not known how strict Slack is: input blocks are refused in messages, and so is every
//! block and element type that the app has no use for.

mod check;
mod elements;
mod kept;
mod objects;

use std::collections::HashSet;

use serde_json::{Map, Value};

use check::Check;
pub(crate) use kept::kept;
use objects::Kind;

/// What a message may hold of blocks.
const BLOCKS_IN_A_MESSAGE: usize = 50;
/// What a view may hold of them.
const BLOCKS_IN_A_VIEW: usize = 100;
/// The characters of all texts of a message and what each block counts beside them: undocumented, and measured by
/// people who met it (13,297 characters in one block, 13,172 with a divider added).
const TEXT_IN_A_MESSAGE: usize = 13_297 + PER_BLOCK;
const PER_BLOCK: usize = 125;
/// What Slack takes of a view altogether.
const VIEW_BYTES: usize = 250_000;

/// Why a message or a view is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Slack's error.
    pub(crate) error: &'static str,
    /// What it says about it.
    pub(crate) messages: Vec<String>,
}

impl Refused {
    fn because(error: &'static str, messages: Vec<String>) -> Self {
        Self { error, messages }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Surface {
    Message,
    Modal,
}

/// Checks the blocks of a message.
pub(crate) fn check_blocks(blocks: &Value) -> Result<&[Value], Refused> {
    let Some(list) = blocks.as_array().filter(|list| list.iter().all(Value::is_object)) else {
        return Err(Refused::because("invalid_blocks_format", Vec::new()));
    };
    let mut check = Check::default();
    check_all(&mut check, list, "/blocks", Surface::Message);
    let complaints = check.into_complaints();
    if !complaints.is_empty() {
        return Err(Refused::because("invalid_blocks", complaints));
    }
    let text: usize = list.iter().map(|block| text_of(block) + PER_BLOCK).sum();
    if text > TEXT_IN_A_MESSAGE {
        return Err(Refused::because("msg_blocks_too_long", Vec::new()));
    }
    Ok(list)
}

/// Checks a modal.
pub(crate) fn check_view(view: &Value) -> Result<(), Refused> {
    if view.to_string().len() > VIEW_BYTES {
        return Err(Refused::because("view_too_large", Vec::new()));
    }
    let mut check = Check::default();
    let optional = [
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "clear_on_close",
        "notify_on_close",
        "external_id",
        "submit_disabled",
    ];
    if let Some(map) = check.object(view, "/view", &["type", "title", "blocks"], &optional) {
        if map.get("type").is_some_and(|kind| kind != "modal") {
            check.say("/view/type", "must be one of: modal");
        }
        for key in ["title", "close", "submit"] {
            if let Some(text) = map.get(key) {
                check.text(text, &format!("/view/{key}"), Kind::Plain, 24);
            }
        }
        check.string(map, "private_metadata", "/view", 0, 3_000);
        check.string(map, "callback_id", "/view", 0, 255);
        check.string(map, "external_id", "/view", 0, 255);
        for key in ["clear_on_close", "notify_on_close", "submit_disabled"] {
            check.boolean(map, key, "/view");
        }
        if let Some(blocks) = check.list(map, "blocks", "/view", 1, BLOCKS_IN_A_VIEW) {
            check_all(&mut check, blocks, "/view/blocks", Surface::Modal);
            if blocks.iter().any(|block| block["type"] == "input") && !map.contains_key("submit") {
                check.say("/view", "missing required field: submit");
            }
        }
    }
    let complaints = check.into_complaints();
    if complaints.is_empty() { Ok(()) } else { Err(Refused::because("invalid_arguments", complaints)) }
}

fn check_all(check: &mut Check, blocks: &[Value], at: &str, surface: Surface) {
    if surface == Surface::Message && blocks.len() > BLOCKS_IN_A_MESSAGE {
        check.say(at, format!("no more than {BLOCKS_IN_A_MESSAGE} items allowed"));
    }
    let mut ids = HashSet::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = format!("{at}/{index}");
        check_block(check, block, &at, surface);
        if let Some(id) = block.get("block_id").and_then(Value::as_str)
            && !ids.insert(id)
        {
            check.say(&at, format!("`block_id` {id} already exists"));
        }
    }
}

fn check_block(check: &mut Check, block: &Value, at: &str, surface: Surface) {
    let Some(kind) = block.get("type").and_then(Value::as_str) else {
        check.say(at, "missing required field: type");
        return;
    };
    match (kind, surface) {
        ("section", _) => section(check, block, at),
        ("header", _) => {
            if let Some(map) = named(check, block, at, &["text"], &[]) {
                check.text(&map["text"], &format!("{at}/text"), Kind::Plain, 150);
            }
        }
        ("divider", _) => {
            named(check, block, at, &[], &[]);
        }
        ("context", _) => context(check, block, at),
        ("actions", _) => actions(check, block, at),
        ("input", Surface::Modal) => input(check, block, at),
        ("rich_text", _) => rich_text(check, block, at),
        _ => check.say(&format!("{at}/type"), format!("unsupported type: {kind}")),
    }
}

/// A block's fields; none where required ones are missing.
fn named<'v>(
    check: &mut Check,
    block: &'v Value,
    at: &str,
    required: &[&str],
    optional: &[&str],
) -> Option<&'v Map<String, Value>> {
    let required = [&["type"], required].concat();
    let optional = [&["block_id"], optional].concat();
    let map = check.object(block, at, &required, &optional)?;
    check.string(map, "block_id", at, 1, 255);
    Some(map)
}

fn section(check: &mut Check, block: &Value, at: &str) {
    let Some(map) = named(check, block, at, &[], &["text", "fields", "accessory", "expand"]) else { return };
    check.boolean(map, "expand", at);
    if !map.contains_key("text") && !map.contains_key("fields") {
        check.say(at, "missing required field: text");
    }
    if let Some(text) = map.get("text") {
        check.text(text, &format!("{at}/text"), Kind::Any, 3_000);
    }
    if map.contains_key("fields") {
        for (index, field) in check.list(map, "fields", at, 1, 10).into_iter().flatten().enumerate() {
            check.text(field, &format!("{at}/fields/{index}"), Kind::Any, 2_000);
        }
    }
    if let Some(accessory) = map.get("accessory") {
        check.element(accessory, &format!("{at}/accessory"), elements::IN_SECTION);
    }
}

fn context(check: &mut Check, block: &Value, at: &str) {
    let Some(map) = named(check, block, at, &["elements"], &[]) else { return };
    for (index, element) in check.list(map, "elements", at, 1, 10).into_iter().flatten().enumerate() {
        check.text(element, &format!("{at}/elements/{index}"), Kind::Any, 3_000);
    }
}

fn actions(check: &mut Check, block: &Value, at: &str) {
    let Some(map) = named(check, block, at, &["elements"], &[]) else { return };
    let mut ids = HashSet::new();
    for (index, element) in check.list(map, "elements", at, 1, 25).into_iter().flatten().enumerate() {
        let at = format!("{at}/elements/{index}");
        check.element(element, &at, elements::IN_ACTIONS);
        if let Some(id) = element.get("action_id").and_then(Value::as_str)
            && !ids.insert(id)
        {
            check.say(&at, format!("`action_id` {id} already exists"));
        }
    }
}

fn input(check: &mut Check, block: &Value, at: &str) {
    let optional = ["hint", "optional", "dispatch_action"];
    let Some(map) = named(check, block, at, &["label", "element"], &optional) else { return };
    check.text(&map["label"], &format!("{at}/label"), Kind::Plain, 2_000);
    if let Some(hint) = map.get("hint") {
        check.text(hint, &format!("{at}/hint"), Kind::Plain, 2_000);
    }
    check.boolean(map, "optional", at);
    check.boolean(map, "dispatch_action", at);
    check.element(&map["element"], &format!("{at}/element"), elements::IN_INPUT);
}

fn rich_text(check: &mut Check, block: &Value, at: &str) {
    let Some(map) = named(check, block, at, &["elements"], &[]) else { return };
    let kinds = ["rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"];
    for (index, element) in check.list(map, "elements", at, 1, usize::MAX).into_iter().flatten().enumerate() {
        let at = format!("{at}/elements/{index}");
        let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
        if !kinds.contains(&kind) {
            check.say(&format!("{at}/type"), format!("unsupported type: {kind}"));
        }
        if !element.get("elements").is_some_and(Value::is_array) {
            check.say(&at, "missing required field: elements");
        }
    }
}

fn text_of(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| match inner {
                Value::String(text) if key == "text" => text.chars().count(),
                other => text_of(other),
            })
            .sum(),
        Value::Array(list) => list.iter().map(text_of).sum(),
        _ => 0,
    }
}
