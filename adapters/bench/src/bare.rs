//! What somebody would write with axum who needs none of the guarantees.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use florin_http::token::{KeySet, KeySource, TokenRules, TokenTypes, Verifier};
use florin_kernel::time::Clock;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;

use crate::error::{Outcome, Trouble};
use crate::payment_row::{self, Reading};
use crate::room::PONG;

/// The port to listen on.
pub const PORT: &str = "BENCH_PORT";
/// A [`Plan`] as JSON: then payments are served, to whoever has a token.
pub const PLAN: &str = "BENCH_PLAN";

/// What the program with a database needs to know.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// Where the database is.
    pub url: String,
    /// What one reading asks of it, as the log says.
    pub reading: Reading,
    /// Who signs the tokens.
    pub issuer: String,
    /// For whom they are.
    pub audience: String,
    /// With which keys.
    pub jwks: String,
}

struct Shop {
    pool: PgPool,
    reading: Reading,
    verifier: Verifier,
}

/// Serves until it is killed.
pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Trouble::from).and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    #[expect(clippy::disallowed_methods, reason = "a program of its own, with two variables")]
    let variable = |name| std::env::var(name).ok();
    let port = variable(PORT).and_then(|port| port.parse().ok()).unwrap_or(0);
    let router = match variable(PLAN) {
        None => Router::new().route("/v1/ping/{tenant}", get(ping)),
        Some(plan) => {
            let shop = Arc::new(open(serde_json::from_str(&plan)?)?);
            Router::new().route("/v1/payments/{id}", get(payment)).with_state(shop)
        }
    };
    let router = router.route("/readyz", get(|| async { "ready" }));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    use axum::serve::ListenerExt;
    let listener = listener.tap_io(|stream| {
        // As our own server does.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

async fn ping() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], PONG)
}

fn open(plan: Plan) -> Outcome<Shop> {
    let rules = TokenRules {
        issuer: plan.issuer,
        audience: vec![plan.audience],
        leeway: std::time::Duration::ZERO,
        types: TokenTypes::AccessTokenOnly,
        keys: KeySource::Static(KeySet::parse(&plan.jwks)?),
    };
    let options: PgConnectOptions = plan.url.parse()?;
    let options = options.options([("search_path", "payments")]).statement_cache_capacity(256);
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .test_before_acquire(false)
        .connect_lazy_with(sqlx::ConnectOptions::disable_statement_logging(options));
    Ok(Shop { pool, reading: plan.reading, verifier: Verifier::new(rules)? })
}

async fn payment(State(shop): State<Arc<Shop>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Ok(caller) = shop.verifier.caller(&headers, Clock::System.now()).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    if !caller.may("payments:read") {
        return StatusCode::FORBIDDEN.into_response();
    }
    match payment_row::find(&shop.pool, &shop.reading, caller.tenant.as_str(), &id).await {
        Ok(Some(payment)) => axum::Json(payment).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
