//! Golden vectors of the JSON format, the AMQP binding and the SQS body.

use florin_kernel::event::{Data, Event};
use florin_kernel::time::Timestamp;
use florin_queue::cloudevents::{
    AmqpMessage, AttributeValue, Limits, decode_amqp, decode_batch, decode_sqs, decode_structured,
    encode_amqp, encode_sqs, encode_structured,
};
use serde_json::{Value, json};

use crate::sample::{bytes_data, captured, decode_with, json_data, structured_with};

fn spec_event(data: Data) -> Event {
    Event {
        id: "A234-1234-1234".into(),
        source: "/mycontext".into(),
        kind: "com.example.someevent".into(),
        subject: None,
        time: Some("2018-04-05T17:31:00Z".parse().unwrap()),
        dataschema: None,
        extensions: [("comexampleextension1", "value"), ("comexampleothervalue", "5")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        data,
    }
}

fn spec_text(members: &str) -> String {
    format!(
        r#" {{ "specversion" : "1.0", "type" : "com.example.someevent", "source" : "/mycontext", "subject": null,
        "id" : "A234-1234-1234", "time" : "2018-04-05T17:31:00Z", "comexampleextension1" : "value",
        "comexampleothervalue" : 5, "unsetextension": null {members} }} "#
    )
}

#[test]
fn the_four_examples_of_the_json_format_decode_to_their_data() {
    for (members, data) in [
        (
            r#", "datacontenttype" : "application/vnd.apache.thrift.binary", "data_base64" : "AAEC/w==""#,
            bytes_data("application/vnd.apache.thrift.binary", &[0, 1, 2, 255]),
        ),
        (
            r#", "datacontenttype" : "application/xml", "data" : "<much wow=\"xml\"/>""#,
            bytes_data("application/xml", br#"<much wow="xml"/>"#),
        ),
        (
            r#", "datacontenttype" : "application/json", "data" : { "appinfoA" : "abc", "appinfoB" : 123, "appinfoC" : true }"#,
            json_data(json!({ "appinfoA": "abc", "appinfoB": 123, "appinfoC": true })),
        ),
        (r#", "data" : "I'm just a string""#, json_data(json!("I'm just a string"))),
    ] {
        let decoded = decode_structured(spec_text(members).as_bytes(), &Limits::default());
        assert_eq!(decoded, Ok(spec_event(data)), "{members}");
    }
}

#[test]
fn a_florin_event_encodes_to_these_members() {
    let text = encode_structured(&captured()).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&text).unwrap(),
        json!({
            "specversion": "1.0",
            "id": "evt_0198c5d2",
            "source": "/florin/payments",
            "type": "florin.payment.captured.v1",
            "subject": "pay_0198c5d1",
            "time": "2026-11-24T05:31:00.500000Z",
            "sequence": "3",
            "tenant": "acme",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "datacontenttype": "application/json",
            "data": { "id": "pay_0198c5d1", "amount_received": 1250 }
        })
    );
}

