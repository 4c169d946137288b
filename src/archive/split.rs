//! Where one record ends and the next begins, told by quotes and braces alone: a text of JSON → its units, the objects
//! that a `{"Records": […]}`, a list or the text itself is made of, without parsing any of them.
//!
//! 64 bytes at a time become bit masks (quotes, backslashes, braces); a running exclusive-or over the quotes says what
//! lies inside strings, and only braces outside of them are looked at one by one. Whatever stands between units is
//! checked byte for byte. What is not quite as expected is told as [`Irregular`], and then another has to read it.

use super::gap::Gap;
use blocks::{Blocks, Offsets, STRIPE};
use fearless_simd::Level;

mod blocks;

/// One object: most likely a record. Offsets are from the beginning of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Unit {
    /// Its opening brace.
    pub(super) start: usize,
    /// Behind its closing brace.
    pub(super) end: usize,
    /// Behind the first object that it holds as a value; 0 where it holds none.
    pub(super) inner: usize,
    /// Letters may be spelt as escapes in it: searching it for a word proves nothing.
    pub(super) escaped: bool,
    /// The name of a mapping call may begin a string in it; if not, none does.
    pub(super) mentions: bool,
    /// There is nothing outside ASCII in it; false means nothing.
    pub(super) ascii: bool,
}

/// The text is not regular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Irregular {
    /// Where that was seen.
    pub(super) at: usize,
    /// Where the unit began that it is in; the same as `at` where it is between units.
    pub(super) from: usize,
}

/// Splits a text that comes in pieces.
#[derive(Debug, Clone)]
pub(super) struct Splitter {
    /// How much of the text was fed.
    fed: usize,
    blocks: Blocks,
    /// Braces open in the unit; 0 between units.
    depth: usize,
    gap: Gap,
    /// From where on what stands between units is not checked yet.
    gap_from: usize,
    unit: Unit,
    /// The last byte fed that is no white space.
    solid: u8,
    /// Whether to look for what cannot be in JSON at more places, so that a text without end is not followed astray.
    strict: bool,
}

impl Splitter {
    /// For a text that is at hand as a whole: it is enough to know by its end whether it is regular.
    pub(super) fn whole() -> Self {
        Self::with(Level::new())
    }

    fn with(level: Level) -> Self {
        Self {
            fed: 0,
            blocks: Blocks::new(level),
            depth: 0,
            gap: Gap::default(),
            gap_from: 0,
            unit: Unit::default(),
            solid: 0,
            strict: false,
        }
    }

    /// For a text whose end may be far away; `at` is where in it the first piece stands.
    pub(super) fn strict(at: usize) -> Self {
        Self { strict: true, fed: at, gap_from: at, ..Self::whole() }
    }

    /// Starts over at an offset of the text, as behind a line that could not be read. Between units it no longer
    /// minds lists that end without having begun.
    pub(super) fn resume(at: usize) -> Self {
        Self { gap: Gap::loose(), ..Self::strict(at) }
    }

    /// Takes the next piece; every unit that ends in it goes to `sink`, which says whether it finds it regular.
    pub(super) fn feed(&mut self, piece: &[u8], sink: &mut impl FnMut(Unit) -> bool) -> Result<(), Irregular> {
        let mut braces = Offsets::default();
        for from in (0..piece.len()).step_by(STRIPE) {
            let line_end = if self.strict {
                self.blocks.find::<true>(piece, from, self.fed, &mut braces)
            } else {
                self.blocks.find::<false>(piece, from, self.fed, &mut braces)
            };
            self.follow(&braces, from, piece, sink)?;
            if let Some(at) = line_end {
                return Err(self.irregular(self.fed + at, piece));
            }
        }
        if self.depth == 0 {
            self.between(piece, self.fed + piece.len())?;
        }
        if let Some(solid) = piece.iter().rfind(|byte| !byte.is_ascii_whitespace()) {
            self.solid = *solid;
        }
        self.fed += piece.len();
        Ok(())
    }

    /// The text ends here.
    pub(super) fn finish(&self) -> Result<(), Irregular> {
        let ended = self.depth == 0 && !self.blocks.in_string() && self.gap.may_end();
        if ended { Ok(()) } else { Err(Irregular { at: self.fed, from: self.needs() }) }
    }

    /// From where on the text is still needed: what was told before needs no more of it.
    pub(super) fn needs(&self) -> usize {
        match self.depth {
            0 if self.gap.is_in_key() => self.gap.document(),
            0 => self.gap_from,
            _ => self.unit.start,
        }
    }

