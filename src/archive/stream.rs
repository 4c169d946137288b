//! A text too large to hold: it is read through a window. As long as it is regular, unit after unit is judged. Where it
//! is not, the stretch up to the end of the line is parsed as it stands, as the parser of whole files does with lines;
//! only a line that is itself too large to hold is given up, and told.

use super::judge::{Tally, is_of_no_account};
use super::split::{Irregular, Splitter, Unit};
use memchr::{memchr, memrchr};
use serde::de::IgnoredAny;
use std::io::{self, Read};

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// How a large text is read.
pub(super) struct Stream<'s> {
    /// The most that is held of it, in bytes: more than any record has.
    pub(super) window: usize,
    /// Parse every record: nothing vouches for the bytes, or it was asked for.
    pub(super) parse_all: bool,
    /// It is read as it lies there, and not decompressed.
    pub(super) plain: bool,
    /// Takes what was found so far, and how many bytes of the text were read for it.
    pub(super) sink: &'s mut dyn FnMut(Tally, u64),
}

/// Where the text goes on after a stretch that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seek {
    Brace,
    Line,
}

struct Reading {
    held: Vec<u8>,
    /// Where in the text what is held begins.
    base: usize,
    /// How much of what is held was fed to the splitter.
    fed: usize,
    splitter: Splitter,
    seek: Option<Seek>,
    /// A stretch that is parsed as soon as the end of its line is there.
    stuck: Option<Irregular>,
    tally: Tally,
}

impl Stream<'_> {
    /// Reads it to its end. A text that breaks off is told as damage, and what came before it is judged.
    pub(super) fn read(&mut self, mut from: impl Read) {
        let mut reading = Reading {
            held: Vec::new(),
            base: 0,
            fed: 0,
            splitter: Splitter::strict(0),
            seek: None,
            stuck: None,
            tally: Tally::default(),
        };
        let mut started = false;
        loop {
            let (count, error) = fill(&mut reading.held, &mut from, self.window.min(PIECE));
            if !started && !reading.start() {
                break;
            }
            started = true;
            if count > 0 && error.is_none() {
                reading.go_on(self.parse_all, self.window);
                (self.sink)(std::mem::take(&mut reading.tally), count as u64);
                continue;
            }
            let at = reading.base + reading.held.len();
            reading.last(self.parse_all, self.window);
            if let Some(error) = error {
                let (error, position) = if self.plain {
                    (error.to_string(), format!("byte {at}"))
                } else {
                    (format!("broken gzip: {error}"), format!("byte {at} of the decompressed text"))
                };
                reading.tally.damaged(error, position);
            }
            (self.sink)(std::mem::take(&mut reading.tally), count as u64);
            return;
        }
        (self.sink)(reading.tally, 0);
    }
}

/// Appends a piece, a whole one unless the text ends or cannot be read on: how much it was, and why not.
fn fill(held: &mut Vec<u8>, from: &mut impl Read, piece: usize) -> (usize, Option<io::Error>) {
    let before = held.len();
    let error = from.take(piece as u64).read_to_end(held).err();
    (held.len() - before, error)
}

impl Reading {
    /// Looks at how the text begins. False: nothing in it can be read.
    fn start(&mut self) -> bool {
        if self.held.starts_with(b"\xff\xfe") || self.held.starts_with(b"\xfe\xff") {
            self.tally.parse(&self.held[..2], "");
            return false;
        }
        if self.held.starts_with(b"\xef\xbb\xbf") {
            self.let_go(3);
            self.splitter = Splitter::strict(3);
        }
        true
    }

    /// Feeds what is held and not fed yet, and lets go of what is needed no more.
    fn go_on(&mut self, parse_all: bool, window: usize) {
        loop {
            if let Some(seek) = self.seek {
                if !self.found(seek) {
                    return;
                }
                self.seek = None;
            }
            let fed = self.stuck.take().map_or_else(|| self.feed(parse_all), Err);
            let Err(irregular) = fed else {
                self.let_go(self.splitter.needs());
                if self.held.len() <= window {
                    return;
                }
                // The unit outgrows the window.
                self.stretch(Irregular { at: self.base + self.held.len(), from: self.base }, window);
                continue;
            };
            if irregular.from == irregular.at {
                self.between(irregular.at);
            } else if !self.stretch(irregular, window) {
                return;
            }
        }
    }

