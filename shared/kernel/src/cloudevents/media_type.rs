//! What a content type says: which mode a message is in, and whether data is JSON.

/// The media type of one event in JSON (CloudEvents JSON format, section 3).
pub const EVENT_MEDIA_TYPE: &str = "application/cloudevents+json";

/// The media type of a batch of events in JSON (CloudEvents JSON format, section 4.2).
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// How a message carries its events (CloudEvents HTTP binding, section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The body is the data; attributes are headers.
    Binary,
    /// The body is one event.
    Structured,
    /// The body is a list of events.
    Batched,
}

impl Mode {
    /// By the content type's prefix, in any case; the longer prefix first, since it begins with the shorter.
    pub(super) fn of(content_type: &str) -> Self {
        if starts_with(content_type, "application/cloudevents-batch") {
            Self::Batched
        } else if starts_with(content_type, "application/cloudevents") {
            Self::Structured
        } else {
            Self::Binary
        }
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// The media type without its parameters.
pub(super) fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether the media type is `*/json` or `*/*+json` (CloudEvents JSON format, section 3.1.1).
pub(super) fn declares_json(content_type: &str) -> bool {
    let Some((_, subtype)) = essence(content_type).split_once('/') else {
        return false;
    };
    let ends_with = |suffix: &str| {
        let from = subtype.len().checked_sub(suffix.len());
        from.and_then(|from| subtype.as_bytes().get(from..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
    };
    subtype.eq_ignore_ascii_case("json") || ends_with("+json")
}

/// Whether the text is a media type that every carrier's content type takes as it is: two tokens
/// (RFC 9110, section 5.6.2) and parameters in printable ASCII, with no space around.
pub(super) fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    text.bytes().all(|b| matches!(b, b' '..=b'~'))
        && text.trim() == text
        && essence(text).split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_prefix_is_looked_for_first_and_case_does_not_matter() {
        for (content_type, wanted) in [
            ("application/cloudevents+json", Mode::Structured),
            ("Application/CloudEvents+JSON; charset=utf-8", Mode::Structured),
            ("application/cloudevents-batch+json", Mode::Batched),
            ("APPLICATION/CLOUDEVENTS-BATCH+json", Mode::Batched),
            ("application/cloudevent", Mode::Binary),
            ("application/json", Mode::Binary),
            ("", Mode::Binary),
            ("application/cloudevénts", Mode::Binary),
        ] {
            assert_eq!(Mode::of(content_type), wanted, "{content_type}");
        }
    }

    #[test]
    fn json_is_a_subtype_or_a_suffix() {
        for json in ["application/json", "TEXT/JSON", "application/vnd.x+JSON; v=1", "application/json ; a=b"]
        {
            assert!(declares_json(json), "{json}");
        }
        for other in
            ["application/xml", "json", "application/jsonl", "application/json-seq", "a/b; c=x/json", "é/é"]
        {
            assert!(!declares_json(other), "{other}");
        }
    }

    #[test]
    fn a_media_type_is_two_tokens() {
        for good in ["text/plain", "application/json; charset=utf-8", "a/b;c=\"d e\""] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in [
            "",
            "json",
            "/json",
            "text/",
            "text/pl ain",
            " text/plain",
            "text/plain\n",
            "text/plaïn",
            "a/b/c",
        ] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
