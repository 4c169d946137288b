//! Where one record ends and the next begins, told by quotes and braces alone: a text of JSON → its units, the objects
//! that a `{"Records": […]}`, a list or the text itself is made of, without parsing any of them.
//!
//! 64 bytes at a time become bit masks (quotes, backslashes, braces); a running exclusive-or over the quotes says what
//! lies inside strings, and only braces outside of them are looked at one by one. Whatever stands between units is
//! checked byte for byte. What is not quite as expected is told as [`Irregular`], and then another has to read it.

use super::gap::Gap;
use wide::u8x16;

/// Bytes that are looked at together: one bit each in a `u64`.
const BLOCK: usize = 64;
/// Blocks whose braces are found first and then followed, so that neither waits for the other's surprises.
const BLOCKS: usize = 64;

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
#[derive(Debug, Clone, Default)]
pub(super) struct Splitter {
    /// How much of the text was fed.
    fed: usize,
    /// All ones while inside a string.
    in_string: u64,
    /// Whether the next byte is escaped.
    escape: bool,
    /// Braces open in the unit; 0 between units.
    depth: usize,
    gap: Gap,
    /// From where on what stands between units is not checked yet.
    gap_from: usize,
    unit: Unit,
    /// Behind the last escape that may spell a letter.
    letter: usize,
    /// The last byte fed that is no white space.
    solid: u8,
    /// Whether every byte so far was ASCII.
    ascii: bool,
    /// Whether to look for what cannot be in JSON at more places, so that a text without end is not followed astray.
    strict: bool,
}

