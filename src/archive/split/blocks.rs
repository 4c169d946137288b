//! What of a text lies outside strings, 64 bytes at a time as bit masks: with the widest vectors that the machine has.
#![allow(clippy::inline_always, reason = "only what is inlined is compiled for the vectors that were found")]

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, i8x64, prelude::*, u8x64, u64x8};

/// Bytes that are looked at together: one bit each in a `u64`.
pub(super) const BLOCK: usize = 64;
/// Blocks that each step goes through before the next one does, so that none waits for another's surprises.
pub(super) const BLOCKS: usize = 64;
/// Bytes of that many blocks.
pub(super) const STRIPE: usize = BLOCKS * BLOCK;

/// So many braces of a block are written down without asking whether it has them: more are rare.
const EAGER: usize = 3;

/// Offsets in a stripe, in order.
#[derive(Debug)]
pub(super) struct Offsets {
    all: [u16; STRIPE + EAGER],
    count: usize,
}

impl Default for Offsets {
    fn default() -> Self {
        Self { all: [0; STRIPE + EAGER], count: 0 }
    }
}

impl Offsets {
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.all[..self.count].iter().map(|offset| usize::from(*offset))
    }

    /// Adds those of a block's set bits.
    #[allow(clippy::cast_possible_truncation, reason = "a stripe has no more bytes than a u16 counts")]
    #[inline(always)]
    fn add(&mut self, block: usize, mut bits: u64) {
        let first = (block * BLOCK) as u16;
        let (eager, rest) = self.all[self.count..].split_at_mut(EAGER);
        let count = bits.count_ones() as usize;
        for slot in eager {
            *slot = first | bits.trailing_zeros() as u16;
            bits &= bits.wrapping_sub(1);
        }
        for slot in rest {
            if bits == 0 {
                break;
            }
            *slot = first | bits.trailing_zeros() as u16;
            bits &= bits.wrapping_sub(1);
        }
        self.count = self.count.wrapping_add(count);
    }
}

/// What the names of all calls that make or change a mapping begin with is this, behind one of [`VERBS`] and a quote.
const NAME: &[u8] = b"EventSourceMapping";
const VERBS: [&[u8]; 2] = [b"Create", b"Update"];
const VERB: usize = 6;
/// A letter that is rare so far behind a quote, and in all of those names.
const RARE: (usize, u8) = (18, b'M');
/// A block, and what is looked at behind it.
const SEEN: usize = BLOCK + RARE.0;

/// Tells strings from what is between them, in a text that comes in pieces.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    level: Level,
    /// All ones while inside a string.
    in_string: u64,
    /// Whether the next byte is escaped.
    escape: bool,
    /// Behind the last escape that may spell a letter.
    pub(super) letter: usize,
    /// Behind the last quote that the name of a mapping call follows, or may follow in the next piece.
    pub(super) mention: usize,
    /// Whether every byte so far was ASCII.
    pub(super) ascii: bool,
}

impl Blocks {
    /// At the beginning of a text.
    pub(super) fn new(level: Level) -> Self {
        Self { level, in_string: 0, escape: false, letter: 0, mention: 0, ascii: true }
    }

    pub(super) fn in_string(&self) -> bool {
        self.in_string != 0
    }

    /// Finds the braces outside strings in the stripe that is `from` bytes into a piece, which is `fed` bytes into the
    /// text. Returns where in the piece, if anywhere, a line ends inside a string; only looked for where it is `STRICT`.
    pub(super) fn find<const STRICT: bool>(
        &mut self,
        piece: &[u8],
        from: usize,
        fed: usize,
        braces: &mut Offsets,
    ) -> Option<usize> {
        dispatch!(self.level, simd => self.stripe::<_, STRICT>(simd, piece, from, fed, braces))
    }