    fn feed(&mut self, parse_all: bool) -> Result<(), Irregular> {
        let Self { held, base, fed, splitter, tally, .. } = self;
        let base = *base;
        let from = *fed;
        *fed = held.len();
        let mut sink = |unit: Unit| {
            let whole = &held[unit.start - base..unit.end - base];
            if !parse_all && is_of_no_account(whole, &unit) {
                tally.records += 1;
                return true;
            }
            let mut parsed = Tally::default();
            parsed.parse(whole, &format!("byte {}", unit.start));
            // A unit over several lines that is no JSON may be a broken line and what follows it.
            let several = !parsed.damage.is_empty() && memchr(b'\n', whole).is_some();
            if several && serde_json::from_slice::<IgnoredAny>(whole).is_err() {
                return false;
            }
            tally.records += parsed.records;
            tally.findings.append(&mut parsed.findings);
            tally.damage.append(&mut parsed.damage);
            true
        };
        splitter.feed(&held[from..], &mut sink)
    }

    /// Something stands between units that is none. Lists in lists are no damage; what else it is, is told.
    fn between(&mut self, at: usize) {
        self.let_go(at);
        if self.held.first() != Some(&b'[') {
            let seen = String::from_utf8_lossy(&self.held[..self.held.len().min(20)]).into_owned();
            self.tally.damaged(format!("no record begins with {seen:?}"), format!("byte {at}"));
            self.seek = Some(Seek::Brace);
        }
        self.resume(at);
    }

    /// Parses a stretch that is not regular, up to the end of its line. False: that is not there yet.
    fn stretch(&mut self, irregular: Irregular, window: usize) -> bool {
        self.let_go(irregular.from);
        let looked = (irregular.at - self.base).min(self.held.len());
        let mut line_end = memchr(b'\n', &self.held[looked..]).map(|length| looked + length + 1);
        if line_end.is_none() && self.held.len() <= window {
            self.stuck = Some(irregular);
            return false;
        }
        line_end = line_end.or_else(|| memrchr(b'\n', &self.held).map(|at| at + 1));
        let end = line_end.unwrap_or(self.held.len());
        let position = format!("byte {}", self.base);
        self.tally.parse(&self.held[..end], &position);
        if line_end.is_none() {
            self.seek = Some(Seek::Line);
            let error = format!("a line of more than {window} bytes is not regular: the rest of it was not judged");
            self.tally.damaged(error, position);
        }
        self.let_go(self.base + end);
        self.resume(self.base);
        true
    }

    /// Drops what is held before an offset of the text.
    fn let_go(&mut self, at: usize) {
        let count = at - self.base;
        self.held.drain(..count);
        self.base = at;
        self.fed = self.fed.saturating_sub(count);
    }

    fn resume(&mut self, at: usize) {
        self.splitter = Splitter::resume(at);
        self.fed = 0;
    }

    /// Whether the place to go on is held; what stands before it is dropped.
    fn found(&mut self, seek: Seek) -> bool {
        let (byte, behind) = match seek {
            Seek::Brace => (b'{', 0),
            Seek::Line => (b'\n', 1),
        };
        let at = memchr(byte, &self.held).map(|at| at + behind);
        self.let_go(self.base + at.unwrap_or(self.held.len()));
        self.resume(self.base);
        at.is_some()
    }

    /// The text has ended.
    fn last(&mut self, parse_all: bool, window: usize) {
        self.go_on(parse_all, window);
        if self.seek.is_some() {
            return;
        }
        let breaks_off = self.stuck.is_none() && self.splitter.finish().is_err();
        match self.stuck.take().map_or_else(|| self.splitter.finish(), Err) {
            Ok(()) => self.held.clear(),
            Err(irregular) => self.let_go(irregular.from.clamp(self.base, self.base + self.held.len())),
        }
        let position = format!("byte {}", self.base);
        let told = self.tally.damage.len();
        self.tally.parse(&self.held, &position);
        // Right between two records nothing is left that the parser would complain of.
        if breaks_off && self.tally.damage.len() == told {
            self.tally.damaged("the text breaks off: a list or an object in it is not closed".to_owned(), position);
        }
    }
}