    /// Follows the braces of a stripe: how deep each leads, and where units begin and end.
    fn follow(
        &mut self,
        braces: &Offsets,
        from: usize,
        piece: &[u8],
        sink: &mut impl FnMut(Unit) -> bool,
    ) -> Result<(), Irregular> {
        let stripe = &piece[from..];
        let (mut depth, mut inner) = (self.depth, self.unit.inner);
        for offset in braces.iter() {
            // 0 opens, 2 closes, anything else is no brace.
            let code = usize::from(stripe[offset].wrapping_sub(b'{'));
            let next = depth.wrapping_add(1).wrapping_sub(code);
            if depth == 0 || next == 0 || code & !2 != 0 || self.strict {
                // A unit begins or ends here, or everything is to be looked at.
                (self.depth, self.unit.inner) = (depth, inner);
                let offset = from + offset;
                if code == 0 {
                    self.open(offset, piece)?;
                } else {
                    self.close(offset, piece, sink)?;
                }
                (depth, inner) = (self.depth, self.unit.inner);
                continue;
            }
            depth = next;
            if inner == 0 && depth == 1 {
                inner = self.fed + from + offset + 1;
            }
        }
        (self.depth, self.unit.inner) = (depth, inner);
        Ok(())
    }

    fn open(&mut self, offset: usize, piece: &[u8]) -> Result<(), Irregular> {
        let at = self.fed + offset;
        if self.depth == 0 {
            self.between(piece, at)?;
            if self.gap.is_in_key() {
                self.take_as_unit();
            } else if self.depth == 0 {
                return self.begin(at);
            }
        }
        if self.strict && !self.begins_a_value(offset, piece) {
            return Err(self.irregular(at, piece));
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self, offset: usize, piece: &[u8], sink: &mut impl FnMut(Unit) -> bool) -> Result<(), Irregular> {
        let at = self.fed + offset;
        if piece[offset] != b'}' {
            return Err(self.irregular(at, piece));
        }
        if self.depth == 0 {
            self.between(piece, at)?;
            if self.gap.is_in_key() {
                self.take_as_unit();
            }
        }
        match self.depth {
            0 if self.gap.closes_document() => self.gap_from = at + 1,
            0 => return Err(Irregular { at, from: at }),
            1 => return self.end(at + 1, sink),
            depth => {
                self.depth = depth - 1;
                if depth == 2 && self.unit.inner == 0 {
                    self.unit.inner = at + 1;
                }
            }
        }
        Ok(())
    }

    /// An object begins between units: a record in a list, or a document, of which its first key tells what it is.
    fn begin(&mut self, at: usize) -> Result<(), Irregular> {
        if self.gap.opens_document(at) {
            self.gap_from = at + 1;
            return Ok(());
        }
        if !self.gap.opens_element() {
            return Err(Irregular { at, from: at });
        }
        self.unit = Unit { start: at, ..Unit::default() };
        self.depth = 1;
        Ok(())
    }

    /// The document that has begun is no log file: it is a unit itself.
    fn take_as_unit(&mut self) {
        self.unit = Unit { start: self.gap.leave_key(), ..Unit::default() };
        self.depth = 1;
    }

    fn end(&mut self, end: usize, sink: &mut impl FnMut(Unit) -> bool) -> Result<(), Irregular> {
        self.depth = 0;
        self.gap_from = end;
        self.gap.after_unit();
        let Blocks { letter, mention, ascii, .. } = self.blocks;
        let unit =
            Unit { end, escaped: letter > self.unit.start, mentions: mention > self.unit.start, ascii, ..self.unit };
        if sink(unit) { Ok(()) } else { Err(Irregular { at: end, from: unit.start }) }
    }

    fn irregular(&mut self, at: usize, piece: &[u8]) -> Irregular {
        if self.depth == 0
            && let Err(earlier) = self.between(piece, at)
        {
            return earlier;
        }
        Irregular { at, from: self.needs().min(at) }
    }

    /// Checks what stands between units, up to an offset of the text.
    #[inline]
    fn between(&mut self, piece: &[u8], until: usize) -> Result<(), Irregular> {
        while self.gap_from < until {
            if !self.gap.take(piece[self.gap_from - self.fed]) {
                if !self.gap.is_in_key() {
                    return Err(Irregular { at: self.gap_from, from: self.gap_from });
                }
                self.take_as_unit();
                break;
            }
            self.gap_from += 1;
        }
        Ok(())
    }

    /// Whether what stands before an opening brace lets a value follow.
    fn begins_a_value(&self, offset: usize, piece: &[u8]) -> bool {
        let before = piece[..offset].iter().rfind(|byte| !byte.is_ascii_whitespace());
        matches!(before.unwrap_or(&self.solid), b':' | b',' | b'[')
    }
}

#[cfg(test)]
mod tests;
