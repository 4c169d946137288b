//! What may stand between the units of a text: a small automaton over single bytes.

/// Where between units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Between documents.
    #[default]
    Top,
    /// In a document that has just begun, so many bytes into [`KEY`].
    Key(usize),
    /// Behind the bracket that opens a list.
    Opened,
    /// Behind an element.
    Element,
    /// Behind the comma that another element must follow.
    Comma,
    /// Behind the list of a log file: only its closing brace is missing.
    Closed,
}

/// What a log file begins with behind its brace. White space may stand around the name, not in it.
const KEY: &[u8] = b"\"Records\":[";
/// So much of [`KEY`] is the name.
const NAME: usize = KEY.len() - 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Gap {
    state: State,
    /// The list is a document's `Records`, and not a document itself.
    in_document: bool,
    /// Where the document began that is being looked at.
    document: usize,
    /// Lists and objects may end here without having begun: the text was irregular before.
    loose: bool,
}

impl Gap {
    /// One that minds less.
    pub(super) fn loose() -> Self {
        Self { loose: true, ..Self::default() }
    }

    /// Takes one byte that is no brace; whether it may stand there.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let next = match (self.state, byte) {
            (State::Element, b',') => State::Comma,
            (State::Key(matched), _) if byte == KEY[matched] => {
                self.in_document = true;
                if matched + 1 == KEY.len() { State::Opened } else { State::Key(matched + 1) }
            }
            (State::Opened | State::Element, b']') if self.in_document => State::Closed,
            (State::Opened | State::Element, b']') => State::Top,
            (State::Top, b',' | b'[' | b']') if self.loose => State::Top,
            (State::Top, b'[') => {
                self.in_document = false;
                State::Opened
            }
            (State::Key(1..NAME), _) => return false,
            (_, b' ' | b'\n' | b'\r' | b'\t') => return true,
            _ => return false,
        };
        self.state = next;
        true
    }

    /// A brace opens at `at`. True: a document, whose first key is to be looked at.
    pub(super) fn opens_document(&mut self, at: usize) -> bool {
        let opens = self.state == State::Top;
        if opens {
            self.state = State::Key(0);
            self.document = at;
        }
        opens
    }

    /// A brace opens. True: an element of the list.
    pub(super) fn opens_element(&self) -> bool {
        matches!(self.state, State::Opened | State::Comma)
    }

    /// A brace closes. True: it is that of the log file.
    pub(super) fn closes_document(&mut self) -> bool {
        let closes = self.state == State::Closed || (self.loose && self.state == State::Top);
        if closes {
            self.state = State::Top;
        }
        closes
    }

    /// Whether the first key of a document is being looked at.
    pub(super) fn is_in_key(&self) -> bool {
        matches!(self.state, State::Key(_))
    }

    /// Where the document of that key began.
    pub(super) fn document(&self) -> usize {
        self.document
    }

    /// The document is a unit itself. Returns where it began.
    pub(super) fn leave_key(&mut self) -> usize {
        self.state = State::Top;
        self.document
    }

    /// A unit has ended.
    pub(super) fn after_unit(&mut self) {
        if self.opens_element() {
            self.state = State::Element;
        }
    }

    /// Whether the text may end here.
    pub(super) fn may_end(&self) -> bool {
        self.state == State::Top
    }
}
