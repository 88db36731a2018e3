//! Whatever JSON a function is invoked with has a kind, and is that kind's or refused; nothing panics.

use std::collections::BTreeSet;

use florin_http::target::{check_host, check_path, check_query};
use florin_lambda::request::{Options, from_event};
use florin_lambda::response::to_event;
use florin_lambda::{Front, Kind, batch, schedule};
use http::Response;
use serde_json::Value;
use serde_json::value::RawValue;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Holds for all bytes; what is no JSON does not reach a function.
pub(crate) fn holds(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Box<RawValue>>(data) else { return };
    match Kind::of(&event) {
        Kind::Http(front) => request(front, &event),
        Kind::Sqs => {
            if let Ok(records) = batch::records(&event) {
                assert!(records.iter().all(|record| !record.message_id.is_empty()));
            }
        }
        Kind::Schedule => {
            if let Ok(job) = schedule::job(&event) {
                assert!(!job.is_empty());
            }
        }
        Kind::Sns | Kind::Unknown => {}
    }
    // A kind is told by the shape: what one member says more must not make another reader panic.
    let _ = batch::records(&event);
    let _ = schedule::job(&event);
    for front in [Front::ApiGatewayV1, Front::ApiGatewayV2, Front::Alb { multi_value_headers: true }] {
        request(front, &event);
    }
}

/// An event of a front is a request that every front would pass on, or a refusal that says nothing of it.
fn request(front: Front, event: &RawValue) {
    let options = Options { max_body_bytes: 1_000, ..Options::default() };
    let request = match from_event(front, event, &options) {
        Ok(request) => request,
        Err(refusal) => {
            let answer: Value =
                serde_json::from_str(to_event(front, refusal.answer(TRACE), TRACE).get()).unwrap();
            let status = answer["statusCode"].as_u64();
            assert!([Some(400), Some(413)].contains(&status), "{answer}");
            return;
        }
    };
    check_path(request.uri().path()).unwrap();
    check_query(request.uri().query().unwrap_or_default()).unwrap();
    check_host(request.headers()).unwrap();
    assert!(request.uri().authority().is_none());
    assert!(request.body().len() <= 1_000);
    for of_the_hop in ["connection", "transfer-encoding", "te", "upgrade"] {
        assert!(!request.headers().contains_key(of_the_hop), "{of_the_hop} went on");
    }
    let length = request.headers().get("content-length").map(|length| length.to_str().unwrap().to_owned());
    assert_eq!(length, (!request.body().is_empty()).then(|| request.body().len().to_string()));
    assert!(request.headers().get_all("cookie").iter().count() <= 1);
    answered(front, request);
}

/// The request's own fields as an answer's: each is there again, in the front's form.
fn answered(front: Front, request: http::Request<bytes::Bytes>) {
    let mut response = Response::new(request.body().clone());
    *response.headers_mut() = request.headers().clone();
    let names: BTreeSet<String> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
    let answer: Value = serde_json::from_str(to_event(front, response, TRACE).get()).unwrap();
    assert_eq!(answer["statusCode"], 200);
    for name in
        names.iter().filter(|name| !["content-length", "trailer", "keep-alive"].contains(&name.as_str()))
    {
        let held = ["headers", "multiValueHeaders"].iter().any(|all| answer[*all].get(name).is_some());
        assert!(held || (name == "set-cookie" && answer["cookies"].is_array()), "{name} is not in {answer}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    /// Values that a member of an event may have and should not.
    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof!["[%a-f0-9/.?&=@:, ]{0,12}", ".{0,8}"];
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
            text.clone().prop_map(|text| json!([text])),
            (text.clone(), text.clone()).prop_map(|(name, value)| json!({ name: value })),
            (text.clone(), vec(text, 0..3)).prop_map(|(name, values)| json!({ name: values })),
        ]
    }

    /// A well-formed event of each source.
    fn events() -> Vec<Value> {
        let sent = HttpRequest::new("POST", "/v1/payments")
            .query("a", "b c")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body("application/json", "{}");
        vec![
            sent.through_rest_api(),
            sent.through_http_api(),
            sent.through_http_api_stage("prod"),
            sent.through_function_url(),
            sent.through_load_balancer(true),
            sent.through_load_balancer(false),
            json!({ "Records": [{ "eventSource": "aws:sqs", "messageId": "1", "body": "{}" }] }),
            json!({ "florin": { "job": "payments.sweep" } }),
            json!({ "detail-type": "Scheduled Event", "resources": ["arn:aws:events:x:1:rule/payments.sweep"] }),
        ]
    }

    /// The members of an event and of its context.
    fn bend(event: &mut Value, which: usize, value: Value, inner: bool) {
        let place =
            if inner && event["requestContext"].is_object() { &mut event["requestContext"] } else { event };
        let members = place.as_object_mut().unwrap();
        let name = members.keys().nth(which % members.len()).cloned().unwrap();
        members.insert(name, value);
    }

    proptest! {
        #[test]
        fn bytes_have_a_kind(data: Vec<u8>) {
            holds(&data);
        }

        #[test]
        fn a_bent_event_is_a_request_or_a_refusal(
            which in 0_usize..9,
            bent in vec((any::<usize>(), value(), any::<bool>()), 0..4),
        ) {
            let mut event = events().swap_remove(which);
            for (member, value, inner) in bent {
                bend(&mut event, member, value, inner);
            }
            holds(event.to_string().as_bytes());
        }

        #[test]
        fn damaged_json_is_a_request_or_a_refusal(which in 0_usize..9, at: prop::sample::Index, byte: u8) {
            let mut text = events().swap_remove(which).to_string().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            holds(&text);
        }
    }
}
