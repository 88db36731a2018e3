//! The server span of a request, by OpenTelemetry's HTTP conventions: one at every door, whatever the answer is.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use florin_kernel::trace::{self, TraceParent};
use http::{HeaderName, Method, StatusCode, Version};
use tracing::field::Empty;
use tracing::{Instrument, Span};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A request that is being served.
pub struct Served {
    /// Its own span: a child of the caller's where it brought a valid one.
    pub trace: TraceParent,
    span: Span,
}

impl Served {
    /// Begins the span. The query stays out of it: it may hold what only the caller may know.
    pub(crate) fn begin<B>(request: &http::Request<B>) -> Self {
        let brought: Option<TraceParent> =
            request.headers().get(TRACEPARENT).and_then(|t| t.to_str().ok()?.parse().ok());
        // A front without a socket may have begun the span: it answers where no router is there to.
        let begun = request.extensions().get().copied();
        let trace = begun.unwrap_or_else(|| TraceParent::span(brought.as_ref()));
        let path = request.uri().path();
        if is_probe(path) {
            return Self { trace, span: Span::none() };
        }
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let method = known(request.method());
        // An unknown method is `_OTHER` as an attribute and `HTTP` in a name (HTTP spans, "Name").
        let name = method.unwrap_or("HTTP");
        let span = tracing::info_span!(
            target: trace::TARGET,
            "request",
            otel.name = format_args!("{name}{}{}", if route.is_some() { " " } else { "" }, route.unwrap_or_default()),
            otel.kind = "server",
            trace.context = trace.as_str(),
            trace.parent = brought.as_ref().map(TraceParent::span_id),
            http.request.method = method.unwrap_or("_OTHER"),
            http.route = route,
            florin.function = Empty,
            url.path = path,
            url.scheme = request.uri().scheme_str().unwrap_or("http"),
            network.protocol.version = version(request.version()),
            http.response.status_code = Empty,
            error.type = Empty,
            trace.ended = Empty,
        );
        Self { trace, span }
    }

    /// Begins the span of what is no request: it is refused before anybody can say its method or path.
    pub fn unreadable(brought: Option<&TraceParent>) -> Self {
        let trace = TraceParent::span(brought);
        let span = tracing::info_span!(
            target: trace::TARGET,
            "request",
            otel.name = "HTTP",
            otel.kind = "server",
            trace.context = trace.as_str(),
            trace.parent = brought.map(TraceParent::span_id),
            http.request.method = "_OTHER",
            http.response.status_code = Empty,
            error.type = Empty,
            trace.ended = Empty,
        );
        Self { trace, span }
    }

    /// Says how it ended. Only what is our fault is an error (HTTP spans, "Status").
    pub fn end(&self, status: StatusCode) {
        self.span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            self.span.record("error.type", status.as_str());
        }
        trace::end(&self.span);
    }

    /// The span.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }
}

/// Serves a request inside a server span of its own; its [`TraceParent`] is an extension of the request.
pub async fn traced<F: Future<Output = Response>>(
    mut request: Request,
    serve: impl FnOnce(Request) -> F,
) -> Response {
    let served = Served::begin(&request);
    request.extensions_mut().insert(served.trace);
    let response = serve(request).instrument(served.span()).await;
    served.end(response.status());
    response
}

/// Probes come every second for ever, and nobody asks how the thousandth went.
fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
}

/// The methods that the conventions know.
pub(crate) fn known(method: &Method) -> Option<&str> {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ];
    known.contains(method).then(|| method.as_str())
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}
