//! Events and messages that the tests share.

use florin_kernel::event::{Data, Event};
use florin_queue::cloudevents::{DecodeError, Limits, decode_http, decode_structured};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

pub(crate) fn captured() -> Event {
    Event {
        id: "evt_0198c5d2".into(),
        source: "/florin/payments".into(),
        kind: "florin.payment.captured.v1".into(),
        subject: Some("pay_0198c5d1".into()),
        time: Some("2026-11-24T05:31:00.5Z".parse().unwrap()),
        dataschema: None,
        extensions: [
            ("sequence", "3"),
            ("tenant", "acme"),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        data: json_data(json!({ "id": "pay_0198c5d1", "amount_received": 1250 })),
    }
}

pub(crate) fn json_data(value: serde_json::Value) -> Data {
    Data::Json { content_type: "application/json".into(), value }
}

pub(crate) fn bytes_data(content_type: &str, bytes: &[u8]) -> Data {
    Data::Bytes { content_type: Some(content_type.into()), bytes: bytes.into() }
}

/// Headers as they stand on the wire; a name may come twice.
pub(crate) fn headers(lines: &[(&str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    headers
}

/// The four attributes that every event has, in binary mode, and these headers besides.
pub(crate) fn with_required(more: &[(&str, &[u8])]) -> HeaderMap {
    let required: [(&str, &[u8]); 4] =
        [("ce-specversion", b"1.0"), ("ce-id", b"1"), ("ce-source", b"/s"), ("ce-type", b"t")];
    headers(&[&required, more].concat())
}

pub(crate) fn decode_one(headers: &HeaderMap, body: &[u8]) -> Result<Event, DecodeError> {
    let mut events = decode_http(headers, body, &Limits::default())?;
    assert_eq!(events.len(), 1);
    Ok(events.remove(0))
}

/// A structured event with the required attributes and these members besides, as text.
pub(crate) fn structured_with(members: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t"{members}}}"#)
}

pub(crate) fn decode_with(members: &str) -> Result<Event, DecodeError> {
    decode_structured(structured_with(members).as_bytes(), &Limits::default())
}
