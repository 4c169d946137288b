//! The texts a policy set is loaded from, and problems that point into them.

use super::{Problem, Severity};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A policy file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, as problems are to give it.
    pub name: String,
    /// Its whole content.
    pub text: String,
}

impl SourceFile {
    /// A file of that name and content.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// The files of a policy directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFiles {
    /// `allowlist.toml`
    pub allowlist: SourceFile,
    /// `rules.cedar`
    pub rules: SourceFile,
    /// `inventory.toml`
    pub inventory: SourceFile,
    /// `sluicegate.cedarschema`, for editors only: the embedded one is what counts.
    pub schema: Option<SourceFile>,
}

impl PolicyFiles {
    /// SHA-256 (hex) over what decides: the three files and the embedded vocabulary, each preceded by its length, so
    /// that no text can move from one file to the next unseen.
    pub(super) fn digest(&self, vocabulary: &str) -> String {
        let mut hash = Sha256::new();
        for text in [&self.allowlist.text, &self.rules.text, &self.inventory.text, vocabulary] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        HEXLOWER.encode(&hash.finalize())
    }
}

impl Problem {
    /// A file that cannot be read at all: missing, no permission, not UTF-8. It refuses the set.
    pub fn unreadable(file: impl Into<String>, why: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line: 1,
            column: 1,
            message: why.into(),
            suggestion: suggestion.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Self { file, line, column, message, suggestion, .. } = self;
        write!(f, "{file}:{line}:{column}: {severity}: {message}")?;
        if suggestion.is_empty() { Ok(()) } else { write!(f, "; {suggestion}") }
    }
}

/// Collects the problems of one file by byte offset.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    file: &'a SourceFile,
    /// The byte at which each line starts.
    starts: Vec<usize>,
    problems: Vec<Problem>,
}

impl<'a> Notes<'a> {
    pub(super) fn new(file: &'a SourceFile) -> Self {
        let breaks = file.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { file, starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect(), problems: Vec::new() }
    }

    pub(super) fn name(&self) -> &'a str {
        &self.file.name
    }

    pub(super) fn text(&self) -> &'a str {
        &self.file.text
    }

    pub(super) fn error(&mut self, at: usize, message: impl Into<String>, suggestion: impl Into<String>) {
        self.push(Severity::Error, at, message.into(), suggestion.into());
    }

    pub(super) fn warning(&mut self, at: usize, message: impl Into<String>, suggestion: impl Into<String>) {
        self.push(Severity::Warning, at, message.into(), suggestion.into());
    }

    /// Whether there is an error among them.
    pub(super) fn refuse(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Line and column, both from 1, the column in characters.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.file.text.get(start..at).unwrap_or("");
        (line.max(1), before.chars().count() + 1)
    }

    fn push(&mut self, severity: Severity, at: usize, message: String, suggestion: String) {
        let (line, column) = self.place(at);
        self.problems.push(Problem { severity, file: self.file.name.clone(), line, column, message, suggestion });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines_from_one() {
        let file = SourceFile::new("f", "é x\n\nlast");
        let notes = Notes::new(&file);
        assert_eq!(notes.place(0), (1, 1));
        assert_eq!(notes.place(3), (1, 3));
        assert_eq!(notes.place(5), (2, 1));
        assert_eq!(notes.place(8), (3, 3));
        assert_eq!(notes.place(999), (3, 1));
    }

    #[test]
    fn text_moved_between_files_changes_the_digest() {
        let files = |allowlist: &str, rules: &str| PolicyFiles {
            allowlist: SourceFile::new("a", allowlist),
            rules: SourceFile::new("r", rules),
            inventory: SourceFile::new("i", ""),
            schema: None,
        };
        assert_ne!(files("ab", "c").digest(""), files("a", "bc").digest(""));
        assert_eq!(files("ab", "c").digest(""), files("ab", "c").digest(""));
        assert_eq!(files("ab", "c").digest("").len(), 64);
    }
}
