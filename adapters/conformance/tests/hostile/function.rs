//! A request on its way through a front to a Lambda function.

use florin_conformance::lambda::{Front, Lambda};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::h1::Heard;
use crate::request::Request;

/// The event that a front makes of a request. A front hands over text: what is no UTF-8 in a header field arrives
/// with replacement characters.
pub(crate) fn event(front: Front, request: &Request, token: &str) -> Value {
    let target = String::from_utf8_lossy(&request.target).into_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut sent = HttpRequest::new(&request.method, path);
    sent.headers = vec![("host".to_owned(), request.host.clone())];
    for (name, value) in pairs(query) {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        sent = sent.query(&decoded(name), &decoded(value));
    }
    for value in request.authorizations(token) {
        sent = sent.header("authorization", &value);
    }
    for (name, value) in &request.headers {
        sent = sent.header(name, &String::from_utf8_lossy(value));
    }
    sent.body.clone_from(&request.body);
    let mut event = front.event(&sent);
    as_written(front, &mut event, query);
    event
}

/// The parameters of a query, still encoded.
fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The query as the client wrote it, where the front hands it over so: only a REST API decodes it.
fn as_written(front: Front, event: &mut Value, query: &str) {
    match front {
        Front::RestApi => {}
        Front::HttpApi | Front::FunctionUrl => event["rawQueryString"] = json!(query),
        Front::LoadBalancer => {
            let mut all = Map::new();
            for (name, value) in pairs(query) {
                let values = all.entry(name).or_insert_with(|| json!([]));
                values.as_array_mut().expect("a list").push(json!(value));
            }
            event["multiValueQueryStringParameters"] = all.into();
        }
        Front::PlainLoadBalancer => {
            let last: Map<String, Value> = pairs(query).map(|(n, v)| (n.to_owned(), json!(v))).collect();
            event["queryStringParameters"] = last.into();
        }
    }
}

/// Sends a request through a front.
pub(crate) async fn send(lambda: &Lambda, front: Front, request: &Request, token: &str) -> Heard {
    let reply = lambda.answered(&event(front, request, token)).await;
    Heard { status: reply.status, body: reply.body }
}
