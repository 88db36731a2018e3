//! A whole Lambda function: `bootstrap DATABASE_URL` serves one service behind every kind of event.
//!
//! The process tests run it against a Runtime API of their own; the host's `florin` binary is the real one.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use florin_kernel::db::DbConfig;
use florin_kernel::event::Event;
use florin_kernel::network::{Network, Outgoing, Response, SendError};
use florin_kernel::service::{Service, Settings};
use florin_kernel::time::Clock;
use florin_lambda::App;
use florin_queue::cloudevents::Limits;
use florin_queue::port::{PublishError, Publisher};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

mod parcels;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let url = std::env::args().nth(1).ok_or("usage: bootstrap DATABASE_URL")?;
    let db = DbConfig { connections: 1, ping_idle: true, ..DbConfig::new(url, "parcels") }.connect().await?;
    let settings = Settings { freezes: true, ..Settings::default() };
    let service = Service::new(&parcels::PARCELS, db, Clock::System, Arc::new(NoPeer), settings);
    service.migrate().await?;
    florin_lambda::run(App {
        router: Router::new()
            .route("/echo", any(echo))
            .route("/hang", get(std::future::pending::<()>))
            .route("/panic", get(async || -> () { panic!("a defect") })),
        http: florin_lambda::request::Options::default(),
        services: vec![service],
        publisher: Arc::new(Swallow),
        postpone: None,
        flush: None,
        limits: Limits::default(),
        clock: Clock::System,
    })
    .await
}

/// Says what it was asked, and which process was asked.
async fn echo(request: Request) -> impl IntoResponse {
    let target = request.uri().to_string();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
    let said = format!("{target} {} {}", body.len(), std::process::id());
    ([("x-a", "1"), ("set-cookie", "a=1")], [("content-type", "text/plain; charset=utf-8")], said)
}

struct NoPeer;

impl Network for NoPeer {
    fn send(&self, _: Outgoing) -> BoxFuture<'_, Result<Response, SendError>> {
        std::future::ready(Err(SendError::NotSent("there is no peer".to_owned()))).boxed()
    }
}

struct Swallow;

impl Publisher for Swallow {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        std::future::ready(events.iter().map(|_| Ok(())).collect()).boxed()
    }
}
