//! The routes: one for each door of the catalog, and a problem for everything else.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use florin_kernel::door::Method;
use florin_kernel::function::Function;
use florin_kernel::problem::codes;
use florin_kernel::service::Service;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::{call, health, reply};

/// The router of these services, with `/livez` and `/readyz`.
pub fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for (path, functions) in app.doors() {
        let mut methods = MethodRouter::new();
        for (service, function) in functions {
            let Some(at) = function.door() else { continue };
            let handler = move |State(app): State<Arc<App>>, params: RawPathParams, request: Request| {
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
            reply::problem(&codes::NOT_FOUND.because(detail), &call::trace_of(request.headers()))
        })
        .method_not_allowed_fallback(|request: Request| async move {
            let detail = format!("{} is not a method of this path", request.method());
            reply::problem(&codes::METHOD_NOT_ALLOWED.because(detail), &call::trace_of(request.headers()))
        })
        .layer(CatchPanicLayer::custom(|_| {
            // The panic's text stays in the log that the panic hook wrote.
            let trace = florin_kernel::event::TraceParent::span(None);
            reply::problem(&codes::INTERNAL.because("the fault is logged"), &trace)
        }))
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

/// One request at one door.
async fn enter(
    app: Arc<App>,
    service: Arc<Service>,
    function: &'static Function,
    params: RawPathParams,
    request: Request,
) -> Response {
    let trace = call::trace_of(request.headers());
    // Full is said at once: a queue in memory would only make everybody late.
    let Ok(_permit) = app.room_for.try_acquire() else {
        let problem = codes::UNAVAILABLE.because("this process handles as many requests as it may");
        return reply::problem(&problem.retry_after(std::time::Duration::from_secs(1)), &trace);
    };
    let began = tokio::time::Instant::now();
    let response = match call::read(&app, &service, function, &params, request, trace.clone()).await {
        Ok(call) => {
            let request_id = call.request_id.clone();
            reply::answered(service.call(function, call).await, request_id.as_deref())
        }
        Err(turned_away) => turned_away.into_response(),
    };
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "http_route" => function.door().map_or("", |at| at.door.path),
        "http_request_method" => function.door().map_or("", |at| at.door.method.as_str()),
        "http_response_status_code" => response.status().as_str().to_owned(),
    )
    .record(began.elapsed().as_secs_f64());
    response
}