#[test]
fn integers_and_booleans_are_kept_in_their_canonical_text() {
    let event =
        decode_with(r#","a":2147483647,"b":-2147483648,"c":true,"d":false,"e":"x","f":null,"g":"""#).unwrap();
    let found: Vec<_> =
        event.extensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let wanted =
        [("a", "2147483647"), ("b", "-2147483648"), ("c", "true"), ("d", "false"), ("e", "x"), ("g", "")];
    assert_eq!(found, wanted);
}

#[test]
fn null_is_json_data_and_no_data_is_none() {
    assert_eq!(decode_with(r#","data":null"#).unwrap().data, json_data(Value::Null));
    assert_eq!(decode_with("").unwrap().data, Data::None);
    assert_eq!(decode_with(r#","data_base64":null"#).unwrap().data, Data::None);
    assert_eq!(decode_with(r#","data":{},"data_base64":null"#).unwrap().data, json_data(json!({})));
}

#[test]
fn base64_of_a_json_type_is_read_as_json() {
    let event = decode_with(r#","datacontenttype":"application/vnd.a+json","data_base64":"eyJhIjoxfQ==""#);
    let wanted = Data::Json { content_type: "application/vnd.a+json".into(), value: json!({ "a": 1 }) };
    assert_eq!(event.unwrap().data, wanted);
}

#[test]
fn a_time_in_another_zone_is_the_same_instant_to_the_microsecond() {
    let time = |text: &str| decode_with(&format!(r#","time":"{text}""#)).unwrap().time;
    assert_eq!(time("2018-04-05T17:31:00.1234567+02:00"), time("2018-04-05T15:31:00.123456Z"));
}

#[test]
fn a_batch_decodes_event_by_event_and_may_be_empty() {
    let limits = Limits::default();
    assert_eq!(decode_batch(b" [] ", &limits), Ok(vec![]));
    let text = format!("[{},{{}},{}]", structured_with(""), structured_with(r#","data":1"#));
    let events = decode_batch(text.as_bytes(), &limits).unwrap();
    assert_eq!(events.len(), 3);
    assert!(events[0].is_ok() && events[2].is_ok());
    let error = events[1].clone().unwrap_err();
    assert_eq!(error.code(), "attribute_missing");
    assert_eq!(error.to_string(), "event 1 of the batch: attribute specversion is missing");
}

#[test]
fn an_amqp_message_carries_attributes_under_the_underscore_prefix_and_the_type_as_its_property() {
    let message = encode_amqp(&captured()).unwrap();
    assert_eq!(message.content_type.as_deref(), Some("application/json"));
    assert_eq!(message.body, br#"{"id":"pay_0198c5d1","amount_received":1250}"#);
    let names: Vec<_> = message.headers.keys().map(String::as_str).collect();
    let wanted =
        ["id", "sequence", "source", "specversion", "subject", "tenant", "time", "traceparent", "type"];
    assert_eq!(names, wanted.map(|name| format!("cloudEvents_{name}")));
    assert_eq!(message.headers["cloudEvents_sequence"], AttributeValue::Text("3".into()));
}

#[test]
fn an_amqp_message_is_read_under_either_prefix_with_native_types_or_text() {
    let at: Timestamp = "2018-04-05T03:56:24Z".parse().unwrap();
    let native = [
        ("specversion", AttributeValue::Text("1.0".into())),
        ("id", AttributeValue::Text("1".into())),
        ("source", AttributeValue::Text("/s".into())),
        ("type", AttributeValue::Text("t".into())),
        ("time", AttributeValue::Timestamp(at)),
        ("count", AttributeValue::Integer(7)),
        ("flag", AttributeValue::Boolean(true)),
        ("raw", AttributeValue::Binary(vec![0, 255])),
        ("seen", AttributeValue::Timestamp(at)),
    ];
    for prefix in ["cloudEvents:", "cloudEvents_"] {
        let mut headers: std::collections::BTreeMap<_, _> =
            native.iter().map(|(name, value)| (format!("{prefix}{name}"), value.clone())).collect();
        headers.insert("x-death".into(), AttributeValue::Integer(i64::MAX));
        let message = AmqpMessage { content_type: None, headers, body: vec![] };
        let event = decode_amqp(&message, &Limits::default()).unwrap();
        assert_eq!((event.time, event.data), (Some(at), Data::None));
        let extensions: Vec<_> = event.extensions.into_iter().collect();
        let wanted =
            [("count", "7"), ("flag", "true"), ("raw", "AP8="), ("seen", "2018-04-05T03:56:24.000000Z")];
        assert_eq!(extensions, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

#[test]
fn an_sqs_message_is_structured_json_with_at_most_four_attributes() {
    let message = encode_sqs(&captured()).unwrap();
    assert_eq!(message.body.as_bytes(), encode_structured(&captured()).unwrap());
    let names: Vec<_> = message.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["source", "tenant", "traceparent", "type"]);
    let mut bare = captured();
    bare.extensions = [("tenant".to_owned(), String::new())].into();
    assert_eq!(encode_sqs(&bare).unwrap().attributes.len(), 2, "an empty attribute would be refused by SQS");
}

#[test]
fn an_sqs_body_has_no_character_that_xml_excludes() {
    let mut event = captured();
    event.data = json_data(json!({ "\u{FFFE}": "a\u{FFFF}b\\\u{FFFF}\u{1}" }));
    let body = encode_sqs(&event).unwrap().body;
    assert!(!body.contains(['\u{FFFE}', '\u{FFFF}', '\u{1}']));
    assert_eq!(decode_sqs(&body, &Limits::default()), Ok(event));
}

#[test]
fn an_sqs_body_is_read_through_the_envelopes_of_sns_and_eventbridge() {
    let event = captured();
    let bare = String::from_utf8(encode_structured(&event).unwrap()).unwrap();
    let bridge = json!({
        "version": "0", "id": "6a7e8feb", "detail-type": event.kind, "source": "florin", "account": "1",
        "time": "2026-11-24T05:31:00Z", "region": "eu-west-1", "resources": [],
        "detail": serde_json::from_str::<Value>(&bare).unwrap(),
    })
    .to_string();
    let sns = |message: &str| {
        json!({
            "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message,
            "Timestamp": "2026-11-24T05:31:00.000Z", "SignatureVersion": "1", "Signature": "x",
            "MessageAttributes": { "type": { "Type": "String", "Value": "t" } },
        })
        .to_string()
    };
    for body in [sns(&bare), bridge.clone(), sns(&bridge), bare] {
        assert_eq!(decode_sqs(&body, &Limits::default()), Ok(event.clone()), "{body}");
    }
}
