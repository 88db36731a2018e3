//! The long-lived process: HTTP, and beside it the relay, the consumers and the schedules when asked.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::routing::get;
use florin_http::app::App;
use florin_http::server::Drain;
use florin_http::{router, server};
use florin_kernel::failpoint;
use florin_kernel::service::Service;
use florin_kernel::time::Clock;
use florin_knative::delivery_door;
use florin_queue::{consumer, relay, schedule};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::deployment::{Deployment, HostError, Reached};
use crate::schema;
use crate::telemetry::gauges::Gauges;
use crate::telemetry::{Readable, Telemetry};

/// The most messages of one queue at a time in one process.
const CONCURRENCY: usize = 16;

/// How long requests in flight may take after a drain began, then the effects of all services, then what they publish,
/// and last what is closed: with a linger of five seconds, less than the thirty that Kubernetes gives by default.
const IN_FLIGHT: Duration = Duration::from_secs(15);
const AFTERWARDS: Duration = Duration::from_secs(4);
const CLOSING: Duration = Duration::from_secs(1);

/// How a platform wants the process to behave.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether to consume queues and run schedules unless the configuration says otherwise.
    pub workers: bool,
    /// How long to keep serving after SIGTERM unless the configuration says otherwise.
    pub linger: Duration,
}

/// Serves until `stop`, and drains.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    clock: Clock,
    manner: Manner,
    stop: CancellationToken,
    telemetry: &Telemetry,
    ready: impl FnOnce(&Deployment) + Send,
) -> Result<(), HostError> {
    let reached = Reached { listen: Some(listener.local_addr()?), freezes: false };
    // What nobody can read is not counted.
    let readable = config.get("metrics_listen").is_some() || config.queue_is_embedded();
    let metrics = telemetry.count(readable);
    let deployment = Deployment::assemble(config, clock, reached).await?;
    let config = &deployment.config;
    let workers = config.switch("workers", manner.workers)?;
    let linger = config.millis("drain_linger_ms", u64::try_from(manner.linger.as_millis()).unwrap_or(0))?;
    let app = Arc::clone(&deployment.app);

    let mut routes = router::router(&app);
    if let Some(guard) = deployment.guard()? {
        routes = routes.merge(delivery_door::routes(&app, guard));
    }
    if let Some(sandbox) = &deployment.sandbox {
        routes = routes.nest("/sandbox", sandbox.router());
    }
    routes = routes.merge(crate::command::catalog::documentation(&app));
    let failure = Failure::new(stop.clone());
    let background = TaskTracker::new();
    let halt = CancellationToken::new();
    let gauges = Gauges::new(app.services().to_vec(), deployment.broker.subscriber.clone());
    if telemetry.exports() {
        background.spawn(Arc::clone(&gauges).keep_looking(halt.clone()));
    }
    if let Some(metrics) = metrics {
        background.spawn(crate::telemetry::keep_up(metrics.clone(), halt.clone()));
        match config.get("metrics_listen") {
            Some(address) => {
                let listener = TcpListener::bind(address).await?;
                let drain =
                    Drain { stop: halt.clone(), linger: Duration::ZERO, patience: Duration::from_secs(1) };
                background.spawn(server::serve(listener, metrics_route(metrics, gauges), drain));
            }
            None if config.queue_is_embedded() => routes = routes.merge(metrics_route(metrics, gauges)),
            None => {}
        }
    }
    for service in app.services() {
        let publisher = Arc::clone(&deployment.broker.publisher);
        background.spawn(relay::run(Arc::clone(service), publisher, halt.clone()));
    }
    if workers {
        background.spawn(schedule::run(app.services().to_vec(), halt.clone()));
        if let Some(subscriber) = &deployment.broker.subscriber {
            for service in app.services() {
                let consuming = consumer::run_consumers(
                    Arc::clone(service),
                    Arc::clone(subscriber),
                    CONCURRENCY,
                    halt.clone(),
                );
                let failure = failure.clone();
                background.spawn(async move {
                    if let Err(error) = consuming.await {
                        failure.end(HostError(format!("a queue cannot be consumed: {error}")));
                    }
                });
            }
        }
    }
    if !deployment.unchecked.is_empty() {
        background.spawn(check_when_there(deployment.unchecked.clone(), failure.clone()));
    }
    ready(&deployment);

    let closing = CancellationToken::new();
    let going = async {
        stop.cancelled().await;
        app.set_ready(false);
        failpoint::hit(failpoint::DRAIN_BEGUN);
        if let Some(sandbox) = &deployment.sandbox {
            sandbox.release();
        }
        closing.cancel();
    };
    let serving =
        server::serve(listener, routes, Drain { stop: closing.clone(), linger, patience: IN_FLIGHT });
    tokio::join!(serving, going);
    // No call can come any more: finish the effects, then publish what they committed.
    finish_effects(&app, AFTERWARDS).await;
    failpoint::hit(failpoint::DRAIN_BEFORE_LAST_PUBLISH);
    halt.cancel();
    background.close();
    if tokio::time::timeout(AFTERWARDS, background.wait()).await.is_err() {
        tracing::warn!("another process publishes and consumes the rest");
    }
    let databases = join_all(app.services().iter().map(|service| service.db.close()));
    let sandbox = async {
        if let Some(sandbox) = deployment.sandbox {
            sandbox.close(CLOSING).await;
        }
    };
    // A connection that a task still holds dies with this process.
    let _ = tokio::join!(tokio::time::timeout(CLOSING, databases), sandbox);
    failure.ended()
}

