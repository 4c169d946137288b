//! The shapes in which records arrive: EventBridge envelope, `{"Records": […]}`, bare record, a list of these, JSON
//! lines or documents one after the other; each also as gzip.

use super::Record;
use super::document::{Document, Item};
use flate2::read::MultiGzDecoder;
use memchr::{memchr, memchr_iter, memrchr};
use serde_json::error::Category;
use std::borrow::Cow;
use std::io::Read;

/// A place in the input that could not be read. Everything around it still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong, for people.
    pub error: String,
    /// Where: `line 3, column 14`, `record 7 (line 3)`, `byte 120`.
    pub position: String,
}

/// One thing found in an input.
pub type Input = Result<Box<Record>, Damage>;

/// How much one gzip input may hold once decompressed. The largest log file of CloudTrail is a tenth of it.
pub const MAX_RAW_BYTES: u64 = 512 << 20;

/// A document that does not end with its line is tried as one that spans lines. Where that keeps failing the input is
/// damaged JSON lines, and each try may read all the rest of it.
const FAILED_TRIES: usize = 16;

/// Reads everything in `bytes`, in order.
pub fn read(bytes: &[u8]) -> Vec<Input> {
    let mut inputs = Vec::new();
    each(bytes, |input| inputs.push(input));
    inputs
}

/// Hands everything in `bytes` to `sink`, in order: what is in the input need not be held all at once.
pub fn each(bytes: &[u8], mut sink: impl FnMut(Input)) {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let (raw, damage) = inflate(bytes, MAX_RAW_BYTES);
        each_raw(&raw, &mut sink);
        if let Some(damage) = damage {
            sink(Err(damage));
        }
    } else {
        each_raw(bytes, &mut sink);
    }
}

/// Whether there is nothing in `bytes` but white space and perhaps a byte order mark. [`read`] finds no damage in it;
/// a queue's message should not be so.
pub fn is_blank(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().all(u8::is_ascii_whitespace)
}

/// Decompresses all members. What comes before a damage is kept; what exceeds `limit` is a bomb, and none of it is.
fn inflate(bytes: &[u8], limit: u64) -> (Vec<u8>, Option<Damage>) {
    let mut raw = Vec::new();
    let result = MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut raw);
    let size = raw.len();
    let damage = |error: String| Some(Damage { error, position: format!("byte {size} of the decompressed text") });
    match result {
        Ok(_) if size as u64 <= limit => (raw, None),
        Ok(_) => {
            let error = format!("more than {limit} bytes after decompression: none of it was judged");
            (Vec::new(), damage(error))
        }
        Err(error) => (raw, damage(format!("broken gzip: {error}"))),
    }
}

fn each_raw(bytes: &[u8], sink: &mut dyn FnMut(Input)) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        sink(Err(Damage {
            error: "this is UTF-16; CloudTrail's records are UTF-8".to_owned(),
            position: "byte 0".to_owned(),
        }));
        return;
    }
    // A byte out of place must hide neither its record nor the others: it is told, and all is judged without it.
    let (text, stray) = match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(error) => (String::from_utf8_lossy(bytes), Some(error.valid_up_to())),
    };
    let mut reader = Reader::new(&text, sink);
    if let Some(offset) = stray {
        let (line, column) = reader.place(offset);
        reader.damaged(line, column, "not UTF-8".to_owned());
    }
    reader.read();
}

/// How one try to read documents ended: the offset at which the first unreadable one starts, and why it is so.
struct Stop {
    offset: usize,
    error: serde_json::Error,
}

/// The lines and columns before an offset, so that each is counted once.
#[derive(Default)]
struct Counted {
    offset: usize,
    lines: usize,
    columns: usize,
}

struct Reader<'t, 's> {
    text: &'t str,
    sink: &'s mut dyn FnMut(Input),
    counted: Counted,
    tries_left: usize,
    /// The last line that was told to be no JSON; a document that breaks there would be told twice.
    told: usize,
}

impl<'t, 's> Reader<'t, 's> {
    fn new(text: &'t str, sink: &'s mut dyn FnMut(Input)) -> Self {
        Self { text, sink, counted: Counted::default(), tries_left: FAILED_TRIES, told: 0 }
    }

    fn read(&mut self) {
        let text = self.text;
        let mut at = 0;
        while let Some(skip) = text.as_bytes()[at..].iter().position(|byte| !byte.is_ascii_whitespace()) {
            at += skip;
            let end = self.line_end(at);
            // Most documents end with their line. In JSON lines, that keeps a broken one from swallowing the next.
            let Some(stop) = self.documents(at, end, usize::MAX).err() else {
                at = end;
                continue;
            };
            let goes_on = stop.error.classify() == Category::Eof && !text[end..].trim_ascii().is_empty();
            at = if goes_on && self.tries_left > 0 {
                self.spanning(&stop, end)
            } else {
                self.broken(&stop, end);
                end
            };
        }
    }