impl Splitter {
    /// For a text that is at hand as a whole: it is enough to know by its end whether it is regular.
    pub(super) fn whole() -> Self {
        Self { ascii: true, ..Self::default() }
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
        let mut braces = [0; BLOCKS];
        for (number, stripe) in piece.chunks(BLOCKS * BLOCK).enumerate() {
            let from = number * BLOCKS * BLOCK;
            let line_end = if self.strict {
                self.find::<true>(stripe, from, piece, &mut braces)
            } else {
                self.find::<false>(stripe, from, piece, &mut braces)
            };
            self.follow(&braces[..stripe.len().div_ceil(BLOCK)], from, piece, sink)?;
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
        let ended = self.depth == 0 && self.in_string == 0 && self.gap.may_end();
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

    /// Finds the braces outside strings in a stripe, `from` bytes into the piece: a bit each. Returns where, if
    /// anywhere, a line ends inside a string; that is only looked for where it is `STRICT`.
    fn find<const STRICT: bool>(
        &mut self,
        stripe: &[u8],
        from: usize,
        piece: &[u8],
        braces: &mut [u64; BLOCKS],
    ) -> Option<usize> {
        let (blocks, rest) = stripe.as_chunks::<BLOCK>();
        let mut line_end = None;
        for (number, (block, braces)) in blocks.iter().zip(braces.iter_mut()).enumerate() {
            let (inside, parts) = self.block(block, BLOCK, from + number * BLOCK, piece);
            *braces = both_braces(parts) & !inside;
            if STRICT && line_end.is_none() {
                line_end = line_ends(parts, inside).map(|bit| from + number * BLOCK + bit);
            }
        }
        if !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            let (inside, parts) = self.block(&block, rest.len(), from + blocks.len() * BLOCK, piece);
            braces[blocks.len()] = both_braces(parts) & !inside;
            if STRICT && line_end.is_none() {
                line_end = line_ends(parts, inside).map(|bit| from + blocks.len() * BLOCK + bit);
            }
        }
        line_end
    }

    /// What of a block lies inside strings; `length` bytes of it count, and it stands `at` bytes into the piece.
    #[inline]
    fn block(&mut self, block: &[u8; BLOCK], length: usize, at: usize, piece: &[u8]) -> (u64, [u8x16; 4]) {
        let parts = parts(block);
        let mut quotes = mask(parts.map(|part| part.simd_eq(u8x16::splat(b'"'))));
        let backslashes = parts.map(|part| part.simd_eq(u8x16::splat(b'\\')));
        let odd = (backslashes[0] | backslashes[1]) | (backslashes[2] | backslashes[3]);
        let beyond = (parts[0] | parts[1]) | (parts[2] | parts[3]);
        // The top bits: of a backslash found, and of a byte that is not ASCII.
        if (odd | beyond).to_bitmask() != 0 || self.escape {
            self.ascii &= beyond.to_bitmask() == 0;
            quotes &= !self.escaped(mask(backslashes), at, length, piece);
        }
        let inside = running_parity(quotes) ^ self.in_string;
        self.in_string = (inside.cast_signed() >> (BLOCK - 1)).cast_unsigned();
        (inside, parts)
    }

    /// Follows the braces of a stripe: how deep each leads, and where units begin and end.
    fn follow(
        &mut self,
        braces: &[u64],
        from: usize,
        piece: &[u8],
        sink: &mut impl FnMut(Unit) -> bool,
    ) -> Result<(), Irregular> {
        let mut filled = 0_u64;
        for (number, braces) in braces.iter().enumerate() {
            filled |= u64::from(*braces != 0) << number;
        }
        let (mut depth, mut inner) = (self.depth, self.unit.inner);
        while filled != 0 {
            let number = filled.trailing_zeros() as usize;
            filled &= filled - 1;
            let mut bits = braces[number];
            while bits != 0 {
                let offset = from + number * BLOCK + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let byte = piece[offset];
                let opens = byte == b'{';
                if depth == 0 || (depth == 1 && !opens) || self.strict {
                    // A unit begins or ends here, or everything is to be looked at.
                    (self.depth, self.unit.inner) = (depth, inner);
                    if opens {
                        self.open(offset, piece)?;
                    } else {
                        self.close(offset, piece, sink)?;
                    }
                    (depth, inner) = (self.depth, self.unit.inner);
                    continue;
                }
                if !opens && byte != b'}' {
                    self.depth = depth;
                    return Err(self.irregular(self.fed + offset, piece));
                }
                depth = if opens { depth + 1 } else { depth - 1 };
                inner = if depth == 1 && inner == 0 { self.fed + offset + 1 } else { inner };
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
        let unit = Unit { end, escaped: self.letter > self.unit.start, ascii: self.ascii, ..self.unit };
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

    /// The bytes of a block that a backslash takes their meaning from.
    #[cold]
    fn escaped(&mut self, mut backslashes: u64, at: usize, length: usize, piece: &[u8]) -> u64 {
        let mut escaped = u64::from(self.escape);
        if self.escape {
            self.escapes(at, piece);
            backslashes &= !1;
        }
        self.escape = false;
        while backslashes != 0 {
            let bit = backslashes.trailing_zeros() as usize;
            if bit + 1 >= length {
                self.escape = true;
                break;
            }
            escaped |= 2 << bit;
            self.escapes(at + bit + 1, piece);
            backslashes &= !(3 << bit);
        }
        escaped
    }

    /// Remembers an escape that may spell an ASCII letter, `\u0041` to `\u007a`; the `u` is `offset` bytes into the
    /// piece. Others, such as `\u003d` and `\u0026`, are common and spell none.
    fn escapes(&mut self, offset: usize, piece: &[u8]) {
        if piece[offset] == b'u'
            && piece.get(offset + 1..offset + 4).is_none_or(|hex| matches!(hex, [b'0', b'0', b'4'..=b'7']))
        {
            self.letter = self.fed + offset + 1;
        }
    }

    /// Whether what stands before an opening brace lets a value follow.
    fn begins_a_value(&self, offset: usize, piece: &[u8]) -> bool {
        let before = piece[..offset].iter().rfind(|byte| !byte.is_ascii_whitespace());
        matches!(before.unwrap_or(&self.solid), b':' | b',' | b'[')
    }
}

#[inline]
fn parts(block: &[u8; BLOCK]) -> [u8x16; 4] {
    let (parts, _) = block.as_chunks::<16>();
    [u8x16::new(parts[0]), u8x16::new(parts[1]), u8x16::new(parts[2]), u8x16::new(parts[3])]
}

#[inline]
fn mask(parts: [u8x16; 4]) -> u64 {
    let bits = parts.map(|part| u64::from(part.to_bitmask()));
    bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
}

/// Both braces at once: what an addition lifts to the top bit. What else it lifts, `|`, `~` and what is not ASCII,
/// stands in no JSON outside strings.
#[inline]
fn both_braces(parts: [u8x16; 4]) -> u64 {
    mask(parts.map(|part| part + u8x16::splat(0x80 - b'{')))
}

fn line_ends(parts: [u8x16; 4], inside: u64) -> Option<usize> {
    let ends = mask(parts.map(|part| part.simd_eq(u8x16::splat(b'\n')))) & inside;
    (ends != 0).then_some(ends.trailing_zeros() as usize)
}

/// Each bit: whether an odd number of bits up to it is set.
#[inline]
fn running_parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests;
