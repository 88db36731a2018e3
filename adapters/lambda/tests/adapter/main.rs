//! What the Lambda front promises, by the door an event comes in.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]
#![expect(clippy::print_stdout, reason = "a test that cannot run says so")]

mod answers;
mod batches;
mod defects_of_lambda_http;
mod kinds;
mod recorded;
mod requests;
mod same_request;
mod ticks;

use bytes::Bytes;
use florin_lambda::request::{Options, from_event};
use florin_lambda::{Front, Kind, Refusal};
use http::{Request, Response};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

fn raw(event: &Value) -> Box<RawValue> {
    to_raw_value(event).unwrap()
}

fn front(event: &Value) -> Front {
    match Kind::of(&raw(event)) {
        Kind::Http(front) => front,
        other => panic!("{other:?} is not HTTP: {event}"),
    }
}

/// The request of an event, by the ordinary way: kind first.
fn request(event: &Value) -> Result<Request<Bytes>, Refusal> {
    request_with(event, &Options::default())
}

fn request_with(event: &Value, options: &Options) -> Result<Request<Bytes>, Refusal> {
    from_event(front(event), &raw(event), options)
}

/// The answer to an event as the front gets it.
fn answer(front: Front, response: Response<Bytes>) -> Value {
    serde_json::from_str(
        florin_lambda::response::to_event(front, response, "0af7651916cd43dd8448eb211c80319c").get(),
    )
    .unwrap()
}

fn all<'a>(request: &'a Request<Bytes>, name: &str) -> Vec<&'a str> {
    request.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}
