//! `/openapi.json`, and `/docs`: the API reference, with every asset out of this binary.
//!
//! The page is Swagger UI, out of the archive that the crate `utoipa-swagger-ui-vendored` carries. Its policy lets
//! the browser load and call nothing but this server, so that no request leaves the machine.

mod archive;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use serde_json::Value;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

use crate::router::method_not_allowed;

/// What the page may do: run its own scripts, and call this server.
///
/// `data:` images are the icons of Swagger UI's style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What is taken out of the archive, with its media type.
const FILES: [(&str, &str); 3] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// The routes of the document and of the page that shows it, and of the way there from the root.
///
/// The document is made when it is first asked for: a function that starts to answer one request does not wait for it.
/// Addresses inside the page are relative, so that it also works behind a gateway's stage prefix.
pub fn router(openapi: impl FnOnce() -> Value + Send + 'static) -> Router {
    let document = Arc::new(LazyLock::new(|| Asset::own("application/json", openapi().to_string().into())));
    let document = move |asked: HeaderMap| async move { document.answer(&asked) };
    let page = Asset::own("text/html; charset=utf-8", Bytes::from_static(include_bytes!("index.html")));
    let start = Asset::own("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("start.js")));
    let mut router = Router::new()
        .route("/", get(|| async { Redirect::to("docs") }))
        .route("/openapi.json", get(document))
        .route("/docs", page.route())
        .route("/docs/", get(|| async { Redirect::permanent("../docs") }))
        .route("/docs/start.js", start.route());
    for (name, media_type) in FILES {
        if let Some(file) = archive::file(SWAGGER_UI_VENDORED, &format!("/dist/{name}")) {
            router = router.route(&format!("/docs/{name}"), Asset::taken(media_type, file).route());
        }
    }
    router.method_not_allowed_fallback(method_not_allowed)
}

/// Something that stays the same as long as this binary runs.
#[derive(Clone)]
struct Asset {
    media_type: &'static str,
    bytes: Bytes,
    gzip: bool,
    tag: HeaderValue,
}

impl Asset {
    fn own(media_type: &'static str, bytes: Bytes) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        let digest = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { media_type, bytes, gzip: false, tag: tag(&digest) }
    }

    fn taken(media_type: &'static str, file: archive::File) -> Self {
        let archive::File { bytes, gzip, crc } = file;
        Self { media_type, bytes, gzip, tag: tag(&format!("{crc:08x}")) }
    }

    fn route(self) -> axum::routing::MethodRouter {
        get(move |headers: HeaderMap| async move { self.answer(&headers) })
    }

    /// The asset, or 304 when the browser has it: kept, and asked about each time, so that it is never stale.
    fn answer(&self, asked: &HeaderMap) -> Response {
        let mut response = match asked.get(IF_NONE_MATCH) {
            Some(held) if names(held, &self.tag) => StatusCode::NOT_MODIFIED.into_response(),
            _ => Response::new(Body::from(self.bytes.clone())),
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, self.tag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        if response.status() == StatusCode::OK {
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
            // There is one form of it. Every browser takes gzip; a client that says it does not still gets it,
            // as RFC 9110, section 12.5.3, allows.
            if self.gzip {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }
}

fn tag(text: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{text}\"")).expect("hexadecimal digits in quotes are a header's value")
}

/// Whether `If-None-Match` names this tag (RFC 9110, section 13.1.2: weakly compared).
fn names(held: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(held), Ok(tag)) = (held.to_str(), tag.to_str()) else { return false };
    held == "*" || held.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
}
