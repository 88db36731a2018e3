//! One test's own corner: a queue of one kind, a database, and the desk that stands between.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use florin_conformance::wait::{PATIENCE, until};
use florin_kernel::event::Event;
use florin_kernel::rows::outbox;
use florin_kernel::service::{Service, Settings};
use florin_queue::embedded::EmbeddedQueue;
use florin_queue::features::Features;
use florin_queue::http_publisher::{HttpPublisher, HttpPublishing};
use florin_queue::port::{PublishError, Publisher, Subscriber, Subscription};
use florin_queue::relay;
use florin_rabbitmq::{RabbitMq, RabbitMqConfig};
use florin_servers::Part;
use florin_sqs::{Sqs, SqsConfig};
use florin_testkit::suite::{Engine, Suite};
use futures_util::FutureExt;

use crate::consuming::Consuming;
use crate::desk::DESK;
use crate::place::Place;
use crate::platform::Platform;
use crate::sample::unique;

/// The queues there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Embedded,
    RabbitMq,
    Sqs,
    SqsWithTopic,
    Pushed,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Embedded, Self::RabbitMq, Self::Sqs, Self::SqsWithTopic, Self::Pushed];

    /// What its adapter declares.
    pub(crate) fn features(self) -> Features {
        match self {
            Self::Embedded => florin_queue::embedded::FEATURES,
            Self::RabbitMq => florin_rabbitmq::FEATURES,
            Self::Sqs => florin_sqs::FEATURES,
            Self::SqsWithTopic => florin_sqs::FEATURES_WITH_TOPIC,
            Self::Pushed => florin_queue::http_publisher::FEATURES,
        }
    }
}

pub(crate) struct Corner {
    pub(crate) kind: Kind,
    pub(crate) suite: Suite,
    publisher: Arc<dyn Publisher>,
    side: Side,
}

/// How events reach a consumer.
enum Side {
    /// A process takes them.
    Pulled { subscriber: Arc<dyn Subscriber>, place: Place },
    /// The platform brings them to the guarded door.
    Pushed(Platform),
}

/// Runs a case on both databases at the same time: most of it is waiting.
pub(crate) async fn on_each_database<F: Future<Output = ()>>(kind: Kind, case: impl Fn(Corner) -> F) {
    futures_util::future::join(on(kind, Engine::Sqlite, &case), on(kind, Engine::Postgres, &case)).await;
}

/// Runs a case on one database, where the other cannot be in that state.
pub(crate) async fn on<F: Future<Output = ()>>(kind: Kind, engine: Engine, case: impl Fn(Corner) -> F) {
    let Some(corner) = Corner::start(kind, engine).await else { return };
    let (database, place) = (corner.suite.database.clone(), corner.place());
    let ended = AssertUnwindSafe(case(corner)).catch_unwind().await;
    database.remove().await;
    if let Some(place) = place {
        place.clear().await;
    }
    if let Err(panic) = ended {
        eprintln!("--- {kind:?} on {engine:?} ---");
        resume_unwind(panic);
    }
}

impl Corner {
    async fn start(kind: Kind, engine: Engine) -> Option<Self> {
        let unique = unique();
        let server = match kind {
            Kind::Embedded | Kind::Pushed => String::new(),
            Kind::RabbitMq => Part::RabbitMq.needed()?,
            Kind::Sqs | Kind::SqsWithTopic => Part::Sqs.needed()?,
        };
        let suite = Suite::start(engine, &[&DESK], &Settings::default()).await?;
        let (publisher, side): (Arc<dyn Publisher>, Side) = match kind {
            Kind::Embedded => {
                let queue = EmbeddedQueue::open(suite.directory(), suite.clock.clone()).await;
                pulled(queue.expect("the queue opens"), Place::Embedded(suite.directory().to_owned()))
            }
            Kind::RabbitMq => {
                let config = RabbitMqConfig {
                    prefix: format!("{unique}."),
                    pause_first: Duration::from_millis(20),
                    pause_longest: Duration::from_millis(200),
                    ..RabbitMqConfig::new(&server)
                };
                let place = Place::RabbitMq { url: server, prefix: config.prefix.clone() };
                pulled(Arc::new(RabbitMq::connect(config).expect("a configuration")), place)
            }
            Kind::Sqs | Kind::SqsWithTopic => {
                let topic = format!("arn:aws:sns:eu-central-1:123456789012:{unique}");
                let config = SqsConfig {
                    topic_arn: (kind == Kind::SqsWithTopic).then_some(topic),
                    endpoint: Some(server),
                    create: true,
                    wait: Duration::from_secs(1),
                    ..SqsConfig::new("eu-central-1", unique)
                };
                let place = Place::Sqs(Box::new(config.clone()));
                pulled(Arc::new(Sqs::connect(config).await), place)
            }
            Kind::Pushed => {
                let platform = Platform::start().await;
                let sink = HttpPublisher::new(platform.base(), HttpPublishing::default());
                (Arc::new(sink.expect("an address")), Side::Pushed(platform))
            }
        };
        Some(Self { kind, suite, publisher, side })
    }

