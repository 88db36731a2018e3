//! Events of a Lambda function that no front and no queue would send: an error by name or an answer, never the
//! end of the process.

use florin_conformance::lambda::Front;
use florin_testkit::lambda_runtime_api::Invoked;
use serde_json::{Value, json};

use crate::request::Request;
use crate::stage::{BODY_LIMIT, Stage};
use crate::{delivery_sockets, function};

/// The stable name of a failed invocation.
fn name(invoked: &Invoked) -> &str {
    match invoked {
        Invoked::Failed(error) => error["errorType"].as_str().unwrap_or_default(),
        Invoked::Answered(_) | Invoked::TimedOut => "",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_fails_by_name_and_the_next_one_is_served() {
    let mut stage = Stage::start().await;
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "1".to_owned() + &"}".repeat(100_000));
    for (what, payload, error) in [
        ("nothing known", "{}".to_owned(), "florin.unknown_event"),
        ("a list", "[]".to_owned(), "florin.unknown_event"),
        ("null", "null".to_owned(), "florin.unknown_event"),
        ("a text", "\"GET /\"".to_owned(), "florin.unknown_event"),
        ("100,000 objects in each other", deep, "florin.unknown_event"),
        ("records that are none", r#"{"Records": 7}"#.to_owned(), "florin.unknown_event"),
        ("no records", r#"{"Records": []}"#.to_owned(), "florin.unknown_event"),
        (
            "records of nobody",
            r#"{"Records": [{"eventSource": "aws:dynamodb"}]}"#.to_owned(),
            "florin.unknown_event",
        ),
        (
            "SNS",
            r#"{"Records": [{"EventSource": "aws:sns", "Sns": {}}]}"#.to_owned(),
            "florin.sns_without_a_queue",
        ),
        (
            "a message without a name",
            r#"{"Records": [{"eventSource": "aws:sqs"}]}"#.to_owned(),
            "florin.malformed_batch",
        ),
        (
            "a message that is a number",
            r#"{"Records": [{"eventSource": "aws:sqs", "messageId": 7}]}"#.to_owned(),
            "florin.malformed_batch",
        ),
        ("a tick of nothing", r#"{"florin": {}}"#.to_owned(), "florin.malformed_tick"),
        ("a tick of a number", r#"{"florin": {"job": 7}}"#.to_owned(), "florin.malformed_tick"),
        (
            "a tick of nobody",
            r#"{"florin": {"job": "payments.no_such_job"}}"#.to_owned(),
            "florin.job_not_run",
        ),
        ("a tick of a path", r#"{"florin": {"job": "../../etc/passwd"}}"#.to_owned(), "florin.no_such_job"),
        (
            "an authorizer's question",
            r#"{"methodArn": "arn:aws:x", "httpMethod": "GET", "requestContext": {}}"#.to_owned(),
            "florin.unknown_event",
        ),
    ] {
        let invoked = stage.lambda.invoke_bytes(payload.into_bytes()).await;
        assert_eq!(name(&invoked), error, "{what}: {invoked:?}");
    }
    for payload in [&b""[..], b"{", b"\xff\xfe", b"{\"a\": \"\xff\"}", b"{} {}", b"\0"] {
        // The runtime reads JSON before we are asked; what is none is its own error.
        let invoked = stage.lambda.invoke_bytes(payload.to_vec()).await;
        assert!(matches!(invoked, Invoked::Failed(_)), "{payload:?}: {invoked:?}");
    }
    stage.lives().await;
}

/// What is wrong, the change to a well-formed event, and the status and code it meets.
type Bent = (&'static str, fn(&mut Value), u16, &'static str);

fn bent() -> Vec<Bent> {
    fn all(event: &mut Value, name: &str, value: Value) {
        event[name] = value;
    }
    vec![
        ("a body that is a number", |e| all(e, "body", json!(7)), 400, "malformed_event"),
        ("a flag that is a text", |e| all(e, "isBase64Encoded", json!("yes")), 400, "malformed_event"),
        (
            "bad base64",
            |e| {
                all(e, "body", json!("not base64!"));
                all(e, "isBase64Encoded", json!(true))
            },
            400,
            "invalid_body_encoding",
        ),
        (
            "base64url",
            |e| {
                all(e, "body", json!("_-_-"));
                all(e, "isBase64Encoded", json!(true))
            },
            400,
            "invalid_body_encoding",
        ),
        (
            "base64 cut off",
            |e| {
                all(e, "body", json!("eyJ"));
                all(e, "isBase64Encoded", json!(true))
            },
            400,
            "invalid_body_encoding",
        ),
        (
            "base64 of too much",
            |e| {
                all(e, "body", json!("AAAA".repeat(BODY_LIMIT)));
                all(e, "isBase64Encoded", json!(true))
            },
            413,
            "body_too_large",
        ),
        (
            "base64 of no JSON",
            |e| {
                all(e, "body", json!("AAAA"));
                all(e, "isBase64Encoded", json!(true))
            },
            400,
            "invalid_request",
        ),
        (
            "headers that are a list",
            |e| {
                all(e, "headers", json!([]));
                all(e, "multiValueHeaders", json!([]))
            },
            400,
            "malformed_event",
        ),
        (
            "a header that is a number",
            |e| {
                all(e, "headers", json!({"host": 7}));
                all(e, "multiValueHeaders", json!({"host": [7]}))
            },
            400,
            "malformed_event",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_bent_is_a_problem_through_every_front() {
    let mut stage = Stage::start().await;
    let request = Request::pay(r#"{"amount": 100, "currency": "EUR"}"#);
    for front in Front::ALL {
        let good = function::event(front, &request, &stage.token);
        for (what, bend, status, code) in bent() {
            let mut event = good.clone();
            bend(&mut event);
            // The balancer's own member is what tells its two kinds apart.
            if front == Front::PlainLoadBalancer {
                event.as_object_mut().expect("an object").remove("multiValueHeaders");
            }
            let reply = stage.lambda.answered(&event).await;
            assert_eq!((reply.status, reply.code()), (status, code), "{front:?}: {what}: {reply:?}");
        }
        let many: serde_json::Map<String, Value> =
            (0..40_000).map(|n| (format!("x-{n}"), json!("1"))).collect();
        let lists = many.keys().map(|name| (name.clone(), json!(["1"]))).collect::<serde_json::Map<_, _>>();
        let mut event = good.clone();
        event["headers"] = many.into();
        if front != Front::PlainLoadBalancer {
            event["multiValueHeaders"] = lists.into();
        }
        let reply = stage.lambda.answered(&event).await;
        assert_eq!((reply.status, reply.code()), (400, "invalid_header"), "{front:?}: {reply:?}");
    }
    assert_eq!(stage.payments().await, [0, 0]);
    stage.lives().await;
}

/// One message of the audit's queue.
fn message(id: &str, body: &str) -> Value {
    json!({
        "messageId": id, "receiptHandle": "handle", "body": body, "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:florin-audit-record_event",
        "attributes": { "ApproximateReceiveCount": "1" },
    })
}

/// An event with this identifier, and these members besides.
fn event_of(id: &str, more: &str) -> String {
    format!(
        r#"{{"specversion": "1.0", "id": "{id}", "source": "/florin/payments", "type": "florin.payment.created.v1",
             "subject": "pay_01a20c4981047b05ab49de913dc43ad3", "tenant": "acme", "sequence": "1"{more}}}"#
    )
}

/// What the batch's answer says has to come again.
fn failed(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().expect("a list").iter();
    failures.filter_map(|failure| failure["itemIdentifier"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_batch_wide_data_is_data_and_too_many_or_too_long_attributes_come_again() {
    let mut stage = Stage::start().await;
    let attributes = |many: usize| (0..many).map(|n| format!(r#", "a{n}": "x""#)).collect::<String>();
    let long = |bytes: usize| format!(r#", "long": "{}""#, "x".repeat(bytes));
    let mut messages: Vec<Value> = delivery_sockets::wide()
        .iter()
        .map(|(what, data)| message(what, &event_of(what, &format!(r#", "data": {data}"#))))
        .collect();
    messages.extend([
        message("too-many", &event_of("too-many", &attributes(58))),
        message("many", &event_of("many", &attributes(57))),
        message("thousands", &event_of("thousands", &attributes(50_000))),
        message("too-long", &event_of("too-long", &long(4_097))),
        message("long", &event_of("long", &long(4_096))),
        message("a-megabyte", &event_of("a-megabyte", &long(1_000_000))),
        message("a-long-id", &event_of(&"x".repeat(4_097), "")),
        message(
            "a-long-name",
            &event_of("a-long-name", &format!(r#", "{}": 4294967296"#, "n".repeat(10_000))),
        ),
    ]);
    // The queue's own attributes of a message are no event's, however many and long they are.
    let mut beside = message("beside", &event_of("beside", ""));
    beside["messageAttributes"] = (0..2_000)
        .map(|n| (format!("a{n}"), json!({ "dataType": "String", "stringValue": "x".repeat(1_000) })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    messages.push(beside);
    let answer = stage.lambda.invoke(&json!({ "Records": messages })).await.answer();
    assert_eq!(
        failed(&answer),
        ["too-many", "thousands", "too-long", "a-megabyte", "a-long-id", "a-long-name"]
    );
    // Why is said, and not what was sent.
    let log = stage.lambda.process().log();
    let said: Vec<usize> =
        log.lines().filter(|line| line.contains("is not an event")).map(str::len).collect();
    assert!(said.len() == 6 && said.iter().all(|length| *length < 1_000), "{said:?}");
    let listed =
        stage.send(crate::way::HTTP_API, &Request::get("/v1/audit/records")).await.expect("an answer");
    assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(7), "{listed:?}");
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_batch_only_what_is_no_event_comes_again() {
    let mut stage = Stage::start().await;
    let event = |more: &str| event_of("evt-1", more);
    let messages = [
        message("good", &event("")),
        message("nothing", ""),
        message("no-json", "{"),
        message("no-event", r#"{"amount": 100}"#),
        message("twice", &event(r#", "id": "evt-2""#)),
        message("deep", &event(&format!(r#", "data": {}{}"#, "[".repeat(5_000), "]".repeat(5_000)))),
        message("bad-base64", &event(r#", "data_base64": "!!!!""#)),
        message("endless", &event(&format!(r#", "data": "{}""#, "x".repeat(1_100_000)))),
        message("an-envelope-in-an-envelope", &json!({ "Type": "Notification", "Message": json!({ "Type": "Notification", "Message": event("") }).to_string() }).to_string()),
        message("again", &event("")),
    ];
    let answer = stage.lambda.invoke(&json!({ "Records": messages })).await.answer();
    assert_eq!(
        failed(&answer),
        [
            "nothing",
            "no-json",
            "no-event",
            "twice",
            "deep",
            "bad-base64",
            "endless",
            "an-envelope-in-an-envelope"
        ]
    );
    let listed =
        stage.send(crate::way::HTTP_API, &Request::get("/v1/audit/records")).await.expect("an answer");
    assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(1), "{listed:?}");
    stage.lives().await;
}
