//! The routes: one for each door of the catalog, and a problem for everything else.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use florin_kernel::door::Method;
use florin_kernel::function::{DoorRoom, Function};
use florin_kernel::metric;
use florin_kernel::problem::codes;
use florin_kernel::service::Service;
use futures_util::FutureExt;

use crate::app::App;
use crate::span::traced;
use crate::target::TargetRefusal;
use crate::{call, health, reply};

/// The router of these services, with `/livez` and `/readyz`.
pub fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for (path, functions) in app.doors() {
        let mut methods = MethodRouter::new();
        for (service, function) in functions {
            let Some(at) = function.door() else { continue };
            let handler = move |State(app): State<Arc<App>>, params: Params, request: Request| {
                enter(app, Arc::clone(&service), function, params, request)
            };
            methods = methods.merge(on(filter(at.door.method), handler));
        }
        router = router.route(path, methods);
    }
    router
        .with_state(Arc::clone(app))
        .merge(health::routes(app))
        .fallback(|request: Request| async move {
            let detail = format!("there is nothing at {}", request.uri().path());
            reply::problem(&codes::NOT_FOUND.because(detail), &call::trace_of(request.extensions()))
        })
        .method_not_allowed_fallback(method_not_allowed)
        // One for both: each costs a boxed future and a copy of all that is inside it.
        .layer(from_fn(async |request, next| traced(request, |request| dress(request, next)).await))
}

/// The problem of a method that a path does not know. axum keeps it for each router: one that is merged says it too.
pub async fn method_not_allowed(request: Request) -> Response {
    let detail = format!("{} is not a method of this path", request.method());
    reply::problem(&codes::METHOD_NOT_ALLOWED.because(detail), &call::trace_of(request.extensions()))
}

/// What the path's parameters are, or that they are no text.
type Params = Result<RawPathParams, RawPathParamsRejection>;

/// Gives every answer what all have in common, a panic's too.
async fn dress(request: Request, next: Next) -> Response {
    let (brought_id, trace) = (call::brought_id(request.headers()), call::trace_of(request.extensions()));
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| {
        // The panic's text stays in the log that the panic hook wrote.
        reply::problem(&codes::INTERNAL.because("the fault is logged"), &trace)
    });
    reply::dressed(response, brought_id, &trace)
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// One request at one door, measured under the door's route: a path would be a name for every payment.
async fn enter(
    app: Arc<App>,
    service: Arc<Service>,
    function: &'static Function,
    params: Params,
    request: Request,
) -> Response {
    let began = tokio::time::Instant::now();
    let Some(at) = function.door() else {
        return reply::problem(&codes::NOT_FOUND.because("no door"), &call::trace_of(request.extensions()));
    };
    let method = match request.method() {
        &http::Method::HEAD => "HEAD",
        _ => at.door.method.as_str(),
    };
    tracing::Span::current().record("florin.function", function.name);
    let response = admit(&app, &service, function, at, params, request).await;
    let status = response.status();
    metrics::histogram!(
        metric::HTTP_SERVER_DURATION.name,
        "http.route" => at.door.path,
        "http.request.method" => method,
        "http.response.status_code" => status.as_str().to_owned(),
        "url.scheme" => "http",
        "error.type" => if status.is_server_error() { status.as_str().to_owned() } else { String::new() },
        metric::SERVICE => service.name(),
    )
    .record(began.elapsed().as_secs_f64());
    response
}

async fn admit(
    app: &App,
    service: &Arc<Service>,
    function: &'static Function,
    at: &DoorRoom,
    params: Params,
    request: Request,
) -> Response {
    let trace = call::trace_of(request.extensions());
    // Full is said at once: a queue in memory would only make everybody late.
    let Ok(_permit) = app.room_for.try_acquire() else {
        let problem = codes::UNAVAILABLE.because("this process handles as many requests as it may");
        return reply::refused(&at.door, &problem.retry_after(std::time::Duration::from_secs(1)), &trace);
    };
    let Ok(params) = params else {
        // Behind a socket it was refused before; a front in the same process may not have looked.
        let refusal = TargetRefusal::Path;
        return reply::refused(&at.door, &refusal.code().because(refusal.to_string()), &trace);
    };
    match call::read(app, service, at, &params, request, trace).await {
        Ok(call) => {
            let request_id = call.request_id.clone();
            reply::answered(service.call(function, call).await, request_id.as_deref())
        }
        Err(turned_away) => turned_away.into_response(),
    }
}
