//! Cuts a Cedar text into its statements, so that each can be parsed by itself and its errors placed.

/// One statement and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The text, to its `;`.
    pub(super) text: String,
    /// The byte in the file at which it begins.
    pub(super) at: usize,
}

impl Statement {
    /// Where `needle` stands in the code, comments aside; the statement's beginning where it does not.
    pub(super) fn find(&self, needle: &str) -> usize {
        let mut from = 0;
        while let Some(found) = self.text.get(from..).and_then(|rest| rest.find(needle)) {
            let at = from + found;
            if !is_comment(&self.text, at) {
                return self.at + at;
            }
            from = at + needle.len().max(1);
        }
        self.at
    }
}

/// What a byte of the text is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Comment,
    Quote,
    Escape,
}

impl State {
    fn next(self, byte: u8, following: Option<u8>) -> Self {
        match (self, byte) {
            (Self::Code, b'/') if following == Some(b'/') => Self::Comment,
            (Self::Comment, b'\n' | b'\r') | (Self::Quote, b'"') => Self::Code,
            (Self::Code, b'"') | (Self::Escape, _) => Self::Quote,
            (Self::Quote, b'\\') => Self::Escape,
            (state, _) => state,
        }
    }
}

/// The statements of a file, in order. What follows the last `;` is one too, unless it is only space and comment.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let bytes = text.as_bytes();
    let mut statements = Vec::new();
    let mut start: Option<usize> = None;
    let mut state = State::Code;
    for (at, byte) in bytes.iter().copied().enumerate() {
        let before = state;
        state = state.next(byte, bytes.get(at + 1).copied());
        let code = before == State::Code && state != State::Comment;
        if code && start.is_none() && !byte.is_ascii_whitespace() {
            start = Some(at);
        }
        if code && byte == b';' {
            statements.extend(cut(text, start.take(), at + 1));
        }
    }
    statements.extend(cut(text, start, text.trim_end().len()));
    statements
}

fn cut(text: &str, start: Option<usize>, end: usize) -> Option<Statement> {
    let at = start?;
    Some(Statement { text: text.get(at..end)?.to_owned(), at })
}

fn is_comment(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let mut state = State::Code;
    for (index, byte) in bytes.iter().copied().enumerate().take(at + 1) {
        state = state.next(byte, bytes.get(index + 1).copied());
    }
    state == State::Comment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_strings_and_comments_end_nothing() {
        let text = "// a; b\n@id(\"x;\\\"y\") permit (principal); // c;\n\nforbid (x); // the end";
        let found = statements(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].at, 8);
        assert!(found[0].text.starts_with("@id") && found[0].text.ends_with(");"));
        assert_eq!(found[1].text, "forbid (x);");
        assert_eq!(&text[found[1].at..found[1].at + 6], "forbid");
    }

    #[test]
    fn an_unfinished_statement_is_kept() {
        assert_eq!(statements("permit (principal").len(), 1);
        assert!(statements("// nothing\n\n").is_empty());
        assert!(statements("").is_empty());
    }

    #[test]
    fn what_a_comment_says_is_not_found() {
        let statement = Statement { text: "permit // \"x\"\n(\"x\");".to_owned(), at: 100 };
        assert_eq!(statement.find("\"x\""), 115);
        assert_eq!(statement.find("nowhere"), 100);
    }
}
