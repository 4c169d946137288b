//! The objects that blocks and elements are composed of: texts, confirmation dialogs, options.

use serde_json::Value;

use super::check::Check;

/// Which kind of text is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Any,
}

impl Check {
    /// A text object with at least one character.
    pub(super) fn text(&mut self, value: &Value, at: &str, kind: Kind, max: usize) {
        let plain = value.get("type").is_some_and(|kind| kind == "plain_text");
        let own = if plain { "emoji" } else { "verbatim" };
        let Some(map) = self.object(value, at, &["type", "text"], &[own]) else { return };
        let kinds: &[&str] = if kind == Kind::Plain { &["plain_text"] } else { &["plain_text", "mrkdwn"] };
        self.one_of(map, "type", at, kinds);
        self.boolean(map, own, at);
        self.string(map, "text", at, 1, max);
    }

    pub(super) fn confirm(&mut self, value: &Value, at: &str) {
        let required = ["title", "text", "confirm", "deny"];
        let Some(map) = self.object(value, at, &required, &["style"]) else { return };
        self.text(&map["title"], &format!("{at}/title"), Kind::Plain, 100);
        self.text(&map["text"], &format!("{at}/text"), Kind::Any, 300);
        self.text(&map["confirm"], &format!("{at}/confirm"), Kind::Plain, 30);
        self.text(&map["deny"], &format!("{at}/deny"), Kind::Plain, 30);
        self.one_of(map, "style", at, &["primary", "danger"]);
    }

    pub(super) fn option(&mut self, value: &Value, at: &str, kind: Kind) {
        let Some(map) = self.object(value, at, &["text", "value"], &["description"]) else { return };
        self.text(&map["text"], &format!("{at}/text"), kind, 75);
        self.string(map, "value", at, 1, 150);
        if let Some(description) = map.get("description") {
            self.text(description, &format!("{at}/description"), kind, 75);
        }
    }
}
