//! The whole suite in the test's own process, on embedded databases and a clock that the test moves.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::time::Clock;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::patience::Patience;
use crate::config::Config;
use crate::deployment::development_key;
use crate::serve::{Manner, serve};
use crate::telemetry::Telemetry;

/// A running suite.
pub(super) struct Suite {
    /// Where.
    pub(super) address: SocketAddr,
    clock: Clock,
    data: String,
    stop: CancellationToken,
    app: std::sync::Arc<florin_http::app::App>,
    serving: JoinHandle<()>,
}

impl Suite {
    /// Starts it on this directory; on a free port when `address` has none.
    pub(super) async fn start(data: &Path, clock: Clock, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, data) = (listener.local_addr().unwrap(), data.to_str().unwrap().to_owned());
        let config = config(&data);
        let stop = CancellationToken::new();
        let (ready, app) = oneshot::channel();
        let (until, time) = (stop.clone(), clock.clone());
        let serving = tokio::spawn(async move {
            let manner = Manner { workers: true, linger: Duration::ZERO };
            let tell = |deployment: &crate::deployment::Deployment| drop(ready.send(deployment.app.clone()));
            serve(listener, config, time, manner, until, &Telemetry::default(), tell).await.unwrap();
        });
        let app = app.await.unwrap();
        tokio::spawn(go_on(clock.clone(), stop.clone()));
        Self { address, clock, data, stop, app, serving }
    }

    /// Stops it, and waits until it is gone.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.serving.await.unwrap();
    }

    /// A client with a development token of now.
    pub(super) fn api(&self) -> Api {
        let scopes = ["payments:read", "payments:write", "refunds:write", "audit:read"];
        let scopes = scopes.map(str::to_owned).into();
        let key = development_key(&config(&self.data)).unwrap();
        let ttl = Duration::from_secs(60 * 60);
        let token = key.sign("demo", &"demo".parse().unwrap(), &scopes, ttl, self.clock.now());
        let patience = Patience { longest: Duration::from_millis(50), ..Patience::default() };
        Api::new(&format!("http://{}", self.address), &token, patience).unwrap()
    }

    /// Forgets what is over, as the suite does every hour.
    pub(super) async fn purge(&self) {
        for service in self.app.services() {
            assert_eq!(service.tick(&format!("{}.purge", service.name())).await, Disposition::Done);
        }
    }

    /// What the provider's own records say.
    pub(super) async fn charged(&self) -> Value {
        let url = format!("http://{}/sandbox/v1/records/summary", self.address);
        let answer = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }
}

/// Lets the clock go on: what failed for a moment comes again when it is due.
async fn go_on(clock: Clock, stop: CancellationToken) {
    let step = Duration::from_millis(20);
    while !stop.is_cancelled() {
        tokio::time::sleep(step).await;
        clock.advance(step);
    }
}

fn config(data: &str) -> Config {
    Config::of([("FLORIN_DATA".to_owned(), data.to_owned())]).unwrap()
}
