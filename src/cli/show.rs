//! How things look.

use super::Format;
use crate::policy::{Problem, Severity};
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

/// What of standard output could not be written, if anything.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// A line on standard output. A reader that went away is no error of ours; any other is told in the end.
pub(super) fn line(text: &str) {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => drop(UNWRITTEN.set(error.to_string())),
        _ => {}
    }
}

/// Why not everything that was to be shown is on standard output; `None`: it is.
pub(super) fn unwritten() -> Option<&'static str> {
    UNWRITTEN.get().map(String::as_str)
}

/// One JSON line.
pub(super) fn json<T: Serialize>(value: &T) {
    match serde_json::to_string(value) {
        Ok(text) => line(&text),
        Err(error) => complain(&format!("cannot be shown as JSON: {error}")),
    }
}

/// An error, on standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "sluicegate: {}", visible_lines(text, ""));
}

/// Text in a colour, where a person looks.
pub(super) fn coloured(text: &str, code: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

pub(super) const RED: &str = "31";
pub(super) const GREEN: &str = "32";
pub(super) const YELLOW: &str = "33";
pub(super) const BOLD: &str = "1";

/// Problems of policy files: `file:line:column: error: …`.
pub(super) fn problems(problems: &[Problem], format: Format) {
    for problem in problems {
        if format == Format::Json {
            json(problem);
            continue;
        }
        let severity = match problem.severity {
            Severity::Error => coloured("error", RED),
            Severity::Warning => coloured("warning", YELLOW),
        };
        let (file, message) = (visible(&problem.file), visible_lines(&problem.message, "    "));
        line(&format!("{file}:{}:{}: {severity}: {message}", problem.line, problem.column));
        if !problem.suggestion.is_empty() {
            line(&format!("    {}", visible_lines(&problem.suggestion, "    ")));
        }
    }
}

/// Text from outside, with what does not show made visible: it must neither command the terminal, nor reorder what
/// stands there, nor write lines of its own.
pub(super) fn visible(text: &str) -> String {
    let hostile = |c: char| c.is_control() || is_format(c);
    text.chars().flat_map(|c| if hostile(c) { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// The same for text of ours over several lines, each but the first after `indent`.
pub(super) fn visible_lines(text: &str, indent: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join(&format!("\n{indent}"))
}

/// Characters without a shape: direction marks, zero widths, separators, tags.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Columns, each as wide as its widest cell.
pub(super) fn table(rows: &[Vec<String>]) {
    for text in table_lines(rows) {
        line(&text);
    }
}

/// The lines of such a table.
pub(super) fn table_lines(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let told = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(told).collect()
}
