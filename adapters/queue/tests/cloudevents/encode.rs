//! What may not go out, because a conformant receiver would refuse it.

use florin_kernel::event::{Data, Event};
use florin_kernel::time::Timestamp;
use florin_queue::cloudevents::{
    encode_amqp, encode_batch, encode_http_binary, encode_sqs, encode_structured,
};
use serde_json::json;

use crate::sample::{bytes_data, captured};

fn refused_everywhere(event: &Event, code: &str) {
    let codes = [
        encode_structured(event).unwrap_err().code(),
        encode_batch(&[captured(), event.clone()]).unwrap_err().code(),
        encode_http_binary(event).unwrap_err().code(),
        encode_amqp(event).unwrap_err().code(),
        encode_sqs(event).unwrap_err().code(),
    ];
    assert_eq!(codes, [code; 5]);
}

#[test]
fn an_event_outside_of_the_specification_is_refused_by_every_encoder() {
    let changed = |change: fn(&mut Event)| {
        let mut event = captured();
        change(&mut event);
        event
    };
    refused_everywhere(&changed(|event| event.id.clear()), "attribute_empty");
    refused_everywhere(&changed(|event| event.source.clear()), "attribute_empty");
    refused_everywhere(&changed(|event| event.kind.clear()), "attribute_empty");
    refused_everywhere(&changed(|event| event.subject = Some(String::new())), "attribute_empty");
    refused_everywhere(&changed(|event| event.subject = Some("a\nb".into())), "attribute_character");
    refused_everywhere(&changed(|event| event.kind.push('\u{FFFF}')), "attribute_character");
    refused_everywhere(&changed(|event| event.time = Some(Timestamp::from_micros(i64::MAX))), "time_invalid");
    for name in ["", "Tenant", "trace-parent", "data", "data_base64", "naïve"] {
        let mut event = captured();
        event.extensions.insert(name.into(), "x".into());
        refused_everywhere(&event, "attribute_name");
    }
    for name in ["id", "specversion", "datacontenttype", "time"] {
        let mut event = captured();
        event.extensions.insert(name.into(), "x".into());
        refused_everywhere(&event, "attribute_repeated");
    }
}

#[test]
fn data_under_a_media_type_of_the_other_form_is_refused() {
    let mut event = captured();
    event.data = bytes_data("application/json", b"{}");
    refused_everywhere(&event, "data_form");
    event.data = Data::Json { content_type: "text/plain".into(), value: json!("x") };
    refused_everywhere(&event, "data_form");
    event.data = Data::Json { content_type: "json".into(), value: json!("x") };
    refused_everywhere(&event, "datacontenttype_invalid");
    event.data = bytes_data("text/plain\r\nce-id: 2", b"x");
    refused_everywhere(&event, "datacontenttype_invalid");
}
