//! What says where a page ended is one in a single spelling, and comes back as it went, or is none at all.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use florin_kernel::list::Cursor;

/// The characters that name the list. A place of at least one and at most two hundred stands behind them.
const LIST: usize = 16;

/// Holds for all bytes, as what a caller sends and as what a page ended with.
pub(crate) fn holds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text, "two spellings of one cursor");
        let inside = URL_SAFE_NO_PAD.decode(&*text).unwrap();
        assert!((LIST + 1..=LIST + 200).contains(&inside.len()), "a place of {} bytes", inside.len());
        assert!(inside.iter().all(u8::is_ascii_graphic), "{inside:?} goes into a query");
    }
    let inside: Vec<u8> = data.iter().take(LIST + 200).map(|byte| b'!' + byte % 94).collect();
    let text = URL_SAFE_NO_PAD.encode(&inside);
    let back = text.parse::<Cursor>().ok().map(|cursor| cursor.to_string());
    assert_eq!(back, (inside.len() > LIST).then_some(text), "{} bytes inside", inside.len());
}

#[cfg(test)]
proptest::proptest! {
    #[test]
    fn a_cursor_has_one_spelling(data: Vec<u8>) {
        holds(&data);
    }

    #[test]
    fn so_has_what_looks_like_one(text in "[A-Za-z0-9_=+/-]{0,300}") {
        holds(text.as_bytes());
    }
}
