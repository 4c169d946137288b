//! One file → what is in it.
//!
//! A file that fits is held as a whole. One packed by gzip carries a checksum of its text, and is split without being
//! parsed; where that does not come out even, and in a plain file, whose bytes nothing vouches for, everything is
//! parsed. What does not fit is read through a window, see [`super::stream`].

use super::judge::{Tally, regular};
use super::stream::Stream;
use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;
use memchr::{memchr_iter, memmem};
use std::io::{self, Read};

/// What a member of a gzip file begins with.
const MAGIC: &[u8] = b"\x1f\x8b";
const MEMBER: &[u8] = b"\x1f\x8b\x08";
/// So many objects, nested ones too, are parsed at once: about what a file of 8 MB holds of real records.
const MOST_OBJECTS: usize = 60_000;
/// What is held of a text that is read through a window. No record of CloudTrail is larger.
const WINDOW: usize = 1 << 20;
/// What is made room for at first: most files are smaller.
const FIRST: usize = 256 << 10;
/// The shortest gzip file there is.
const SHORTEST: usize = 18;

/// Reads file after file, in buffers that it keeps.
pub(super) struct FileReader {
    packed: Vec<u8>,
    text: Vec<u8>,
    decompressor: Decompressor,
    /// What fits, in bytes, packed and unpacked.
    most: usize,
    thorough: bool,
}

/// What takes the findings of a file, in one or several parts, and the bytes of JSON that were read for each.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Tally, u64);

enum Unpacked {
    /// So many bytes of text, as the checksum says.
    Whole(usize),
    /// Only so many, and why.
    Broken(usize, io::Error),
    TooLarge,
}

impl FileReader {
    pub(super) fn new(most: usize, thorough: bool) -> Self {
        Self { packed: Vec::new(), text: Vec::new(), decompressor: Decompressor::new(), most, thorough }
    }

    /// Reads a file from where it is. The error: it cannot be read at all.
    pub(super) fn read(&mut self, mut from: impl Read, sink: Sink<'_>) -> io::Result<()> {
        let mut packed = std::mem::take(&mut self.packed);
        let count = fill(&mut packed, &mut from, self.most + 1)?;
        let held = &packed[..count];
        if held.len() <= self.most {
            self.bytes(held, sink);
        } else if held.starts_with(MAGIC) {
            self.stream(MultiGzDecoder::new(io::Read::chain(held, from)), false, sink);
        } else {
            self.stream(io::Read::chain(held, from), true, sink);
        }
        self.packed = packed;
        Ok(())
    }

    /// Reads a file that is at hand.
    pub(super) fn bytes(&mut self, packed: &[u8], sink: Sink<'_>) {
        if !packed.starts_with(MAGIC) {
            return if packed.len() > self.most { self.stream(packed, true, sink) } else { self.parse(packed, sink) };
        }
        match self.unpack(packed) {
            Unpacked::TooLarge => self.stream(MultiGzDecoder::new(packed), false, sink),
            Unpacked::Whole(size) => {
                let text = &self.text[..size];
                match if self.thorough { None } else { regular(text) } {
                    Some(tally) => sink(tally, size as u64),
                    None => self.parse(text, sink),
                }
            }
            Unpacked::Broken(size, error) => {
                self.parse(&self.text[..size], sink);
                let mut tally = Tally::default();
                tally.damaged(format!("broken gzip: {error}"), format!("byte {size} of the decompressed text"));
                sink(tally, 0);
            }
        }
    }

    /// Parses a text as it is.
    fn parse(&self, text: &[u8], sink: Sink<'_>) {
        // A parser holds everything in a document at once, and that may be far more than its text.
        if memchr_iter(b'{', text).count() > MOST_OBJECTS {
            return self.stream(text, true, sink);
        }
        let mut tally = Tally::default();
        tally.parse(text, "");
        sink(tally, text.len() as u64);
    }

    fn stream(&self, from: impl Read, plain: bool, sink: Sink<'_>) {
        Stream { window: self.most.min(WINDOW), parse_all: plain || self.thorough, plain, sink }.read(from);
    }

    fn unpack(&mut self, packed: &[u8]) -> Unpacked {
        // A text that ends as it says, and in a file where no other can begin, is all of it. This is nearly every file.
        if packed.len() >= SHORTEST && memmem::find(&packed[MAGIC.len()..], MEMBER).is_none() {
            let (_, end) = packed.split_at(packed.len() - 4);
            let size = end.iter().rev().fold(0, |size, byte| size << 8 | usize::from(*byte));
            if size <= self.most {
                // One byte more than it says, so that a text that is longer shows.
                if self.text.len() <= size {
                    self.text.resize(size + 1, 0);
                }
                if self.decompressor.gzip_decompress(packed, &mut self.text[..=size]).ok() == Some(size) {
                    return Unpacked::Whole(size);
                }
            }
        }
        self.unpack_slowly(packed)
    }

    /// Unpacks anything: several members, an end that lies, what is left of a damaged file.
    fn unpack_slowly(&mut self, packed: &[u8]) -> Unpacked {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let result = MultiGzDecoder::new(packed).take(self.most as u64 + 1).read_to_end(&mut text);
        let size = text.len();
        self.text = text;
        match result {
            _ if size > self.most => Unpacked::TooLarge,
            Ok(_) => Unpacked::Whole(size),
            Err(error) => Unpacked::Broken(size, error),
        }
    }
}

/// Reads up to so many bytes into a buffer that grows as needed and is never emptied, so that it is cleared once and
/// not for every file. Returns how many there are.
fn fill(buffer: &mut Vec<u8>, from: &mut impl Read, most: usize) -> io::Result<usize> {
    let mut held = 0;
    while held < most {
        if held == buffer.len() {
            buffer.resize((held * 2).clamp(FIRST.min(most), most), 0);
        }
        match from.read(&mut buffer[held..]) {
            Ok(0) => break,
            Ok(count) => held += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(held)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
