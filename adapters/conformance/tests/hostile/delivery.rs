//! The guarded door: what is no token of the platform's and what is no event is turned away, and records nothing.

use florin_conformance::site::DELIVERY_SECRET;

use crate::cases::refused;
use crate::h1::Heard;
use crate::request::Request;
use crate::stage::{BODY_LIMIT, Stage};
use crate::way::{self, Way};

const DOOR: &str = "/_deliver/audit.record_event";

/// The ways that lead to the door: a function's deliveries come as batches of its queue.
pub(crate) fn ways() -> impl Iterator<Item = Way> {
    way::H1.into_iter().chain(way::H2)
}

/// An event in structured mode, with these members besides.
pub(crate) fn event(more: &str) -> Request {
    let body = format!(
        r#"{{"specversion": "1.0", "id": "evt-1", "source": "/florin/payments", "type": "florin.payment.created.v1",
             "subject": "pay_01a20c4981047b05ab49de913dc43ad3", "tenant": "acme", "sequence": "1"{more}}}"#
    );
    Request { headers: Vec::new(), ..Request::post(DOOR, body) }
        .header("content-type", "application/cloudevents+json")
}

/// An event in binary mode.
fn binary() -> Request {
    let required = [
        ("specversion", "1.0"),
        ("id", "evt-1"),
        ("source", "/florin/payments"),
        ("type", "t"),
        ("tenant", "acme"),
    ];
    let request = Request { headers: Vec::new(), ..Request::post(DOOR, "{}") };
    required.into_iter().fold(request, |request, (name, value)| request.header(&format!("ce-{name}"), value))
}

