//! A zip archive of one file, stored: a function's code.

/// The archive.
pub(super) fn stored(name: &str, content: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(content);
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let name_size = u16::try_from(name.len()).unwrap_or(u16::MAX);
    // Version 2.0, no flags, stored, 1980-01-01.
    let common = |out: &mut Vec<u8>| {
        for half in [20_u16, 0, 0, 0, 0x21] {
            out.extend(half.to_le_bytes());
        }
        for word in [crc, size, size] {
            out.extend(word.to_le_bytes());
        }
        out.extend(name_size.to_le_bytes());
        out.extend(0_u16.to_le_bytes());
    };
    let mut out = Vec::with_capacity(content.len() + 2 * name.len() + 100);
    out.extend(b"PK\x03\x04");
    common(&mut out);
    out.extend(name.as_bytes());
    out.extend(content);
    let directory = u32::try_from(out.len()).unwrap_or(u32::MAX);
    // Made on Unix; no comment, disk 0, a regular file that all may read, at offset 0.
    out.extend(b"PK\x01\x02");
    out.extend(0x0314_u16.to_le_bytes());
    common(&mut out);
    for half in [0_u16, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    out.extend((0o100_644_u32 << 16).to_le_bytes());
    out.extend(0_u32.to_le_bytes());
    out.extend(name.as_bytes());
    let directory_size = u32::try_from(out.len()).unwrap_or(u32::MAX) - directory;
    out.extend(b"PK\x05\x06");
    for half in [0_u16, 0, 1, 1] {
        out.extend(half.to_le_bytes());
    }
    for word in [directory_size, directory] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0_u16.to_le_bytes());
    out
}
