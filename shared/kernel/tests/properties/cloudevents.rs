//! No bytes make a decoder of events panic, and an event that is taken is the same after every carrier.

use florin_kernel::cloudevents::{
    AmqpMessage, AttributeValue, DecodeError, Limits, decode_amqp, decode_batch, decode_http, decode_sqs,
    decode_structured, encode_amqp, encode_http_binary, encode_sqs, encode_structured,
};
use florin_kernel::event::Event;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Small enough that a fuzzer reaches them.
const LIMITS: Limits = Limits {
    max_event_bytes: 4_096,
    max_batch: 4,
    max_batch_bytes: 8_192,
    max_attributes: 12,
    max_attribute_bytes: 256,
    max_indexed_bytes: 128,
    max_depth: 8,
};

/// Holds for all bytes: as a body on every carrier, and as lines of header fields with a body behind them.
pub(crate) fn holds(data: &[u8]) {
    same(decode_structured(data, &LIMITS));
    for event in decode_batch(data, &LIMITS).into_iter().flatten() {
        same(event);
    }
    same(decode_sqs(&String::from_utf8_lossy(data), &LIMITS));
    let (lines, body) = taken_apart(data);
    let mut headers = HeaderMap::new();
    let mut attributes = Vec::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
        attributes.push((String::from_utf8_lossy(name).into_owned(), value));
    }
    for event in decode_http(&headers, body, &LIMITS).into_iter().flatten() {
        same(Ok(event));
    }
    same(decode_amqp(&amqp(&attributes, body), &LIMITS));
}

/// Lines until an empty one, and what is behind it.
fn taken_apart(data: &[u8]) -> (impl Iterator<Item = &[u8]>, &[u8]) {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((data, &[][..]), |end| (&data[..end], &data[end + 2..]));
    (head.split(|byte| *byte == b'\n').take(32), body)
}

/// The lines as properties of an AMQP message, some of them natively typed.
fn amqp(lines: &[(String, &[u8])], body: &[u8]) -> AmqpMessage {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let typed = |value: &[u8]| match value {
        [b'#', rest @ ..] => AttributeValue::Integer(text(rest).parse().unwrap_or(i64::MAX)),
        [b'?', ..] => AttributeValue::Boolean(value.len().is_multiple_of(2)),
        [b'*', rest @ ..] => AttributeValue::Binary(rest.to_vec()),
        _ => AttributeValue::Text(text(value)),
    };
    let content_type = lines.iter().find(|(name, _)| name == "content-type").map(|(_, value)| text(value));
    let headers = lines.iter().map(|(name, value)| (name.clone(), typed(value))).collect();
    AmqpMessage { content_type, headers, body: body.to_vec() }
}

/// What was taken goes out on every carrier and comes back as it was.
fn same(decoded: Result<Event, DecodeError>) {
    let event = match decoded {
        Ok(event) => event,
        Err(error) => {
            assert!(error.to_string().len() < 400, "an error of {} bytes", error.to_string().len());
            return;
        }
    };
    // Escapes and encodings may be longer than what came.
    let wide = Limits {
        max_event_bytes: 1 << 20,
        max_attribute_bytes: 1 << 16,
        max_indexed_bytes: 1 << 16,
        ..LIMITS
    };
    let structured = encode_structured(&event).expect("what was taken may go out");
    assert_eq!(decode_structured(&structured, &wide).as_ref(), Ok(&event), "structured");
    let sqs = encode_sqs(&event).expect("what was taken may go out").body;
    assert_eq!(decode_sqs(&sqs, &wide).as_ref(), Ok(&event), "SQS");
    let message = encode_amqp(&event).expect("what was taken may go out");
    assert_eq!(decode_amqp(&message, &wide).as_ref(), Ok(&event), "AMQP");
    let (headers, body) = encode_http_binary(&event).expect("what was taken may go out");
    assert_eq!(decode_http(&headers, &body, &wide), Ok(vec![event]), "HTTP");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A member of an event, right or wrong.
    fn member() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "datacontenttype",
            "dataschema",
            "data",
            "data_base64",
            "tenant",
            "sequence",
            "a_b",
            "",
        ]);
        let value = prop_oneof![
            Just("\"1.0\"".to_owned()),
            Just("\"2026-01-31T12:00:00Z\"".to_owned()),
            Just("\"application/json\"".to_owned()),
            Just("\"text/plain\"".to_owned()),
            Just("\"AA==\"".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            ".{0,10}".prop_map(|text| serde_json::Value::from(text).to_string()),
            "[\\[\\]{}:,\"0-9.eE+-]{0,10}",
        ];
        (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
    }

    proptest! {
        #[test]
        fn bytes_are_an_event_or_an_error(data: Vec<u8>) {
            holds(&data);
        }

        #[test]
        fn objects_are_an_event_or_an_error(members in vec(member(), 0..8), required: bool) {
            let required = if required { r#""specversion":"1.0","id":"1","source":"/s","type":"t""# } else { "" };
            let body = [&[required.to_owned()][..], &members].concat().join(",");
            holds(format!("{{{}}}", body.trim_start_matches(',')).as_bytes());
        }

        #[test]
        fn messages_are_an_event_or_an_error(
            lines in vec("(ce-|cloudEvents_|cloudEvents:)?(id|source|type|time|ext|datacontenttype):[#?*]?[%a-f0-9\" ]{0,8}", 0..6),
            content_type in prop::sample::select(vec!["application/json", "text/plain", "application/cloudevents+json", "x"]),
            body in "[\\[\\]{}:,\"a0]{0,12}",
        ) {
            let required = "ce-specversion:1.0\nce-id:1\nce-source:/s\nce-type:t\ncloudEvents_specversion:1.0";
            holds(format!("{required}\n{}\ncontent-type:{content_type}\n\n{body}", lines.join("\n")).as_bytes());
        }
    }
}
