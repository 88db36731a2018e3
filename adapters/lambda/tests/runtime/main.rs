//! One execution environment: deliveries, ticks and requests, in this process and in one of its own.

#![expect(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests, not what they share")]

mod deliveries;
mod doors;
mod http_events;
#[path = "../../examples/bootstrap/parcels.rs"]
mod parcels;
mod process;
mod ticks;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use florin_kernel::db::DbConfig;
use florin_kernel::event::Event;
use florin_kernel::network::{Network, Outgoing, Response, SendError};
use florin_kernel::service::{Service, Settings};
use florin_kernel::time::{Clock, Timestamp};
use florin_lambda::request::Options;
use florin_lambda::{App, Invocation, InvocationError, Postponed};
use florin_queue::cloudevents::Limits;
use florin_queue::port::{PublishError, Publisher};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

/// What the broker is made to do.
#[derive(Clone, Copy, PartialEq)]
enum Broker {
    Confirms,
    Nacks,
    Hangs,
}

struct Peers {
    broker: Mutex<Broker>,
    published: Mutex<Vec<String>>,
    postponed: Mutex<Vec<Postponed>>,
}

impl Publisher for Peers {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        match *self.broker.lock().unwrap() {
            Broker::Hangs => std::future::pending().boxed(),
            Broker::Nacks => {
                let nack = || Err(PublishError::NotConfirmed("nack".to_owned()));
                std::future::ready(events.iter().map(|_| nack()).collect()).boxed()
            }
            Broker::Confirms => {
                let subjects = events.iter().map(|event| event.subject.clone().unwrap_or_default());
                self.published.lock().unwrap().extend(subjects);
                std::future::ready(events.iter().map(|_| Ok(())).collect()).boxed()
            }
        }
    }
}

struct NoPeer;

impl Network for NoPeer {
    fn send(&self, _: Outgoing) -> BoxFuture<'_, Result<Response, SendError>> {
        std::future::ready(Err(SendError::NotSent("there is no peer".to_owned()))).boxed()
    }
}

/// An environment on a database of its own, with a clock that stands still.
struct Environment {
    app: App,
    service: Arc<Service>,
    peers: Arc<Peers>,
    clock: Clock,
    _files: tempfile::TempDir,
}

impl Environment {
    async fn new(router: Router) -> Self {
        let files = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", files.path().join("parcels.db").display());
        let clock = Clock::standing_at("2026-01-31T12:00:00Z".parse::<Timestamp>().unwrap());
        let db = DbConfig::new(url, "parcels").connect().await.unwrap();
        let settings = Settings { freezes: true, ..Settings::default() };
        let service = Service::new(&parcels::PARCELS, db, clock.clone(), Arc::new(NoPeer), settings);
        service.migrate().await.unwrap();
        let peers = Arc::new(Peers {
            broker: Mutex::new(Broker::Confirms),
            published: Mutex::default(),
            postponed: Mutex::default(),
        });
        let postponing = Arc::clone(&peers);
        let app = App {
            router,
            http: Options::default(),
            services: vec![Arc::clone(&service)],
            publisher: Arc::clone(&peers) as Arc<dyn Publisher>,
            flush: None,
            postpone: Some(Arc::new(move |postponed| {
                postponing.postponed.lock().unwrap().push(postponed);
                std::future::ready(()).boxed()
            })),
            limits: Limits::default(),
            clock: clock.clone(),
        };
        Self { app, service, peers, clock, _files: files }
    }

    /// Handles an event with 30 s left. It may not take as long: nothing here has so much to do.
    async fn handle(&self, event: &Value) -> Result<Value, InvocationError> {
        self.handle_within(Duration::from_secs(30), event).await
    }

    async fn handle_within(&self, time: Duration, event: &Value) -> Result<Value, InvocationError> {
        let invocation = Invocation {
            request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
            deadline: self.clock.now().plus(time),
            trace: "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01".parse().ok(),
        };
        let event = to_raw_value(event).unwrap();
        let handled = tokio::time::timeout(Duration::from_secs(10), self.app.handle(&event, &invocation));
        let answer = handled.await.expect("an invocation ends long before this")?;
        Ok(serde_json::from_str(answer.get()).unwrap())
    }

    /// What was published, sorted: events of one instant have no order.
    fn published(&self) -> Vec<String> {
        let mut published = self.peers.published.lock().unwrap().clone();
        published.sort();
        published
    }
}

/// A batch of shipped parcels: identifier and wish.
fn batch(queue: &str, parcels: &[(&str, &str)]) -> Value {
    let records: Vec<Value> = parcels
        .iter()
        .map(|(id, wish)| {
            let event = json!({
                "specversion": "1.0", "id": format!("evt_{id}"), "source": "/shop", "type": "florin.parcel.shipped.v1",
                "subject": id, "tenant": "acme", "data": {"wish": wish},
            });
            json!({
                "messageId": id, "receiptHandle": format!("receipt-{id}"), "body": event.to_string(),
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
                "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "one"},
            })
        })
        .collect();
    json!({ "Records": records })
}

fn failures(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}
