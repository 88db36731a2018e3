//! Takes files out of a ZIP archive without unpacking them: what is deflated there is served as gzip.
//!
//! Both are the same deflate stream (RFC 1951) in another frame, so that no decompression library is built and
//! nothing is unpacked in memory.

use bytes::Bytes;

/// A file of an archive as it goes over the wire.
pub(super) struct File {
    /// The file, in a gzip frame (RFC 1952) when `gzip` says so.
    pub(super) bytes: Bytes,
    /// Whether it is in a gzip frame.
    pub(super) gzip: bool,
    /// The checksum of the file itself.
    pub(super) crc: u32,
}

/// End of central directory, central directory header, local file header (APPNOTE.TXT 4.3).
const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The file whose path ends with this one; none when there is no such file, or the archive is not one.
pub(super) fn file(archive: &'static [u8], path_end: &str) -> Option<File> {
    // A comment may follow the end record: the last one that stands there is it.
    let end = archive.windows(END.len()).rposition(|window| window == END)?;
    let entries = u16_at(archive, end + 10)?;
    let mut at = u32_at(archive, end + 16)?;
    for _ in 0..entries {
        if archive.get(at..at + 4)? != ENTRY {
            return None;
        }
        let name_length = usize::from(u16_at(archive, at + 28)?);
        let name = archive.get(at + 46..at + 46 + name_length)?;
        if name.ends_with(path_end.as_bytes()) {
            return taken(archive, at);
        }
        let (extra, comment) = (u16_at(archive, at + 30)?, u16_at(archive, at + 32)?);
        at += 46 + name_length + usize::from(extra) + usize::from(comment);
    }
    None
}

/// The file of the central directory header at this place.
fn taken(archive: &'static [u8], at: usize) -> Option<File> {
    let method = u16_at(archive, at + 10)?;
    let crc = archive.get(at + 16..at + 20)?;
    let compressed = u32_at(archive, at + 20)?;
    let size = archive.get(at + 24..at + 28)?;
    let local = u32_at(archive, at + 42)?;
    if archive.get(local..local + 4)? != LOCAL {
        return None;
    }
    // The local header may have another extra field than the central one.
    let name_and_extra =
        usize::from(u16_at(archive, local + 26)?) + usize::from(u16_at(archive, local + 28)?);
    let data = local + 30 + name_and_extra;
    let data = archive.get(data..data + compressed)?;
    let crc_value = u32::from_le_bytes(crc.try_into().ok()?);
    match method {
        STORED => Some(File { bytes: Bytes::from_static(data), gzip: false, crc: crc_value }),
        DEFLATED => {
            // Magic, deflate, no flags, no time, best compression, unknown system.
            let head: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
            let framed = [head, data, crc, size].concat();
            Some(File { bytes: framed.into(), gzip: true, crc: crc_value })
        }
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}
