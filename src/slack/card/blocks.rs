//! Block Kit, as far as it is used, and how much of a card fits into a message.

use super::text::{Mrkdwn, Plain};
use serde_json::{Value, json};

/// How much the blocks of a message may count. Slack takes about 13,300 characters, of which each block uses up 125
/// beside its text; neither is documented.
pub(super) const BUDGET: usize = 13_200;
/// What a block counts beside its own bytes: more than Slack's 125 with what its JSON has beside the text.
const BESIDE: usize = 110;
/// What Slack takes in a section.
const SECTION: usize = 3_000;
/// What Slack takes in a message.
pub(super) const BLOCKS: usize = 50;

/// A part of a card, in its place.
pub(super) struct Part {
    /// The greater, the sooner it is shortened.
    rank: u8,
    content: Content,
}

enum Content {
    /// As it is.
    Fixed(Value),
    /// A section; the first line is its title.
    Lines(Vec<Mrkdwn>),
}

impl Part {
    /// A part that is always shown whole.
    pub(super) fn fixed(block: Value) -> Self {
        Self { rank: 0, content: Content::Fixed(block) }
    }

    /// A section that is shortened, and left out, where there is no room.
    pub(super) fn lines(rank: u8, lines: Vec<Mrkdwn>) -> Self {
        Self { rank, content: Content::Lines(lines) }
    }

    fn block(&self) -> Option<Value> {
        match &self.content {
            Content::Fixed(block) => Some(block.clone()),
            Content::Lines(lines) if lines.is_empty() => None,
            Content::Lines(lines) => Some(section(lines)),
        }
    }
}

/// The blocks of `parts`, the least important of which are shortened and then left out until all fit.
pub(super) fn fit(mut parts: Vec<Part>) -> Value {
    loop {
        let blocks: Vec<Value> = parts.iter().filter_map(Part::block).collect();
        let fits = blocks.iter().map(size).sum::<usize>() <= BUDGET && blocks.len() <= BLOCKS;
        if fits || !shorten(&mut parts) {
            return Value::Array(blocks);
        }
    }
}

/// How much a block counts.
pub(super) fn size(block: &Value) -> usize {
    block.to_string().len() + BESIDE
}

fn shorten(parts: &mut Vec<Part>) -> bool {
    let candidates = parts.iter().enumerate().filter(|(_, part)| matches!(part.content, Content::Lines(_)));
    let Some(at) = candidates.max_by_key(|(_, part)| part.rank).map(|(at, _)| at) else {
        return false;
    };
    match &mut parts[at].content {
        Content::Lines(lines) if lines.len() > 4 => {
            lines.truncate(lines.len() / 2);
            lines.push(Mrkdwn::new("_… more_"));
        }
        Content::Lines(_) | Content::Fixed(_) => {
            parts.remove(at);
        }
    }
    true
}

/// A section of as many lines as Slack takes.
pub(super) fn section(lines: &[Mrkdwn]) -> Value {
    const MORE: &str = "_… more_";
    let mut room = SECTION - MORE.len() - 1;
    let fits = lines.iter().take_while(|line| {
        let left = room.checked_sub(line.length() + 1);
        room = left.unwrap_or(0);
        left.is_some()
    });
    let mut shown: Vec<Mrkdwn> = fits.cloned().collect();
    if shown.len() < lines.len() {
        shown.push(Mrkdwn::new(MORE));
    }
    json!({ "type": "section", "text": Mrkdwn::joined(&shown, "\n").object() })
}

/// As many sections as it takes.
pub(super) fn sections(lines: &[Mrkdwn]) -> Vec<Value> {
    let mut blocks = Vec::new();
    let (mut from, mut length) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        length += line.length() + 1;
        if length > SECTION - 50 && at > from {
            blocks.push(section(&lines[from..at]));
            (from, length) = (at, line.length() + 1);
        }
    }
    blocks.push(section(&lines[from..]));
    blocks
}

pub(super) fn header(text: &Plain) -> Value {
    json!({ "type": "header", "text": text.object() })
}

pub(super) fn context(line: &Mrkdwn) -> Value {
    json!({ "type": "context", "elements": [line.object()] })
}

pub(super) fn divider() -> Value {
    json!({ "type": "divider" })
}

pub(super) fn actions(buttons: &[Value]) -> Value {
    json!({ "type": "actions", "elements": buttons })
}

/// A button; `style` is `primary`, `danger` or `""`.
pub(super) fn button(label: &'static str, action: &str, value: &str, style: &str) -> Value {
    let text = json!({ "type": "plain_text", "text": label, "emoji": false });
    let mut button = json!({ "type": "button", "text": text, "action_id": action, "value": value });
    if !style.is_empty() {
        button["style"] = json!(style);
    }
    button
}
