//! Attribute values as HTTP header values: percent-encoded, once (CloudEvents HTTP binding, section 3.1.3.2).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

/// Space, double quote and percent, and whatever is not printable ASCII.
const ENCODED: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'%');

/// The header value of an attribute: printable ASCII only.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

/// The attribute of a header value: a quoted string is unquoted, then percent-decoded, one round.
///
/// `None` when a quote does not close, a percent sign starts no two hexadecimal digits, or the result
/// is not UTF-8. Bytes above ASCII are taken as they are: there are senders that do not encode.
pub(super) fn decode(value: &[u8]) -> Option<String> {
    let plain = unquote(value.trim_ascii())?;
    let mut rest = &plain[..];
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        match rest[at + 1..] {
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest = &rest[at + 3..],
            _ => return None,
        }
    }
    percent_decode(&plain).decode_utf8().ok().map(Cow::into_owned)
}

/// A quoted string's content (RFC 9110, section 5.6.4): senders of the first CloudEvents 1.0 quoted.
fn unquote(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return Some(Cow::Borrowed(value));
    };
    let mut content = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return bytes.next().is_none().then_some(Cow::Owned(content)),
            b'\\' => content.push(bytes.next()?),
            _ => content.push(byte),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_binding_encodes_as_it_says() {
        assert_eq!(encode("Euro \u{20AC} \u{1F600}"), "Euro%20%E2%82%AC%20%F0%9F%98%80");
        assert_eq!(decode(b"Euro%20%e2%82%ac%20%F0%9F%98%80").as_deref(), Some("Euro \u{20AC} \u{1F600}"));
    }

    #[test]
    fn every_ascii_character_outside_of_printables_and_the_three_is_encoded() {
        for code in 0..=0x7F_u8 {
            let text = char::from(code).to_string();
            let as_it_is = matches!(code, 0x21..=0x7E) && !matches!(code, b'"' | b'%');
            let wanted = if as_it_is { text.clone() } else { format!("%{code:02X}") };
            assert_eq!(encode(&text), wanted, "U+{code:04X}");
        }
    }

    #[test]
    fn one_round_is_decoded_and_no_second() {
        assert_eq!(decode(b"%2541").as_deref(), Some("%41"));
        assert_eq!(decode(b"%41%42c").as_deref(), Some("ABc"));
    }

    #[test]
    fn quotes_are_taken_off_before_percents_are_decoded() {
        for (value, wanted) in [
            (&br#""Euro %E2%82%AC""#[..], Some("Euro \u{20AC}")),
            (br#""a \"b\" \\ c""#, Some(r#"a "b" \ c"#)),
            (br#""""#, Some("")),
            (br#"a"b"#, Some(r#"a"b"#)),
            (br#""%22""#, Some("\"")),
            (br#""open"#, None),
            (br#""a" b"#, None),
            (br#""a\"#, None),
        ] {
            assert_eq!(decode(value).as_deref(), wanted, "{}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn what_is_no_utf8_or_no_percent_encoding_is_refused() {
        for bad in [&b"%C0%A0"[..], b"%FF", b"%ED%A0%80", b"\xff", b"100%", b"%2", b"%zz", b"%+1"] {
            assert_eq!(decode(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }
}
