//! What waits, looked at when somebody wants to know: by whoever reads `/metrics`, and for the collector on a timer, or
//! with a tick where a process is frozen.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::db::Db;
use florin_kernel::metric;
use florin_kernel::rows::backlog;
use florin_kernel::service::Service;
use florin_kernel::time::Timestamp;
use florin_queue::port::{Subscriber, Subscription};
use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How long what was seen is good enough: many readers cost what one does.
const FRESH: Duration = Duration::from_secs(1);
/// How long a reader waits for a database or a broker before it gets what was seen last.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the collector's gauges are brought up to date.
const EVERY: Duration = Duration::from_secs(15);

/// The services of this process and its broker, whose backlog is shown.
pub struct Gauges {
    services: Vec<Arc<Service>>,
    subscriber: Option<Arc<dyn Subscriber>>,
    looked: Mutex<Option<Instant>>,
}

impl Gauges {
    /// The gauges of these services, and of the queues of their reactions where a broker can count them.
    pub fn new(services: Vec<Arc<Service>>, subscriber: Option<Arc<dyn Subscriber>>) -> Arc<Self> {
        Arc::new(Self { services, subscriber, looked: Mutex::new(None) })
    }

    /// Brings the gauges up to date. What cannot be asked keeps what it said.
    pub async fn look(&self) {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        self.look_again().await;
        *looked = Some(Instant::now());
    }

    /// As [`Gauges::look`], however lately somebody did: in a process that was frozen since, no clock may have moved.
    pub async fn look_again(&self) {
        join_all(self.services.iter().map(|service| self.look_at(service))).await;
    }

    /// Looks for the collector until `stop`.
    pub async fn keep_looking(self: Arc<Self>, stop: CancellationToken) {
        loop {
            self.look().await;
            if timeout(EVERY, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    async fn look_at(&self, service: &Service) {
        connections(service);
        match timeout(PATIENCE, backlog::read(service)).await {
            Ok(Ok(backlog)) => show(service, &backlog),
            Ok(Err(error)) => {
                tracing::debug!(service.name = service.name(), error.message = %error, "the backlog is not known");
            }
            Err(_) => tracing::debug!(service.name = service.name(), "the backlog is not known in time"),
        }
        let subscriptions: Vec<Subscription> = Subscription::of(service.served()).collect();
        let Some(subscriber) = self.subscriber.as_ref().filter(|_| !subscriptions.is_empty()) else { return };
        match timeout(PATIENCE, subscriber.backlog(&subscriptions)).await {
            Ok(Ok(depths)) => {
                for depth in depths {
                    let function = depth.function.clone();
                    gauge(metric::QUEUE_DEPTH.name, metric::FUNCTION, function, float(depth.messages));
                    if depth.knows_age {
                        let age = age_of(service, depth.oldest);
                        gauge(metric::QUEUE_AGE.name, metric::FUNCTION, depth.function, age);
                    }
                }
            }
            Ok(Err(error)) => tracing::debug!(error.message = %error, "the queues are not counted"),
            Err(_) => tracing::debug!("the queues are not counted in time"),
        }
    }
}

fn show(service: &Service, backlog: &backlog::Backlog) {
    let set = |name, value| gauge(name, metric::SERVICE, service.name().to_owned(), value);
    set(metric::OUTBOX_DEPTH.name, count(backlog.outbox.count));
    set(metric::OUTBOX_AGE.name, age_of(service, backlog.outbox.oldest));
    set(metric::EFFECTS_DEPTH.name, count(backlog.effects.count));
    set(metric::EFFECTS_AGE.name, age_of(service, backlog.effects.oldest));
    set(metric::EFFECTS_NEED_REVIEW.name, count(backlog.needs_review.count));
    set(metric::DEAD_LETTERS_DEPTH.name, count(backlog.dead_letters.count));
}

fn connections(service: &Service) {
    // SQLite has no server to run out of connections.
    let Db::Postgres(server) = &service.db else { return };
    let pool = server.pool();
    let idle = u64::try_from(pool.num_idle()).unwrap_or(0);
    let used = u64::from(pool.size()).saturating_sub(idle);
    for (state, connections) in [("idle", idle), ("used", used)] {
        metrics::gauge!(
            metric::DATABASE_CONNECTIONS.name,
            "db.client.connection.pool.name" => service.name(),
            "db.client.connection.state" => state,
        )
        .set(float(connections));
    }
}

fn gauge(name: &'static str, label: &'static str, of: String, value: f64) {
    metrics::gauge!(name, label => of).set(value);
}

/// Seconds since then; nothing waits for no time at all.
fn age_of(service: &Service, oldest: Option<Timestamp>) -> f64 {
    oldest.map_or(0.0, |oldest| service.clock.now().since(oldest).as_secs_f64())
}

fn count(rows: i64) -> f64 {
    float(rows.unsigned_abs())
}

/// Exact up to 2^53, which no queue holds.
fn float(count: u64) -> f64 {
    count as f64
}
