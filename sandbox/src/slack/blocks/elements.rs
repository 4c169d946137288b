//! Buttons, menus, boxes and fields.

use serde_json::{Map, Value};

use super::check::Check;
use super::objects::Kind;

pub(super) const IN_SECTION: &[&str] = &["button", "static_select", "checkboxes", "radio_buttons"];
pub(super) const IN_ACTIONS: &[&str] = IN_SECTION;
pub(super) const IN_INPUT: &[&str] = &["plain_text_input", "static_select", "checkboxes", "radio_buttons"];

/// Boxes and radio buttons in one element.
const BOXES: usize = 10;
/// Options in one menu.
const OPTIONS: usize = 100;

impl Check {
    /// An element of one of these types.
    pub(super) fn element(&mut self, value: &Value, at: &str, allowed: &[&str]) {
        let Some(kind) = value.get("type").and_then(Value::as_str) else {
            self.say(at, "missing required field: type");
            return;
        };
        if !allowed.contains(&kind) {
            self.say(&format!("{at}/type"), format!("unsupported type: {kind}"));
            return;
        }
        match kind {
            "button" => self.button(value, at),
            "plain_text_input" => self.plain_text_input(value, at),
            "static_select" => self.static_select(value, at),
            _ => self.boxes(value, at, kind == "checkboxes"),
        }
    }

    fn button(&mut self, value: &Value, at: &str) {
        let optional = ["action_id", "url", "value", "style", "confirm", "accessibility_label"];
        let Some(map) = self.object(value, at, &["type", "text"], &optional) else { return };
        self.text(&map["text"], &format!("{at}/text"), Kind::Plain, 75);
        self.string(map, "action_id", at, 1, 255);
        self.string(map, "url", at, 1, 3_000);
        self.string(map, "value", at, 1, 2_000);
        self.string(map, "accessibility_label", at, 1, 75);
        self.one_of(map, "style", at, &["primary", "danger"]);
        self.confirmed(map, at);
    }

    fn plain_text_input(&mut self, value: &Value, at: &str) {
        let optional = [
            "action_id",
            "initial_value",
            "multiline",
            "min_length",
            "max_length",
            "dispatch_action_config",
            "focus_on_load",
            "placeholder",
        ];
        let Some(map) = self.object(value, at, &["type"], &optional) else { return };
        self.common(map, at);
        self.string(map, "initial_value", at, 0, 3_000);
        self.boolean(map, "multiline", at);
        for (key, least) in [("min_length", 0), ("max_length", 1)] {
            if map.get(key).is_some_and(|n| !n.as_u64().is_some_and(|n| (least..=3_000).contains(&n))) {
                self.say(&format!("{at}/{key}"), format!("must be between {least} and 3000"));
            }
        }
    }

    fn static_select(&mut self, value: &Value, at: &str) {
        let optional =
            ["action_id", "options", "option_groups", "initial_option", "confirm", "focus_on_load", "placeholder"];
        let Some(map) = self.object(value, at, &["type"], &optional) else { return };
        self.common(map, at);
        self.confirmed(map, at);
        if let Some(groups) = map.get("option_groups").and_then(Value::as_array) {
            if groups.len() > OPTIONS || map.contains_key("options") {
                self.say(&format!("{at}/option_groups"), format!("no more than {OPTIONS} items allowed"));
            }
            for (index, group) in groups.iter().enumerate() {
                let at = format!("{at}/option_groups/{index}");
                if let Some(group) = self.object(group, &at, &["label", "options"], &[]) {
                    self.text(&group["label"], &format!("{at}/label"), Kind::Plain, 75);
                    self.options(group, &at, OPTIONS, Kind::Plain);
                }
            }
        } else {
            self.options(map, at, OPTIONS, Kind::Plain);
        }
        if let Some(option) = map.get("initial_option") {
            self.option(option, &format!("{at}/initial_option"), Kind::Plain);
        }
    }

    fn boxes(&mut self, value: &Value, at: &str, several: bool) {
        let initial = if several { "initial_options" } else { "initial_option" };
        let optional = ["action_id", "confirm", "focus_on_load", initial];
        let Some(map) = self.object(value, at, &["type", "options"], &optional) else { return };
        self.common(map, at);
        self.confirmed(map, at);
        self.options(map, at, BOXES, Kind::Any);
        let offered = map["options"].as_array().map(Vec::as_slice).unwrap_or_default();
        let chosen = match map.get(initial) {
            Some(Value::Array(list)) if several => list.as_slice(),
            Some(one) if !several => std::slice::from_ref(one),
            Some(_) => return self.say(&format!("{at}/{initial}"), "should be an array"),
            None => &[],
        };
        if chosen.iter().any(|one| !offered.contains(one)) {
            self.say(&format!("{at}/{initial}"), "must be among the options");
        }
    }

    fn options(&mut self, map: &Map<String, Value>, at: &str, max: usize, kind: Kind) {
        for (index, option) in self.list(map, "options", at, 1, max).into_iter().flatten().enumerate() {
            self.option(option, &format!("{at}/options/{index}"), kind);
        }
    }

    fn common(&mut self, map: &Map<String, Value>, at: &str) {
        self.string(map, "action_id", at, 1, 255);
        self.boolean(map, "focus_on_load", at);
        if let Some(placeholder) = map.get("placeholder") {
            self.text(placeholder, &format!("{at}/placeholder"), Kind::Plain, 150);
        }
    }

    fn confirmed(&mut self, map: &Map<String, Value>, at: &str) {
        if let Some(confirm) = map.get("confirm") {
            self.confirm(confirm, &format!("{at}/confirm"));
        }
    }
}
