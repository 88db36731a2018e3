//! What one invocation of a function that freezes has written, and publishes before it does.

use std::sync::Mutex;
use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_kernel::rows::outbox;
use florin_kernel::service::Settings;
use florin_queue::port::{PublishError, Publisher};
use florin_queue::relay::relay_these;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::shop::{clock, ordered, shop};

/// Notes how many events each call brought, and confirms all or none.
#[derive(Default)]
struct Broker {
    away: bool,
    calls: Mutex<Vec<usize>>,
}

impl Publisher for Broker {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        self.calls.lock().unwrap().push(events.len());
        let answer = || if self.away { Err(PublishError::NotConfirmed("nack".to_owned())) } else { Ok(()) };
        std::future::ready(events.iter().map(|_| answer()).collect()).boxed()
    }
}

#[tokio::test]
async fn more_events_than_a_broker_is_to_confirm_at_once_are_published_batch_by_batch() {
    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let settings = Settings { freezes: true, ..Settings::default() };
    let service = shop(directory.path(), &clock, settings).await;
    for order in 0..300 {
        let event = ordered(&format!("order_{order}"), "completed");
        assert_eq!(service.deliver("shop.count_order", event, None).await, Disposition::Done);
    }
    let written = service.take_written();
    assert_eq!(written.len(), 300);

    // Of a broker that is away the second batch is not asked as well.
    let away = Broker { away: true, ..Broker::default() };
    relay_these(&service, &away, &written).await.unwrap();
    assert_eq!(*away.calls.lock().unwrap(), [256]);

    clock.advance(Duration::from_secs(1));
    let back = Broker::default();
    relay_these(&service, &back, &written).await.unwrap();
    assert_eq!(*back.calls.lock().unwrap(), [256, 44]);
    assert_eq!(outbox::backlog(&service).await.unwrap().0, 0);
}
