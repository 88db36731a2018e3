//! A platform that pushes, as a Knative Broker does: it takes CloudEvents, keeps a copy for each Trigger, and posts
//! it to the guarded door of its function until that says 2xx, honouring Retry-After.
//!
//! No Knative runs here: this is the test's own, in the words of the eventing data plane (knative/specs).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use florin_conformance::site::DELIVERY_SECRET;
use florin_http::app::{App, Limits as AppLimits};
use florin_http::token::{DevelopmentKey, Verifier};
use florin_kernel::event::Event;
use florin_kernel::service::Service;
use florin_knative::delivery_door::{Guard, routes};
use florin_queue::cloudevents::{Limits, decode_http, encode_http_binary};
use florin_queue::port::Subscription;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::consuming::{Consuming, Log, Outcome};

/// Before an event comes again that nobody attempted.
const BACKOFF: Duration = Duration::from_millis(50);

pub(crate) struct Platform {
    base: String,
    broker: Arc<Broker>,
    serving: AbortHandle,
}

#[derive(Default)]
struct Broker {
    http: reqwest::Client,
    triggers: Mutex<BTreeMap<&'static str, Arc<Trigger>>>,
}

struct Trigger {
    subscription: Subscription,
    door: watch::Sender<Option<Door>>,
    left: AtomicU64,
}

/// Where a Trigger delivers, and how much at once.
#[derive(Clone)]
struct Door {
    address: String,
    log: Log,
    room: Arc<Semaphore>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let broker = Arc::new(Broker::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&broker));
        let (base, serving) = serve(router).await;
        Self { base, broker, serving }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Makes Triggers that have no door yet.
    pub(crate) fn declare(&self, subscriptions: &[Subscription]) {
        let mut triggers = self.broker.triggers.lock().unwrap_or_else(PoisonError::into_inner);
        for subscription in subscriptions {
            let trigger = Trigger {
                subscription: *subscription,
                door: watch::Sender::new(None),
                left: AtomicU64::new(0),
            };
            triggers.entry(subscription.function).or_insert_with(|| Arc::new(trigger));
        }
    }

    fn trigger(&self, function: &str) -> Arc<Trigger> {
        let triggers = self.broker.triggers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(triggers.get(function).expect("a Trigger that was declared"))
    }

    /// How much a Trigger has not delivered yet.
    pub(crate) fn left(&self, function: &str) -> u64 {
        self.trigger(function).left.load(Ordering::SeqCst)
    }

    /// Opens a guarded door of this service and delivers there until it is stopped.
    pub(crate) async fn push_to(
        &self,
        service: &Arc<Service>,
        directory: &Path,
        function: &'static str,
        concurrency: usize,
    ) -> Consuming {
        let key = DevelopmentKey::load_or_create(&directory.join("door-key.json")).expect("a key");
        let verifier = Verifier::new(key.rules()).expect("rules");
        let app = App::new(vec![Arc::clone(service)], verifier, AppLimits::default());
        let guard = Guard::Secret(DELIVERY_SECRET.as_bytes().to_vec());
        let (base, serving) = serve(routes(&app, guard)).await;
        let (log, room) = (Log::default(), Arc::new(Semaphore::new(concurrency)));
        let address = format!("{base}/_deliver/{function}");
        let trigger = self.trigger(function);
        trigger.door.send_replace(Some(Door { address, log: log.clone(), room: Arc::clone(&room) }));
        Consuming::new(log, async move {
            trigger.door.send_replace(None);
            // What is under way is answered.
            let all = u32::try_from(concurrency).expect("a few");
            let _under_way = room.acquire_many(all).await.expect("it stays open");
            serving.abort();
        })
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves on a port of its own.
async fn serve(router: Router) -> (String, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    (base, tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle())
}

async fn take(State(broker): State<Arc<Broker>>, request: Request) -> StatusCode {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 2 << 20).await.unwrap_or_default();
    let Ok(events) = decode_http(&parts.headers, &body, &Limits::default()) else {
        return StatusCode::BAD_REQUEST;
    };
    let triggers = broker.triggers.lock().unwrap_or_else(PoisonError::into_inner);
    for event in events {
        for trigger in triggers.values().filter(|trigger| trigger.subscription.wants(&event)) {
            trigger.left.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(deliver(broker.http.clone(), Arc::clone(trigger), event.clone()));
        }
    }
    StatusCode::ACCEPTED
}

/// Posts an event until it is taken.
async fn deliver(http: reqwest::Client, trigger: Arc<Trigger>, event: Event) {
    loop {
        let open = trigger.door.subscribe().wait_for(Option::is_some).await.map(|door| door.clone());
        let Ok(Some(door)) = open else { return };
        let Ok(place) = door.room.acquire().await else { return };
        if trigger.door.borrow().as_ref().is_none_or(|now| now.address != door.address) {
            continue;
        }
        let began = Instant::now();
        let (headers, body) = encode_http_binary(&event).expect("what was decoded can be encoded");
        let request = http.post(&door.address).headers(headers).bearer_auth(DELIVERY_SECRET).body(body);
        let (outcome, pause) = match request.send().await {
            Ok(answer) if answer.status() == StatusCode::ACCEPTED => (Outcome::Taken, Duration::ZERO),
            Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {
                match answer.headers().get(RETRY_AFTER).map(|value| value.to_str().map(str::parse)) {
                    Some(Ok(Ok(seconds))) => (Outcome::Later, Duration::from_secs(seconds)),
                    None => (Outcome::NotAttempted, BACKOFF),
                    Some(other) => panic!("Retry-After: {other:?}"),
                }
            }
            Ok(answer) => panic!("the door answered {}", answer.status()),
            // The process went away.
            Err(_) => (Outcome::NotAttempted, BACKOFF),
        };
        if outcome == Outcome::Taken {
            trigger.left.fetch_sub(1, Ordering::SeqCst);
        }
        door.log.add(event.id.clone(), began, outcome, Some(pause));
        drop(place);
        if outcome == Outcome::Taken {
            return;
        }
        sleep(pause).await;
    }
}