    /// Reads the document that starts in a line and does not end with it. Returns where to go on.
    fn spanning(&mut self, line: &Stop, end: usize) -> usize {
        let text = self.text;
        let stop = match self.documents(line.offset, text.len(), 1) {
            Ok(next) => return next,
            Err(stop) => stop,
        };
        self.tries_left -= 1;
        // The next line begins as a document at its very start: these are JSON lines, and one of them is broken.
        let lines = text[end..].trim_start_matches(['\r', '\n']).starts_with(['{', '[']);
        let read = self.broken(if lines { line } else { &stop }, text.len());
        let mut at = self.line_end(read);
        while !lines && at < text.len() && is_inside(&text[at + 1..self.line_end(at + 1)]) {
            at = self.line_end(at + 1);
        }
        at.max(end)
    }

    fn line_end(&self, from: usize) -> usize {
        memchr(b'\n', &self.text.as_bytes()[from..]).map_or(self.text.len(), |length| from + length)
    }

    /// Reads up to `limit` documents in `start..end`. `Ok`: where it stopped, all of them well-formed.
    fn documents(&mut self, start: usize, end: usize, limit: usize) -> Result<usize, Stop> {
        let text = self.text;
        let mut stream = serde_json::Deserializer::from_str(&text[start..end]).into_iter::<Document<'t>>();
        for _ in 0..limit {
            let offset = start + stream.byte_offset();
            match stream.next() {
                None => return Ok(end),
                Some(Ok(document)) => self.deliver(document, offset),
                Some(Err(error)) => return Err(Stop { offset, error }),
            }
        }
        Ok(start + stream.byte_offset())
    }

    /// Tells of a document that cannot be read, after delivering what is complete in it. Returns the offset up to which
    /// something was.
    fn broken(&mut self, stop: &Stop, end: usize) -> usize {
        let (line, column) = self.place(stop.offset);
        let document = Document::salvage(&self.text[stop.offset..end]);
        let read = document.items.iter().filter_map(|item| self.offset_of(item)).max();
        self.deliver(document, stop.offset);
        let (line, column) = match (stop.error.line(), stop.error.column()) {
            (0 | 1, more) => (line, column + more.saturating_sub(1)),
            (more, column) => (line + more - 1, column.max(1)),
        };
        let error = stop.error.to_string();
        let error = error.split(" at line ").next().unwrap_or_default();
        self.damaged(line, column, format!("not JSON: {error}"));
        read.unwrap_or(stop.offset)
    }

    fn damaged(&mut self, line: usize, column: usize, error: String) {
        if self.told == line {
            return;
        }
        self.told = line;
        let position = format!("line {line}, column {column}");
        (self.sink)(Err(Damage { error, position }));
    }

    fn deliver(&mut self, document: Document<'t>, start: usize) {
        for item in document.items {
            let input = match &item.content {
                Ok(fields) => Record::read(fields),
                Err(what) => Err(format!("not a CloudTrail record: {what}")),
            };
            let input = input.map_err(|error| Damage { error, position: self.position(&item, start) });
            (self.sink)(input);
        }
    }

    fn position(&mut self, item: &Item<'t>, start: usize) -> String {
        let offset = self.offset_of(item);
        if item.number == 0 {
            let start = start + (self.text.len() - start - self.text[start..].trim_ascii_start().len());
            let (line, column) = self.place(start);
            return format!("line {line}, column {column}");
        }
        match offset {
            Some(offset) => format!("record {} (line {})", item.number, self.place(offset).0),
            None => format!("record {} (of line {})", item.number, self.place(start).0),
        }
    }

    /// Where the last value of an item that is known stands in the text.
    fn offset_of(&self, item: &Item<'t>) -> Option<usize> {
        let fields = item.content.as_ref().ok()?;
        let base = self.text.as_ptr().addr();
        let values = fields.values.iter().flatten();
        values.map(|raw| raw.get().as_ptr().addr() - base).max()
    }

    /// Line and column, in characters, both from 1.
    fn place(&mut self, offset: usize) -> (usize, usize) {
        if offset < self.counted.offset {
            self.counted = Counted::default();
        }
        let passed = &self.text.as_bytes()[self.counted.offset..offset];
        self.counted.offset = offset;
        self.counted.lines += memchr_iter(b'\n', passed).count();
        let here = memrchr(b'\n', passed).map(|newline| &passed[newline + 1..]);
        if here.is_some() {
            self.counted.columns = 0;
        }
        let starts_character = |byte: &&u8| (**byte & 0xc0) != 0x80;
        self.counted.columns += here.unwrap_or(passed).iter().filter(starts_character).count();
        (self.counted.lines + 1, self.counted.columns + 1)
    }
}

/// Whether a line looks like the inside of a document over many lines, where telling of each would only be noise. A
/// line that may hold a whole record is none.
fn is_inside(line: &str) -> bool {
    let text = line.trim_ascii();
    let whole = text.len() > 2 && text.starts_with('{') && text.ends_with('}');
    let first = line.bytes().next().unwrap_or(b' ');
    !whole && (first.is_ascii_whitespace() || b"\"}],".contains(&first))
}

#[cfg(test)]
mod tests;
