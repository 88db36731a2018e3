//! Decoding what was encoded gives the same event on every carrier, and no bytes make a decoder panic.

use florin_kernel::event::Event;
use florin_queue::cloudevents::{
    AmqpMessage, DecodeError, EncodeError, Limits, decode_amqp, decode_batch, decode_http, decode_sqs,
    decode_structured, encode_amqp, encode_amqp_structured, encode_batch, encode_http_batched,
    encode_http_binary, encode_http_structured, encode_sqs, encode_structured,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;

use crate::strategies::{any_event, attribute_value, event};

/// A journey's name and what arrived.
type Arrival = (&'static str, Result<Event, DecodeError>);

/// The event after a journey on each carrier, in each of its modes.
fn journeys(event: &Event) -> Result<Vec<Arrival>, EncodeError> {
    let limits = Limits::default();
    let one = |events: Result<Vec<Event>, DecodeError>| events.map(|mut events| events.remove(0));
    let http = |(headers, body): (HeaderMap, Vec<u8>)| one(decode_http(&headers, &body, &limits));
    let text = |text: Vec<u8>| String::from_utf8(text).unwrap();
    let sqs = encode_sqs(event)?.body;
    let sns = json!({ "Type": "Notification", "Message": sqs }).to_string();
    let bridge = format!(r#"{{"detail-type":"x","detail":{sqs}}}"#);
    let batch = encode_batch(std::slice::from_ref(event))?;
    Ok(vec![
        ("structured", decode_structured(&encode_structured(event)?, &limits)),
        ("batch", decode_batch(&batch, &limits).and_then(|mut events| events.remove(0))),
        ("http binary", http(encode_http_binary(event)?)),
        ("http structured", http(encode_http_structured(event)?)),
        ("http batched", http(encode_http_batched(std::slice::from_ref(event))?)),
        ("amqp binary", decode_amqp(&encode_amqp(event)?, &limits)),
        ("amqp structured", decode_amqp(&encode_amqp_structured(event)?, &limits)),
        ("sqs", decode_sqs(&sqs, &limits)),
        ("sqs, sns", decode_sqs(&sns, &limits)),
        ("sqs, eventbridge", decode_sqs(&bridge, &limits)),
        ("structured as sqs", decode_sqs(&text(encode_structured(event)?), &limits)),
    ])
}

fn header_values() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names =
        ["ce-id", "ce-source", "ce-type", "ce-time", "ce-ext", "ce-my-ext", "ce-datacontenttype", "other"];
    let content_types =
        ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "x"];
    let value = prop_oneof![vec(any::<u8>(), 0..12), "[%\"\\\\ a2fF]{0,8}".prop_map(String::into_bytes)];
    let content_type = prop::sample::select(content_types.to_vec()).prop_map(|text| text.as_bytes().to_vec());
    (vec((prop::sample::select(names.to_vec()), value), 0..8), prop::option::of(content_type)).prop_map(
        |(mut lines, content_type)| {
            lines.push(("ce-specversion", b"1.0".into()));
            lines.extend(content_type.map(|value| ("content-type", value)));
            lines
        },
    )
}

/// Enters every decoder with the same bytes.
fn decode_everywhere(lines: &[(&'static str, Vec<u8>)], amqp: &AmqpMessage) {
    let limits = Limits::default();
    let body = &amqp.body;
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let _ = decode_http(&headers, body, &limits);
    let _ = decode_structured(body, &limits);
    let _ = decode_batch(body, &limits);
    let _ = decode_sqs(&String::from_utf8_lossy(body), &limits);
    let _ = decode_amqp(amqp, &limits);
}

proptest! {
    #[test]
    fn an_event_is_the_same_after_every_carrier(event in event()) {
        for (journey, arrived) in journeys(&event).unwrap() {
            prop_assert_eq!(arrived.as_ref(), Ok(&event), "{}", journey);
        }
    }

    #[test]
    fn an_event_that_no_receiver_would_take_is_not_sent(event in any_event()) {
        if let Ok(arrivals) = journeys(&event) {
            for (journey, arrived) in arrivals {
                prop_assert_eq!(arrived.as_ref(), Ok(&event), "{}", journey);
            }
        }
    }

    #[test]
    fn events_of_a_batch_keep_their_order(events in vec(event(), 0..5)) {
        let (headers, body) = encode_http_batched(&events).unwrap();
        prop_assert_eq!(decode_http(&headers, &body, &Limits::default()), Ok(events));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        lines in header_values(),
        body in vec(any::<u8>(), 0..200),
        content_type in prop::option::of(".{0,20}"),
        headers in btree_map("(cloudEvents[:_])?[a-z]{0,6}", attribute_value(), 0..6),
    ) {
        decode_everywhere(&lines, &AmqpMessage { content_type, headers, body });
    }

    #[test]
    fn a_damaged_message_never_panics(
        event in event(),
        lines in header_values(),
        damage in vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(b'"'), Just(b'{')]), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut body = encode_batch(&[event]).unwrap();
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        // The array's bracket comes off, so that the other decoders see an object as well.
        for body in [body.clone(), body[..cut.index(body.len())].to_vec(), body[1..].to_vec(), body[1..body.len() - 1].to_vec()] {
            decode_everywhere(&lines, &AmqpMessage { content_type: None, headers: Default::default(), body });
        }
    }
}
