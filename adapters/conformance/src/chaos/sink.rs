//! A queue of our own on the broker: what was published, told by the broker and not by a service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use florin_kernel::corridor::Disposition;
use florin_kernel::event::{Event, Pattern};
use florin_queue::port::{Handler, Subscriber, Subscription};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The queue, as if a function of this name wanted everything.
const SINK: Subscription = Subscription { function: "chaos.sink", on: &[Pattern("florin.#")] };

/// How many messages at a time.
const CONCURRENCY: usize = 32;

/// An event's place: its source and its identifier.
pub(crate) type Place = (String, String);

#[derive(Default)]
struct Taken {
    /// The events of each tenant.
    events: BTreeMap<String, BTreeMap<Place, Event>>,
    problems: Vec<String>,
}

/// A running sink.
pub(crate) struct Sink {
    taken: Arc<Mutex<Taken>>,
    _stop: DropGuard,
}

impl Sink {
    /// Declares its queue beside those of all functions, and takes all that comes.
    ///
    /// # Errors
    /// The queue cannot be made.
    pub(crate) async fn start(
        subscriber: &Arc<dyn Subscriber>,
        mut all: Vec<Subscription>,
    ) -> Result<Self, String> {
        all.push(SINK);
        subscriber.declare(&all).await.map_err(|error| error.to_string())?;
        let taken: Arc<Mutex<Taken>> = Arc::default();
        let taking = Arc::clone(&taken);
        let handler: Handler = Arc::new(move |event| {
            take(&taking, event);
            Box::pin(std::future::ready(Disposition::Done))
        });
        let stop = CancellationToken::new();
        let consuming = subscriber.consume(SINK, CONCURRENCY, handler, stop.clone());
        let failing = Arc::clone(&taken);
        tokio::spawn(async move {
            if let Err(error) = consuming.await {
                failing.lock().expect("nobody panics here").problems.push(format!("the sink: {error}"));
            }
        });
        Ok(Self { taken, _stop: stop.drop_guard() })
    }

    /// What is wrong when the events of a tenant that were recorded are these.
    pub(crate) fn against(&self, tenant: &str, recorded: &BTreeSet<Place>) -> Vec<String> {
        let taken = self.taken.lock().expect("nobody panics here");
        let mut problems = taken.problems.clone();
        let none = BTreeMap::new();
        let published = taken.events.get(tenant).unwrap_or(&none);
        if published.len() != recorded.len() {
            problems.push(format!("{tenant}: {} published, {} recorded", published.len(), recorded.len()));
        }
        let lost = published.iter().filter(|(place, _)| !recorded.contains(*place));
        problems.extend(lost.map(|(_, event)| format!("published and not recorded: {event:?}")));
        let made_up = recorded.iter().filter(|place| !published.contains_key(*place));
        problems.extend(made_up.map(|place| format!("recorded and not published: {place:?}")));
        problems
    }

    /// What [`Self::against`] would not see: an event that was lost after it was published, or one that was made up.
    pub(crate) fn believes(&self, tenant: &str, recorded: &BTreeSet<Place>) -> Option<String> {
        let mut lost = recorded.clone();
        lost.pop_first()?;
        let mut made_up = lost.clone();
        made_up.insert(("nobody".to_owned(), "made up".to_owned()));
        let said = self.against(tenant, &made_up);
        let sees = |what: &str| said.iter().any(|problem| problem.starts_with(what));
        let both = sees("published and not recorded") && sees("recorded and not published");
        let counted = self.against(tenant, &lost).iter().any(|problem| problem.contains(" published, "));
        (!(both && counted))
            .then(|| format!("the check believes that {tenant} lost or made up nothing: {said:?}"))
    }

    /// Forgets the rounds that are over.
    pub(crate) fn forget(&self) {
        self.taken.lock().expect("nobody panics here").events.clear();
    }
}

/// Twice is as good as once, when it is the same both times.
fn take(taken: &Mutex<Taken>, event: Event) {
    let mut taken = taken.lock().expect("nobody panics here");
    let tenant = event.extension("tenant").unwrap_or_default().to_owned();
    let place = (event.source.clone(), event.id.clone());
    let known = taken.events.entry(tenant).or_default();
    match known.get(&place) {
        Some(before) if !same(before, &event) => {
            let problem = format!("published twice, each time otherwise: {before:?} and {event:?}");
            taken.problems.push(problem);
        }
        Some(_) => {}
        None => {
            known.insert(place, event);
        }
    }
}

/// Each attempt to publish is a span of its own, so its trace context is another (CloudEvents, distributed tracing).
fn same(one: &Event, other: &Event) -> bool {
    let untraced = |event: &Event| {
        let mut event = event.clone();
        event.extensions.retain(|name, _| name != "traceparent" && name != "tracestate");
        event
    };
    untraced(one) == untraced(other)
}
