//! Golden vectors of the HTTP binding: modes, headers, percent-encoding.

use florin_kernel::event::Data;
use florin_queue::cloudevents::{
    Limits, Mode, decode_http, encode_http_batched, encode_http_binary, encode_http_structured, mode,
};
use http::HeaderMap;
use serde_json::json;

use crate::sample::{bytes_data, captured, decode_one, headers, json_data, structured_with, with_required};

#[test]
fn a_florin_event_in_binary_mode_has_these_headers() {
    let (headers, body) = encode_http_binary(&captured()).unwrap();
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "ce-id: evt_0198c5d2",
            "ce-sequence: 3",
            "ce-source: /florin/payments",
            "ce-specversion: 1.0",
            "ce-subject: pay_0198c5d1",
            "ce-tenant: acme",
            "ce-time: 2026-11-24T05:31:00.500000Z",
            "ce-traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ce-type: florin.payment.captured.v1",
            "content-type: application/json",
        ]
    );
    assert_eq!(body, br#"{"id":"pay_0198c5d1","amount_received":1250}"#);
}

#[test]
fn the_bindings_example_value_travels_percent_encoded() {
    let mut event = captured();
    event.subject = Some("Euro \u{20AC} \u{1F600} \"100%\"".into());
    let (headers, body) = encode_http_binary(&event).unwrap();
    assert_eq!(headers["ce-subject"], "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22");
    assert_eq!(decode_one(&headers, &body), Ok(event));
}

#[test]
fn a_header_is_unquoted_then_decoded_one_round() {
    for (value, wanted) in [
        (&b"plain"[..], "plain"),
        (b"%2541", "%41"),
        (b"%41", "A"),
        (b"a%e2%82%ACb", "a\u{20AC}b"),
        (br#""quoted \"a b\" %20""#, "quoted \"a b\"  "),
        ("as it is \u{20AC}".as_bytes(), "as it is \u{20AC}"),
    ] {
        let event = decode_one(&with_required(&[("ce-subject", value)]), b"").unwrap();
        assert_eq!(event.subject.as_deref(), Some(wanted));
    }
}

#[test]
fn the_content_type_is_the_datacontenttype_and_decides_what_the_body_is() {
    for (content_type, body, wanted) in [
        (Some("application/json"), &b"{\"a\":1}"[..], json_data(json!({ "a": 1 }))),
        (Some("text/xml; charset=utf-8"), b"<a/>", bytes_data("text/xml; charset=utf-8", b"<a/>")),
        (Some("text/plain"), b"", bytes_data("text/plain", b"")),
        (Some("application/json"), b"", Data::None),
        (None, b"", Data::None),
        (None, b"{}", Data::Bytes { content_type: None, bytes: b"{}".into() }),
    ] {
        let mut headers = with_required(&[]);
        if let Some(content_type) = content_type {
            headers.insert("content-type", content_type.parse().unwrap());
        }
        assert_eq!(decode_one(&headers, body).unwrap().data, wanted, "{content_type:?}");
    }
}

#[test]
fn the_mode_is_chosen_by_content_type() {
    for (content_type, wanted) in [
        ("application/cloudevents-batch+json", Mode::Batched),
        ("Application/CloudEvents-Batch+JSON; charset=UTF-8", Mode::Batched),
        ("application/cloudevents+json", Mode::Structured),
        ("APPLICATION/CLOUDEVENTS+JSON", Mode::Structured),
        ("application/json", Mode::Binary),
    ] {
        assert_eq!(mode(&headers(&[("content-type", content_type.as_bytes())])), wanted, "{content_type}");
    }
    assert_eq!(mode(&HeaderMap::new()), Mode::Binary);
}

#[test]
fn structured_and_batched_messages_ignore_headers_of_binary_mode() {
    let lines: [(&str, &[u8]); 2] =
        [("ce-id", b"another"), ("content-type", b"application/cloudevents+json")];
    assert_eq!(decode_one(&headers(&lines), structured_with("").as_bytes()).unwrap().id, "1");
    let (headers, body) = encode_http_batched(&[captured(), captured()]).unwrap();
    assert_eq!(decode_http(&headers, &body, &Limits::default()), Ok(vec![captured(), captured()]));
}

#[test]
fn a_batch_with_a_bad_event_is_refused_whole_and_names_it() {
    let headers = headers(&[("content-type", b"application/cloudevents-batch+json")]);
    let body = format!("[{},{}]", structured_with(""), structured_with(r#","id":"2""#));
    let error = decode_http(&headers, body.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error.code(), "attribute_repeated");
    assert_eq!(error.to_string(), "event 1 of the batch: attribute id is there more than once");
}

#[test]
fn data_that_is_itself_a_cloudevent_goes_structured() {
    let mut event = captured();
    for media_type in ["application/cloudevents+json", "application/cloudevents-batch+json; a=b"] {
        event.data = Data::Json { content_type: media_type.into(), value: json!({ "id": "inner" }) };
        assert_eq!(encode_http_binary(&event), encode_http_structured(&event));
    }
    event.data = bytes_data("application/cloudevents+avro", &[0]);
    let (headers, body) = encode_http_binary(&event).unwrap();
    assert_eq!(mode(&headers), Mode::Structured);
    assert_eq!(decode_one(&headers, &body), Ok(event));
}