/// Ends this process when a schema does not fit that nobody could look at before. Until one fits, it is not ready.
async fn check_when_there(services: Vec<Arc<Service>>, failure: Failure) {
    tokio::select! {
        checked = schema::all_fit(&services) => {
            if let Err(error) = checked {
                failure.end(error);
            }
        }
        () = failure.stop.cancelled() => {}
    }
}

/// What ends this process although nobody asked for it; it drains all the same.
#[derive(Clone)]
struct Failure {
    first: Arc<OnceLock<HostError>>,
    stop: CancellationToken,
}

impl Failure {
    fn new(stop: CancellationToken) -> Self {
        Self { first: Arc::default(), stop }
    }

    fn end(&self, error: HostError) {
        tracing::error!(error.message = %error, "this process cannot go on");
        // The first one says why; the others may only be its echo.
        let _ = self.first.set(error);
        self.stop.cancel();
    }

    fn ended(&self) -> Result<(), HostError> {
        self.first.get().map_or(Ok(()), |error| Err(HostError(error.0.clone())))
    }
}

async fn finish_effects(app: &App, patience: Duration) {
    let drains = app.services().iter().map(|service| (service.name(), service.drain()));
    for name in unfinished(drains, patience).await {
        tracing::warn!(service.name = name, "the sweep of another process finishes the effects");
    }
}

/// Those whose drain takes longer than this. All drain at once: together they may take no longer than one.
async fn unfinished<F: Future<Output = ()>>(
    drains: impl Iterator<Item = (&'static str, F)>,
    patience: Duration,
) -> Vec<&'static str> {
    let drains =
        drains.map(async |(name, drain)| tokio::time::timeout(patience, drain).await.err().map(|_| name));
    join_all(drains).await.into_iter().flatten().collect()
}

fn metrics_route(metrics: Readable, gauges: Arc<Gauges>) -> Router {
    let render = move |headers: HeaderMap| async move {
        gauges.look().await;
        let accept = headers.get_all(ACCEPT).iter().filter_map(|said| said.to_str().ok());
        let (kind, text) = metrics.render(&accept.collect::<Vec<_>>().join(","));
        ([(CONTENT_TYPE, kind)], text)
    };
    Router::new().route("/metrics", get(render))
}

/// Rung by SIGTERM or Ctrl-C.
pub fn stop_signal() -> Result<CancellationToken, HostError> {
    let stop = CancellationToken::new();
    let rung = stop.clone();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        rung.cancel();
        // A second signal does not wait for the drain.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use tokio::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn services_drain_at_the_same_time() {
        // Neither can end before the other has begun.
        let both = Barrier::new(2);
        let drains = ["payments", "audit"].into_iter().map(|name| {
            (name, async {
                let _ = both.wait().await;
            })
        });
        assert_eq!(unfinished(drains, Duration::from_secs(10)).await, Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_service_that_does_not_drain_is_named_and_not_waited_for() {
        let drains = [("payments", true), ("audit", false)].into_iter().map(|(name, ends)| {
            (name, async move {
                if !ends {
                    std::future::pending::<()>().await;
                }
            })
        });
        assert_eq!(unfinished(drains, Duration::from_millis(1)).await, ["audit"]);
    }

    #[test]
    fn a_drain_is_over_before_kubernetes_kills() {
        let most = florin_knative::contract::LINGER + IN_FLIGHT + AFTERWARDS + AFTERWARDS + CLOSING;
        assert!(most < Duration::from_secs(30), "{most:?}");
    }
}