    #[inline(always)]
    fn stripe<S: Simd, const STRICT: bool>(
        &mut self,
        simd: S,
        piece: &[u8],
        from: usize,
        fed: usize,
        braces: &mut Offsets,
    ) -> Option<usize> {
        let mut inside = [0_u64; BLOCKS];
        let mut found = [0_u64; BLOCKS];
        let mut lines = [0_u64; BLOCKS];
        let count = (piece.len() - from).div_ceil(BLOCK).min(BLOCKS);
        for number in 0..count {
            let at = from + number * BLOCK;
            let padded;
            let (text, ahead) = if let Some(seen) = piece.get(at..at + SEEN) {
                (&seen[..BLOCK], &seen[RARE.0..])
            } else {
                padded = [pad(&piece[at..], b' '), pad(piece.get(at + RARE.0..).unwrap_or(&[]), RARE.1)];
                (&padded[0][..], &padded[1][..])
            };
            let (text, ahead) = (u8x64::from_slice(simd, text), u8x64::from_slice(simd, ahead));
            let quotes = text.simd_eq(b'"');
            let backslashes = text.simd_eq(b'\\');
            let mentions = quotes & ahead.simd_eq(RARE.1);
            let bytes = text.bitcast::<i8x64<S>>();
            let mut bits = quotes.to_bitmask();
            // The top bits: of what was found, and of a byte that is not ASCII.
            let odd = (backslashes | mentions).to_vector() | bytes;
            if odd.simd_lt(0).to_bitmask() != 0 || self.escape {
                let odd = [backslashes.to_bitmask(), bytes.simd_lt(0).to_bitmask(), mentions.to_bitmask()];
                bits &= !self.odd(odd, at, piece, fed);
            }
            inside[number] = bits;
            // Both at once: what an addition lifts to the top bit. What else it lifts, `|`, `~` and what is not ASCII,
            // stands in no JSON outside strings.
            found[number] = (text + (0x80 - b'{')).bitcast::<i8x64<S>>().simd_lt(0).to_bitmask();
            if STRICT {
                lines[number] = text.simd_eq(b'\n').to_bitmask();
            }
        }
        for bits in &mut inside {
            *bits = running_parity(*bits);
        }
        for bits in &mut inside[..count] {
            *bits ^= self.in_string;
            self.in_string = (bits.cast_signed() >> (BLOCK - 1)).cast_unsigned();
        }
        let mut line_end = None;
        if STRICT {
            let ends = lines.iter().zip(&inside).map(|(lines, inside)| lines & inside);
            line_end = (ends.enumerate().find(|(_, ends)| *ends != 0))
                .map(|(number, ends)| from + number * BLOCK + ends.trailing_zeros() as usize);
        }
        let mut filled = 0_u64;
        for (number, (found, inside)) in found.as_chunks_mut::<8>().0.iter_mut().zip(inside.as_chunks().0).enumerate() {
            let outside = u64x8::load_array_ref(simd, found) & !u64x8::load_array_ref(simd, inside);
            filled |= (!outside.simd_eq(0)).to_bitmask() << (number * 8);
            outside.store_array(found);
        }
        braces.count = 0;
        while filled != 0 {
            let number = filled.trailing_zeros() as usize;
            filled &= filled - 1;
            braces.add(number, found[number]);
        }
        line_end
    }

    /// Looks closer at a block with backslashes, bytes beyond ASCII or what may be a name, in this order. Returns the
    /// bytes that a backslash takes their meaning from.
    #[cold]
    #[inline(never)]
    fn odd(&mut self, [backslashes, beyond, mut mentions]: [u64; 3], at: usize, piece: &[u8], fed: usize) -> u64 {
        self.ascii &= beyond == 0;
        while mentions != 0 {
            let behind = at + mentions.trailing_zeros() as usize + 1;
            mentions &= mentions - 1;
            if may_be_name(&piece[behind..]) {
                self.mention = fed + behind;
            }
        }
        if backslashes == 0 && !self.escape { 0 } else { self.escaped(backslashes, at, piece, fed) }
    }

    /// The bytes of a block that a backslash takes their meaning from.
    fn escaped(&mut self, mut backslashes: u64, at: usize, piece: &[u8], fed: usize) -> u64 {
        let length = BLOCK.min(piece.len() - at);
        let mut escaped = u64::from(self.escape);
        if self.escape {
            self.escapes(at, piece, fed);
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
            self.escapes(at + bit + 1, piece, fed);
            backslashes &= !(3 << bit);
        }
        escaped
    }

    /// Remembers an escape that may spell an ASCII letter, `\u0041` to `\u007a`; the `u` is `offset` bytes into the
    /// piece. Others, such as `\u003d` and `\u0026`, are common and spell none.
    fn escapes(&mut self, offset: usize, piece: &[u8], fed: usize) {
        if piece[offset] == b'u'
            && piece.get(offset + 1..offset + 4).is_none_or(|hex| matches!(hex, [b'0', b'0', b'4'..=b'7']))
        {
            self.letter = fed + offset + 1;
        }
    }
}

/// A block at the end of a piece.
#[cold]
#[inline(never)]
fn pad(rest: &[u8], with: u8) -> [u8; BLOCK] {
    let mut block = [with; BLOCK];
    let length = rest.len().min(BLOCK);
    block[..length].copy_from_slice(&rest[..length]);
    block
}

/// Whether a piece that ends behind `text` may go on so that the name of a mapping call begins with it.
fn may_be_name(text: &[u8]) -> bool {
    let (verb, name) = text.split_at(text.len().min(VERB));
    let name = &name[..name.len().min(NAME.len())];
    VERBS.iter().any(|known| known.starts_with(verb)) && NAME.starts_with(name)
}

/// Each bit: whether an odd number of bits up to it is set.
#[inline(always)]
fn running_parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}