pub(crate) async fn records(stage: &Stage, way: Way) -> usize {
    let listed = stage.send(way, &Request::get("/v1/audit/records")).await.expect("an answer");
    listed.body["data"].as_array().expect("a page").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_token_opens_the_door() {
    let stage = Stage::start().await;
    for way in ways() {
        for attack in refused(&stage.issuer) {
            let heard = stage.send(way, &event("").bearing(&attack.token)).await.expect("an answer");
            assert_eq!((heard.status, heard.code()), (401, "unauthenticated"), "{way:?}: {}", attack.name);
        }
        let good = format!("Bearer {}", stage.token);
        for fields in [&[good.as_str(), "Basic YTpi"][..], &["Basic YTpi", &good], &[&good, &good]] {
            let heard = stage.send(way, &event("").authorized(fields)).await.expect("an answer");
            assert_eq!((heard.status, heard.code()), (401, "unauthenticated"), "{way:?}");
        }
        assert_eq!(records(&stage, way).await, 0, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_beside_another_credential_is_none() {
    let stage = Stage::with(&[("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET)]).await;
    let good = format!("Bearer {DELIVERY_SECRET}");
    for way in ways() {
        for fields in
            [&[good.as_str(), "Basic YTpi"][..], &["Basic YTpi", &good], &[&good, &good], &[""], &["Bearer "]]
        {
            let heard = stage.send(way, &event("").authorized(fields)).await.expect("an answer");
            assert_eq!((heard.status, heard.code()), (401, "unauthenticated"), "{way:?}: {fields:?}");
        }
    }
    assert_eq!((records(&stage, Way::ContainerH1).await, records(&stage, Way::KnativeH1).await), (0, 0));
    for way in ways() {
        let heard = stage.send(way, &event("").authorized(&[&good])).await.expect("an answer");
        assert_eq!(heard.status, 202, "{way:?}");
    }
}

/// What is no event, and the reason given.
fn no_events() -> Vec<(&'static str, Request, &'static str)> {
    let typed = |request: Request, media_type: &str| {
        Request { headers: Vec::new(), ..request }.header("content-type", media_type)
    };
    let deep = format!(r#", "data": {}{}"#, "[".repeat(5_000), "]".repeat(5_000));
    let attributes: String = (0..100).map(|n| format!(r#", "a{n}": "x""#)).collect();
    let long = format!(r#", "long": "{}""#, "x".repeat(5_000));
    let batch = format!("[{}]", vec!["{}"; 101].join(","));
    vec![
        ("no JSON", typed(Request::post(DOOR, "{"), "application/cloudevents+json"), "not_json"),
        ("no object", typed(Request::post(DOOR, "[]"), "application/cloudevents+json"), "not_an_object"),
        ("an id twice", event(r#", "id": "evt-2""#), "attribute_repeated"),
        ("a key twice in the data", event(r#", "data": {"a": 1, "a": 2}"#), "data_key_repeated"),
        ("deep data", event(&deep), "data_too_deep"),
        ("data twice", event(r#", "data": 1, "data_base64": "AA==""#), "data_twice"),
        ("bad base64", event(r#", "data_base64": "!!!!""#), "data_not_base64"),
        ("100 attributes more", event(&attributes), "too_many_attributes"),
        ("a long attribute", event(&long), "attribute_too_large"),
        ("a number beyond 32 bits", event(r#", "n": 4294967296"#), "attribute_type"),
        (
            "a number beyond 32 bits under a long name",
            event(&format!(r#", "{}": 4294967296"#, "n".repeat(10_000))),
            "attribute_type",
        ),
        ("a long name that is none", event(&format!(r#", "{}": "x""#, "N".repeat(10_000))), "attribute_name"),
        ("a float", event(r#", "n": 1.5"#), "attribute_type"),
        ("a name that is none", event(r#", "a_b": "x""#), "attribute_name"),
        ("another format", typed(event(""), "application/cloudevents+xml"), "format_unsupported"),
        (
            "a batch of 101",
            typed(Request::post(DOOR, batch), "application/cloudevents-batch+json"),
            "batch_too_long",
        ),
        ("an id twice in headers", binary().header("ce-id", "evt-2"), "attribute_repeated"),
        ("bad UTF-8 in a header", binary().header("ce-subject", b"%ff"), "attribute_encoding"),
        ("no id", Request { headers: binary().headers[..1].to_vec(), ..binary() }, "attribute_missing"),
        (
            "data that is no JSON",
            Request { body: b"{".to_vec(), ..binary() }.header("content-type", "application/json"),
            "data_not_json",
        ),
    ]
}

/// The reason that stands in the problem.
pub(crate) fn why(heard: &Heard) -> (u16, &str, &str) {
    (heard.status, heard.code(), heard.body["reason"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_a_problem_with_its_reason() {
    let mut stage = Stage::start().await;
    let mut wrong = Vec::new();
    for way in ways() {
        for (what, request, reason) in no_events() {
            let heard = stage.send(way, &request).await.expect("an answer");
            // What was sent may be a thousand times as long.
            if why(&heard) != (400, "invalid_request", reason) || heard.body.to_string().len() > 2_500 {
                wrong.push(format!("{way:?}: {what}: {heard:?}"));
            }
        }
        // An event may be larger than a customer's request, and has a limit of its own.
        let large = event(&format!(r#", "data": "{}""#, "x".repeat(10 * BODY_LIMIT)));
        assert_eq!(stage.send(way, &large).await.expect("an answer").status, 202, "{way:?}");
        // Over h2c it would need a window that is opened on the way.
        if way::H1.contains(&way) {
            let endless = event(&format!(r#", "data": "{}""#, "x".repeat(1_100_000)));
            let heard = stage.send(way, &endless).await.expect("an answer");
            assert_eq!(why(&heard), (400, "invalid_request", "event_too_large"), "{way:?}");
        }
        for path in [
            "/_deliver/audit.record_event%00",
            "/_deliver/..%2faudit.record_event",
            "/_deliver/../v1/payments",
        ] {
            let heard = stage.send(way, &Request { target: path.as_bytes().to_vec(), ..event("") }).await;
            let heard = heard.expect("an answer");
            assert_eq!((heard.status, heard.code()), (400, "ambiguous_path"), "{way:?}: {path}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let recorded = (records(&stage, Way::ContainerH1).await, records(&stage, Way::KnativeH1).await);
    assert_eq!(recorded, (1, 1), "the large one, once");
    stage.lives().await;
}