    /// Where a broker keeps the queues; the test is itself the one that pushes.
    pub(crate) fn place(&self) -> Option<Place> {
        match &self.side {
            Side::Pulled { place, .. } => Some(place.clone()),
            Side::Pushed(_) => None,
        }
    }

    pub(crate) fn features(&self) -> Features {
        self.kind.features()
    }

    /// The desk as the suite runs it.
    pub(crate) fn desk(&self) -> &Arc<Service> {
        self.suite.service(DESK.name)
    }

    /// Makes the queues of these functions.
    pub(crate) async fn declare(&self, functions: &[&str]) {
        let subscriptions: Vec<Subscription> = functions.iter().map(|name| subscription(name)).collect();
        match &self.side {
            Side::Pulled { subscriber, .. } => {
                subscriber.declare(&subscriptions).await.expect("queues are made")
            }
            Side::Pushed(platform) => platform.declare(&subscriptions),
        }
    }

    /// Publishes as the relay does: what is not confirmed is published again.
    pub(crate) async fn publish(&self, events: &[Event]) {
        let mut left = events.to_vec();
        let publishing = async {
            while !left.is_empty() {
                let results = self.publisher.publish(&left).await;
                let again = left.drain(..).zip(results).filter_map(|(event, result)| match result {
                    Ok(()) => None,
                    Err(PublishError::NotConfirmed(_)) => Some(event),
                    Err(PublishError::Refused(why)) => panic!("refused: {why}"),
                });
                left = again.collect();
            }
        };
        tokio::time::timeout(PATIENCE, publishing).await.expect("the broker confirms in the end");
    }

    /// Publishes what the desk has committed until all of it is confirmed; how many events.
    pub(crate) async fn relay(&self) -> usize {
        let relaying = async {
            let mut published = 0;
            loop {
                let relayed = relay::relay_all(self.desk(), self.publisher.as_ref()).await;
                published += relayed.expect("the outbox is read");
                if outbox::backlog(self.desk()).await.expect("the outbox is read").0 == 0 {
                    return published;
                }
                // What a busy broker did not confirm is due again after this.
                self.suite.advance(Duration::from_secs(1));
            }
        };
        tokio::time::timeout(PATIENCE, relaying).await.expect("the broker confirms in the end")
    }

    /// Delivers a function's queue to the desk of this database.
    pub(crate) async fn consume(&self, function: &str, concurrency: usize) -> Consuming {
        self.consume_by(self.desk(), function, concurrency).await
    }

    /// Delivers a function's queue to a desk of the test's own.
    pub(crate) async fn consume_by(
        &self,
        desk: &Arc<Service>,
        function: &str,
        concurrency: usize,
    ) -> Consuming {
        let subscription = subscription(function);
        match &self.side {
            Side::Pulled { subscriber, .. } => {
                Consuming::pull(subscriber.as_ref(), desk, subscription, concurrency)
            }
            Side::Pushed(platform) => {
                platform.push_to(desk, self.suite.directory(), subscription.function, concurrency).await
            }
        }
    }

    /// Waits until the broker holds nothing for a function; ask when its consumers have stopped.
    pub(crate) async fn assert_empty(&self, function: &str) {
        until(&format!("nothing is left for {function}"), || async {
            let left = match &self.side {
                Side::Pulled { place, .. } => place.left(function).await,
                Side::Pushed(platform) => platform.left(function),
            };
            (left == 0).then_some(())
        })
        .await;
    }

    /// What the broker set aside by itself.
    pub(crate) async fn assert_nothing_set_aside(&self, function: &str) {
        if let Side::Pulled { subscriber, .. } = &self.side {
            let aside =
                subscriber.set_aside(&[subscription(function)], 10).await.expect("the broker answers");
            assert!(aside.is_empty(), "{aside:?}");
        }
    }
}

fn pulled<Q: Publisher + Subscriber + 'static>(queue: Arc<Q>, place: Place) -> (Arc<dyn Publisher>, Side) {
    (Arc::clone(&queue) as Arc<dyn Publisher>, Side::Pulled { subscriber: queue, place })
}

fn subscription(function: &str) -> Subscription {
    let mut all = Subscription::of(DESK.functions);
    all.find(|one| one.function == function).expect("a reaction of the desk")
}

/// The identifiers of events.
pub(crate) fn ids(events: &[Event]) -> BTreeSet<String> {
    events.iter().map(|event| event.id.clone()).collect()
}
