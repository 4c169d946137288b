//! The look that spares nearly every event its parsing.

use memchr::memmem::Finder;
use std::sync::LazyLock;

static NEEDLE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("EventSourceMapping"));
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\u"));

/// Whether no finding can be in `bytes`, whatever else is: the name of a mapping call stands in it neither in plain
/// letters nor, perhaps, in escaped ones. False means nothing. Whether the input is damaged is not looked at, except
/// that what does not begin as plain JSON (gzip, a byte order mark, UTF-16) is never waved through.
pub fn cannot_matter(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[')) && NEEDLE.find(bytes).is_none() && ESCAPE.find(bytes).is_none()
}
