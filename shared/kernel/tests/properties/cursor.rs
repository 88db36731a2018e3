//! A cursor comes back as it went, and a text is one in a single spelling or not at all.

use florin_kernel::list::Cursor;

/// Holds for all bytes, as what a caller sends and as what a page ended with.
pub(crate) fn holds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text, "two spellings of one cursor");
        let place = cursor.place();
        assert!((1..=200).contains(&place.len()), "a place of {} bytes", place.len());
        assert!(place.bytes().all(|b| b.is_ascii_graphic()), "{place:?} goes into a query");
    }
    let place: String = data.iter().take(200).map(|byte| char::from(b'!' + byte % 94)).collect();
    if !place.is_empty() {
        let back: Result<Cursor, _> = Cursor::behind(&place).to_string().parse();
        assert_eq!(back.map(|cursor| cursor.place().to_owned()).ok(), Some(place));
    }
}

#[cfg(test)]
proptest::proptest! {
    #[test]
    fn a_cursor_has_one_spelling(data: Vec<u8>) {
        holds(&data);
    }

    #[test]
    fn so_has_what_looks_like_one(text in "[A-Za-z0-9_=+/-]{0,270}") {
        holds(text.as_bytes());
    }
}
