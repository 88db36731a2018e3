//! Messages that a stranger makes: each is refused with the code and the name of what is wrong.

use florin_queue::cloudevents::{
    AmqpMessage, AttributeValue, DecodeError, Limits, decode_amqp, decode_batch, decode_http, decode_sqs,
    decode_structured,
};
use serde_json::json;

use crate::sample::{decode_one, decode_with, headers, structured_with, with_required};

fn refused<T: std::fmt::Debug>(decoded: Result<T, DecodeError>, code: &str, naming: &str) {
    let error = decoded.expect_err(naming);
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(naming), "{error} does not name {naming}");
}

#[test]
fn a_structured_event_with_a_wrong_attribute_is_refused_by_name() {
    for (members, code, naming) in [
        (r#","id":"2""#, "attribute_repeated", "id"),
        (r#","subject":null,"subject":"x""#, "attribute_repeated", "subject"),
        (r#","data":1,"data":2"#, "attribute_repeated", "data"),
        (r#","subject":"""#, "attribute_empty", "subject"),
        (r#","subject":5"#, "attribute_type", "subject"),
        (r#","subject":true"#, "attribute_type", "subject"),
        (r#","time":1700000000"#, "attribute_type", "time"),
        (r#","time":"yesterday""#, "time_invalid", "time"),
        (r#","time":"2018-04-05""#, "time_invalid", "time"),
        (r#","ext":1.0"#, "attribute_type", "ext"),
        (r#","ext":1e3"#, "attribute_type", "ext"),
        (r#","ext":2147483648"#, "attribute_type", "ext"),
        (r#","ext":-2147483649"#, "attribute_type", "ext"),
        (r#","ext":99999999999999999999999999"#, "attribute_type", "ext"),
        (r#","ext":{}"#, "attribute_type", "ext"),
        (r#","ext":["a"]"#, "attribute_type", "ext"),
        (r#","Ext":"x""#, "attribute_name", "Ext"),
        (r#","my-ext":"x""#, "attribute_name", "my-ext"),
        (r#","my_ext":null"#, "attribute_name", "my_ext"),
        (r#","":"x""#, "attribute_name", ""),
        (r#","ext":"a\u0000b""#, "attribute_character", "ext"),
        (r#","ext":"a\u007fb""#, "attribute_character", "ext"),
        (r#","ext":"\uFFFE""#, "attribute_character", "ext"),
        (r#","ext":"\uDEAD""#, "attribute_character", "ext"),
        (r#","datacontenttype":"json","data":1"#, "datacontenttype_invalid", "datacontenttype"),
        (r#","datacontenttype":"text/plain\r\nx: y","data":"""#, "attribute_character", "datacontenttype"),
        (r#","data":1,"data_base64":"AA==""#, "data_twice", "data_base64"),
        (r#","data":null,"data_base64":"AA==""#, "data_twice", "data_base64"),
        (r#","data_base64":"A""#, "data_not_base64", "data_base64"),
        (r#","data_base64":"AA""#, "data_not_base64", "data_base64"),
        (r#","data_base64":"_-8=""#, "data_not_base64", "data_base64"),
        (r#","data_base64":5"#, "data_not_base64", "data_base64"),
        (r#","datacontenttype":"application/json","data_base64":"ew==""#, "data_not_json", "data"),
        (r#","datacontenttype":"text/plain","data":5"#, "data_not_text", "data"),
        (r#","datacontenttype":"text/plain","data":null"#, "data_not_text", "data"),
        (r#","data":{"a":{"k":1,"k":2}}"#, "data_key_repeated", "k"),
        (r#","data":"\uDEAD""#, "data_not_json", "data"),
        (r#","data":1e999"#, "data_not_json", "data"),
    ] {
        refused(decode_with(members), code, naming);
    }
}

#[test]
fn a_required_attribute_that_is_missing_null_empty_or_wrong_is_refused_by_name() {
    for name in ["specversion", "id", "source", "type"] {
        let required = |member: &str| {
            let rest = ["specversion", "id", "source", "type"].into_iter().filter(|other| *other != name);
            let rest = rest.map(|other| format!(r#","{other}":"1.0""#)).collect::<String>();
            let text = format!("{{{}}}", format!("{member}{rest}").trim_start_matches(','));
            decode_structured(text.as_bytes(), &Limits::default())
        };
        refused(required(""), "attribute_missing", name);
        refused(required(&format!(r#""{name}":null"#)), "attribute_missing", name);
        refused(required(&format!(r#""{name}":"""#)), "attribute_empty", name);
        refused(required(&format!(r#""{name}":1"#)), "attribute_type", name);
        assert!(required(&format!(r#""{name}":"1.0""#)).is_ok());
    }
    for version in ["0.3", "1.0.2", "1", " 1.0"] {
        let text = structured_with("").replace("1.0", version);
        refused(
            decode_structured(text.as_bytes(), &Limits::default()),
            "specversion_unsupported",
            "specversion",
        );
    }
}

#[test]
fn what_is_no_event_in_json_is_refused() {
    for (body, code) in [
        (&b""[..], "not_json"),
        (b"hello", "not_json"),
        (b"{", "not_json"),
        (b"{\"id\":\"\xff\"}", "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"{} {}", "not_json"),
        (b"{\"id\":01}", "not_json"),
        (b"null", "not_an_object"),
        (b"[{}]", "not_an_object"),
        (b"\"{}\"", "not_an_object"),
    ] {
        refused(decode_structured(body, &Limits::default()), code, "");
    }
    refused(decode_batch(b"{}", &Limits::default()), "not_an_array", "");
    refused(decode_batch(b"[{},]", &Limits::default()), "not_json", "");
}

#[test]
fn a_binary_message_with_a_wrong_header_is_refused_by_name() {
    for (lines, code, naming) in [
        (&[("ce-id", &b"2"[..])][..], "attribute_repeated", "id"),
        (&[("ce-datacontenttype", b"text/plain")], "datacontenttype_misplaced", "datacontenttype"),
        (
            &[("content-type", b"text/plain"), ("content-type", b"a/b")],
            "attribute_repeated",
            "datacontenttype",
        ),
        (&[("content-type", b"")], "attribute_empty", "datacontenttype"),
        (&[("content-type", b"plain")], "datacontenttype_invalid", "datacontenttype"),
        (&[("content-type", b"text/\xff")], "datacontenttype_invalid", "datacontenttype"),
        (&[("content-type", b"application/json")], "data_not_json", "data"),
        (&[("ce-subject", b"")], "attribute_empty", "subject"),
        (&[("ce-subject", b"%C0%A0")], "attribute_encoding", "subject"),
        (&[("ce-subject", b"%ff")], "attribute_encoding", "subject"),
        (&[("ce-subject", b"\xff")], "attribute_encoding", "subject"),
        (&[("ce-subject", b"100%")], "attribute_encoding", "subject"),
        (&[("ce-subject", b"\"open")], "attribute_encoding", "subject"),
        (&[("ce-subject", b"a%0Ab")], "attribute_character", "subject"),
        (&[("ce-subject", b"a\tb")], "attribute_character", "subject"),
        (&[("ce-data", b"x")], "attribute_name", "data"),
        (&[("ce-my-ext", b"x")], "attribute_name", "my-ext"),
        (&[("ce-", b"x")], "attribute_name", ""),
        (&[("ce-time", b"now")], "time_invalid", "time"),
    ] {
        refused(decode_one(&with_required(lines), b"{"), code, naming);
    }
    refused(decode_one(&headers(&[]), b"{}"), "attribute_missing", "specversion");
}

#[test]
fn a_cloudevents_format_other_than_json_is_refused() {
    for content_type in [
        "application/cloudevents",
        "application/cloudevents+avro",
        "application/cloudevents-batch",
        "application/cloudevents-batch+protobuf",
        "application/cloudevents+jsonx",
    ] {
        let line = headers(&[("content-type", content_type.as_bytes())]);
        refused(decode_one(&line, b"[]"), "format_unsupported", content_type.split_at(12).1);
    }
    let twice =
        headers(&[("content-type", b"application/cloudevents+json"), ("content-type", b"text/plain")]);
    refused(decode_one(&twice, structured_with("").as_bytes()), "attribute_repeated", "datacontenttype");
}

#[test]
fn every_limit_is_the_last_that_passes() {
    let limits = Limits {
        max_event_bytes: 200,
        max_batch: 2,
        max_batch_bytes: 450,
        max_attributes: 6,
        max_attribute_bytes: 8,
        max_indexed_bytes: 21,
        max_depth: 3,
    };
    let decode = |members: &str| decode_structured(structured_with(members).as_bytes(), &limits);
    assert!(decode(r#","ext":"12345678","subject":"s""#).is_ok());
    refused(decode(r#","ext":"123456789""#), "attribute_too_large", "ext");
    refused(decode(r#","a":1,"b":2,"c":3"#), "too_many_attributes", "6");
    refused(decode(&format!(r#",{}"d":1"#, r#""x":null,"#.repeat(3))), "attribute_repeated", "x");
    refused(decode(r#","a":1,"b":2,"c":null,"d":null,"e":null"#), "too_many_attributes", "6");
    assert!(decode(r#","data":[[[1]]]"#).is_ok());
    refused(decode(r#","data":[[[[]]]]"#), "data_too_deep", "3");
    let room = 200 - structured_with(r#","data":"""#).len();
    assert!(decode(&format!(r#","data":"{}""#, "x".repeat(room))).is_ok());
    refused(decode(&format!(r#","data":"{}""#, "x".repeat(room + 1))), "event_too_large", "200");

    let batch = |count: usize, members: &str| {
        decode_batch(format!("[{}]", vec![structured_with(members); count].join(",")).as_bytes(), &limits)
    };
    assert_eq!(batch(2, "").unwrap().len(), 2);
    refused(batch(3, ""), "batch_too_long", "2");
    refused(batch(2, &format!(r#","data":"{}""#, "x".repeat(190))), "batch_too_large", "450");

    let binary = |body: usize| decode_http(&with_required(&[]), &vec![0; body], &limits);
    let attributes = "specversion1.0id1source/stypet".len();
    assert!(binary(200 - attributes).is_ok());
    refused(binary(200 - attributes + 1), "event_too_large", "200");
    refused(
        decode_http(&with_required(&[("ce-ext", b"123456789")]), b"", &limits),
        "attribute_too_large",
        "ext",
    );
    refused(decode_sqs(&" ".repeat(201), &limits), "event_too_large", "200");
}

#[test]
fn what_a_database_has_in_its_indexes_is_at_most_a_kilobyte() {
    let with = |name: &str, bytes: usize| {
        let mut members = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        members[name] = json!("x".repeat(bytes));
        decode_structured(members.to_string().as_bytes(), &Limits::default())
    };
    for name in ["id", "source", "type", "subject"] {
        assert!(with(name, 1_024).is_ok(), "{name}");
        refused(with(name, 1_025), "attribute_too_large", name);
    }
    assert!(with("ext", 4_096).is_ok());
    refused(with("ext", 4_097), "attribute_too_large", "ext");
}

#[test]
fn a_million_events_in_one_batch_and_a_million_brackets_are_refused() {
    let limits = Limits { max_batch_bytes: usize::MAX, max_event_bytes: usize::MAX, ..Limits::default() };
    let batch = format!("[{}1]", "1,".repeat(1_000_000));
    refused(decode_batch(batch.as_bytes(), &limits), "batch_too_long", "100");
    let deep = format!(r#","data":{}{}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
    refused(decode_structured(structured_with(&deep).as_bytes(), &limits), "data_too_deep", "64");
    let deep = deep.replace("data", "ext");
    refused(decode_structured(structured_with(&deep).as_bytes(), &limits), "attribute_type", "ext");
    let unbounded = Limits { max_depth: usize::MAX, ..limits };
    let deep = deep.replace("ext", "data");
    refused(decode_structured(structured_with(&deep).as_bytes(), &unbounded), "data_not_json", "data");
}

#[test]
fn an_error_repeats_at_most_forty_characters_of_the_message() {
    let name = "N".repeat(10_000);
    let error = decode_with(&format!(r#","{name}":"x""#)).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn an_amqp_message_with_a_wrong_header_is_refused_by_name() {
    let text = |text: &str| AttributeValue::Text(text.into());
    let decode = |more: &[(&str, AttributeValue)], content_type: Option<&str>| {
        let required = [("specversion", "1.0"), ("id", "1"), ("source", "/s"), ("type", "t")];
        let required = required.map(|(name, value)| (format!("cloudEvents_{name}"), text(value)));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let headers = required.into_iter().chain(more).collect();
        let message =
            AmqpMessage { content_type: content_type.map(str::to_owned), headers, body: b"{".into() };
        decode_amqp(&message, &Limits::default())
    };
    assert!(decode(&[], None).is_ok());
    refused(decode(&[("cloudEvents:id", text("1"))], None), "attribute_repeated", "id");
    refused(decode(&[("cloudEvents_datacontenttype", text("a/b"))], None), "datacontenttype_misplaced", "");
    refused(
        decode(&[("cloudEvents_subject", AttributeValue::Integer(1))], None),
        "attribute_type",
        "subject",
    );
    refused(decode(&[("cloudEvents_id", AttributeValue::Binary(vec![1]))], None), "attribute_type", "id");
    refused(decode(&[("cloudEvents_n", AttributeValue::Integer(1 << 31))], None), "attribute_type", "n");
    refused(decode(&[("cloudEvents_Ext", text("x"))], None), "attribute_name", "Ext");
    refused(decode(&[], Some("application/json")), "data_not_json", "data");
    refused(decode(&[], Some("application/cloudevents+json")), "not_json", "");
    refused(decode(&[], Some("application/cloudevents-batch+json")), "format_unsupported", "batch");
}

#[test]
fn an_envelope_in_an_envelope_of_its_own_kind_is_not_followed() {
    let sns = |message: &str| serde_json::json!({ "Type": "Notification", "Message": message }).to_string();
    let decode = |body: &str| decode_sqs(body, &Limits::default());
    assert!(decode(&sns(&structured_with(""))).is_ok());
    refused(decode(&sns(&sns(&structured_with("")))), "attribute_name", "Type");
    refused(decode(r#"{"Type":"Notification","Message":{}}"#), "attribute_type", "Message");
    refused(
        decode(r#"{"Type":"Notification","Message":"{}","Message":"{}"}"#),
        "attribute_repeated",
        "Message",
    );
    refused(decode(r#"{"Type":"SubscriptionConfirmation","Message":"x"}"#), "attribute_name", "Type");
    refused(decode(r#"{"detail-type":"x","detail":"text"}"#), "not_an_object", "");
}
