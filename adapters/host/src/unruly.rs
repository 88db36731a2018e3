//! A broker as brokers are, only more so: it delivers twice, late and in another order. Only under `failpoints`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use florin_kernel::event::Event;
use florin_kernel::failpoint;
use florin_queue::port::{PublishError, Publisher};
use futures_util::future::BoxFuture;

/// A publisher that the file `deliveries` of the control directory makes unruly: of a hundred events so many are
/// published twice, and a batch waits up to so many milliseconds. Without the file it is the one inside.
pub(crate) fn around(inside: Arc<dyn Publisher>) -> Arc<dyn Publisher> {
    if failpoint::directory().is_some() { Arc::new(Unruly(inside)) } else { inside }
}

struct Unruly(Arc<dyn Publisher>);

/// How unruly it is now.
struct Rules {
    twice_percent: u64,
    late_ms: u64,
}

fn rules() -> Option<Rules> {
    let text = std::fs::read_to_string(failpoint::directory()?.join("deliveries")).ok()?;
    let mut numbers = text.split_whitespace().map_while(|word| word.parse().ok());
    Some(Rules { twice_percent: numbers.next()?, late_ms: numbers.next()? })
}

/// A number that is the event's own: who publishes it again comes to the same one.
fn lot(event: &Event, of: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    (of, &event.id).hash(&mut hash);
    hash.finish()
}

impl Publisher for Unruly {
    fn publish<'a>(&'a self, events: &'a [Event]) -> BoxFuture<'a, Vec<Result<(), PublishError>>> {
        let (Some(Rules { twice_percent, late_ms }), Some(first)) = (rules(), events.first()) else {
            return self.0.publish(events);
        };
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(lot(first, "late") % (late_ms + 1))).await;
            let mut order: Vec<usize> = (0..events.len()).collect();
            order.sort_by_key(|&place| lot(&events[place], "order"));
            let mixed: Vec<Event> = order.iter().map(|&place| events[place].clone()).collect();
            let told = self.0.publish(&mixed).await;
            let again: Vec<Event> =
                mixed.into_iter().filter(|event| lot(event, "twice") % 100 < twice_percent).collect();
            // They were confirmed or not; these are the ones too many.
            self.0.publish(&again).await;
            let mut results = vec![Err(PublishError::NotConfirmed("no answer".to_owned())); events.len()];
            for (place, result) in order.into_iter().zip(told) {
                results[place] = result;
            }
            results
        })
    }
}
