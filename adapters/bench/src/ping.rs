//! The public query behind the same front as every operation: on a socket, or on Lambda where that calls.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use florin_http::app::{App, Limits};
use florin_http::network::HttpNetwork;
use florin_http::server::{Drain, serve};
use florin_http::token::{DevelopmentKey, Verifier};
use florin_kernel::db::DbConfig;
use florin_kernel::service::{Service, Settings};
use florin_kernel::time::Clock;
use florin_queue::http_publisher::{HttpPublisher, HttpPublishing};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::{Outcome, Trouble};
use crate::room;

/// The port to listen on; on Lambda the platform says where its API is.
pub const PORT: &str = "BENCH_PORT";

/// Serves until it is killed.
pub fn main() -> ExitCode {
    // As the host does.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
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
    let freezes = variable("AWS_LAMBDA_RUNTIME_API").is_some();
    // Nobody is there: a query that reads nothing never asks.
    let db = DbConfig::new("postgres://nobody@127.0.0.1:1/nothing", "bench").connect().await?;
    let network = Arc::new(HttpNetwork::when_needed(HashMap::new(), ""));
    let settings = Settings { freezes, ..Settings::default() };
    let service = Service::new(&room::SERVICE, db, Clock::System, network, settings);
    let key = DevelopmentKey::load_or_create(Path::new("development-key.json"))?;
    let app = App::new(vec![service], Verifier::new(key.rules())?, Limits::default());
    let router = florin_http::router::router(&app);
    if freezes {
        return lambda(&app, router).await;
    }
    let port = variable(PORT).and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
    let drain =
        Drain { stop: CancellationToken::new(), linger: Duration::ZERO, patience: Duration::from_secs(1) };
    serve(listener, router, drain).await;
    Ok(())
}

async fn lambda(app: &Arc<App>, router: axum::Router) -> Outcome<()> {
    let publisher = HttpPublisher::new("http://127.0.0.1:1/", HttpPublishing::default())?;
    let app = florin_lambda::App {
        router,
        http: florin_lambda::request::Options::default(),
        services: app.services().to_vec(),
        publisher: Arc::new(publisher),
        postpone: None,
        limits: florin_queue::cloudevents::Limits::default(),
        clock: Clock::System,
        flush: None,
    };
    florin_lambda::run(app).await.map_err(|error| Trouble::failed(error.to_string()))
}
