//! HTTP/2 frames and header blocks by hand (RFC 9113, RFC 7541), well formed or not.

/// RFC 9113, section 3.4.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// The most bytes of a frame that needs no permission (RFC 9113, section 4.2).
pub(crate) const LARGEST: usize = 16_384;

/// One frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("24 bits").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header field that no table keeps and nothing compresses (RFC 7541, section 6.2.2).
pub(crate) fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0], length(name.len()).as_slice(), name, length(value.len()).as_slice(), value].concat()
}

/// An integer behind a prefix of seven bits (RFC 7541, section 5.1).
fn length(of: usize) -> Vec<u8> {
    let Some(mut rest) = of.checked_sub(127) else {
        return vec![u8::try_from(of).expect("less than 127")];
    };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("seven bits") | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
    bytes
}

/// `:status`, which comes first in a header block: indexed, or a literal of three digits, often in Huffman's code.
pub(crate) fn status(block: &[u8]) -> u16 {
    // RFC 7541, appendix A.
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    match block {
        [indexed @ 0x88..=0x8e, ..] => INDEXED[usize::from(indexed - 0x88)],
        // Index 8, with or without being kept; three octets as they are.
        [0x08 | 0x48, 3, digits @ ..] => digits[..3].iter().fold(0, |all, d| all * 10 + u16::from(d - b'0')),
        [0x08 | 0x48, coded, digits @ ..] if coded & 0x80 != 0 => huffman_digits(digits),
        other => panic!("no :status at the start of {other:?}"),
    }
}

/// Three digits in Huffman's code (RFC 7541, appendix B): `0` to `2` have five bits, the others six.
fn huffman_digits(bytes: &[u8]) -> u16 {
    let bits: u32 = bytes.iter().take(3).fold(0, |all, byte| all << 8 | u32::from(*byte));
    let mut bits = bits << (8 * (4 - bytes.len().min(3)));
    let mut status = 0;
    for _ in 0..3 {
        let (digit, width) = match bits >> 27 {
            five @ 0..=2 => (five, 5),
            _ => ((bits >> 26) - 0b01_1001 + 3, 6),
        };
        bits <<= width;
        status = status * 10 + u16::try_from(digit).expect("a digit");
    }
    status
}

#[test]
fn a_status_is_read_in_every_form() {
    assert_eq!(status(&[0x8c]), 400);
    assert_eq!(status(b"\x08\x03401"), 401);
    // 413: 011010 00001 011001
    assert_eq!(status(&[0x48, 0x83, 0b0110_1000, 0b0010_1100, 0b1111_1111]), 413);
    // 201: 00010 00000 00001
    assert_eq!(status(&[0x48, 0x82, 0b0001_0000, 0b0000_0011]), 201);
}
