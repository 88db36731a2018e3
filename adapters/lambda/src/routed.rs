//! An HTTP event on its way through the router, with every end of it an answer.

use std::panic::AssertUnwindSafe;

use axum::body::Body;
use bytes::Bytes;
use florin_http::call::TimeLeft;
use florin_http::span::Served;
use florin_kernel::event::TraceParent;
use florin_kernel::problem::{Problem, codes};
use futures_util::FutureExt;
use http::header::HeaderName;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use serde_json::value::RawValue;
use tokio::time::timeout_at;
use tower::ServiceExt;

use crate::app::{App, Invocation};
use crate::budget::Budget;
use crate::kind::Front;
use crate::{refusal, request, response};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl App {
    /// The answer to an HTTP event. An error here would be a bare 502, so there is none.
    pub(crate) async fn http(
        &self,
        front: Front,
        event: &RawValue,
        invocation: &Invocation,
        budget: Budget,
    ) -> Box<RawValue> {
        match request::from_event(front, event, &self.http) {
            Ok(mut request) => {
                let trace_id = identify(&mut request, invocation);
                let answered = self.routed(request, budget).await;
                let response = answered.unwrap_or_else(|problem| refusal::answer(&problem, &trace_id));
                response::to_event(front, response, &trace_id)
            }
            Err(refused) => {
                let served = Served::unreadable(invocation.trace.as_ref());
                let trace_id = served.trace.trace_id();
                tracing::info!(
                    error.code = refused.code().code,
                    trace.id = trace_id,
                    "a request was refused before its route"
                );
                let answer = refused.answer(trace_id);
                served.end(answer.status());
                response::to_event(front, answer, trace_id)
            }
        }
    }

    async fn routed(&self, request: Request<Bytes>, budget: Budget) -> Result<Response<Bytes>, Box<Problem>> {
        let (parts, body) = request.into_parts();
        let mut request = Request::from_parts(parts, Body::from(body));
        request.extensions_mut().insert(TimeLeft(budget.room_left()));
        let answered = async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            Ok::<_, axum::Error>(Response::from_parts(parts, body.collect().await?.to_bytes()))
        };
        match timeout_at(budget.work_ends, AssertUnwindSafe(answered).catch_unwind()).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(error))) => Err(fault(&error.to_string())),
            Ok(Err(_)) => Err(fault("the router panicked")),
            Err(_) => Err(Box::new(codes::TIMEOUT.because("the platform's deadline came first"))),
        }
    }
}

fn fault(what: &str) -> Box<Problem> {
    tracing::error!(error.message = what, "fault");
    Box::new(codes::INTERNAL.because("the fault is logged under this trace id"))
}

/// Gives a request that brings none the invocation's trace and identifier, and begins its span here, because an
/// answer may be needed when its router is gone; the trace's identifier.
fn identify(request: &mut Request<Bytes>, invocation: &Invocation) -> String {
    let headers = request.headers_mut();
    if !headers.contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&invocation.request_id)
    {
        headers.insert(REQUEST_ID, id);
    }
    let sent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()?.parse::<TraceParent>().ok());
    let brought = sent.or(invocation.trace);
    if let (None, Some(Ok(value))) = (sent, brought.map(|trace| HeaderValue::from_str(trace.as_str()))) {
        headers.insert(TRACEPARENT, value);
    }
    let trace = TraceParent::span(brought.as_ref());
    request.extensions_mut().insert(trace);
    trace.trace_id().to_owned()
}
