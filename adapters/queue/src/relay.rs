//! The relay: publishes what is committed. It claims rows by lease, so that any number of relays may run.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::db::DbResult;
use florin_kernel::event::Event;
use florin_kernel::failpoint;
use florin_kernel::rows::outbox;
use florin_kernel::service::Service;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::port::{PublishError, Publisher};
use crate::publishing::{Publishing, measure};

/// The most events of one claim: also the window of unconfirmed publishes, which bounds the rate of a broker.
const BATCH: u16 = 256;
/// How long a claim holds: far above what a broker takes to confirm a batch.
const LEASE: Duration = Duration::from_secs(30);
/// How often a relay looks by itself: rows whose lease ran out ring no bell.
const LOOK: Duration = Duration::from_secs(1);
/// How long an event waits that the broker did not confirm.
const POSTPONE: Duration = Duration::from_secs(1);
/// How long an event waits that the broker refuses: only an operator or another release can help it.
const REFUSED: Duration = Duration::from_secs(300);

/// Publishes one claimed batch; how many events were published, and whether more may wait.
pub async fn relay_batch(service: &Service, publisher: &dyn Publisher) -> DbResult<(usize, bool)> {
    let events = outbox::claim(service, i64::from(BATCH), LEASE).await?;
    let full = events.len() >= usize::from(BATCH);
    let (published, all) = publish(service, publisher, events).await?;
    Ok((published, full && all))
}

/// Publishes those of these events that are due and not published. The first batch that the broker does not confirm is
/// the last.
pub async fn relay_these(service: &Service, publisher: &dyn Publisher, ids: &[String]) -> DbResult<()> {
    for ids in ids.chunks(usize::from(BATCH)) {
        let events = outbox::claim_these(service, ids, LEASE).await?;
        let (_, all) = publish(service, publisher, events).await?;
        if !all {
            break;
        }
    }
    Ok(())
}

/// Publishes what was claimed; how many events were published, and whether the broker was there for all of them.
async fn publish(
    service: &Service,
    publisher: &dyn Publisher,
    mut events: Vec<Event>,
) -> DbResult<(usize, bool)> {
    if events.is_empty() {
        return Ok((0, true));
    }
    let publishing: Vec<Publishing> =
        events.iter_mut().map(|event| Publishing::begin(service, event)).collect();
    let measured_in = Publishing::span_of(&publishing);
    let began = Instant::now();
    failpoint::hit(failpoint::RELAY_BEFORE_PUBLISH);
    let results = failpoint::during(failpoint::RELAY_DURING_PUBLISH, publisher.publish(&events)).await;
    failpoint::hit(failpoint::RELAY_AFTER_PUBLISH);
    let (mut done, mut later, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for ((event, publishing), result) in events.into_iter().zip(publishing).zip(results) {
        publishing.end(&result);
        match result {
            Ok(()) => done.push(event.id),
            Err(PublishError::NotConfirmed(why)) => {
                tracing::warn!(event.id = %event.id, error.message = %why, "not published: it comes again");
                later.push(event.id);
            }
            Err(PublishError::Refused(why)) => {
                // It stays in the outbox and in `florin outbox`: an event is never thrown away.
                tracing::error!(event.id = %event.id, error.message = %why, "the broker refuses this event");
                refused.push(event.id);
            }
        }
    }
    let (took, batch) = (began.elapsed(), [done.len(), later.len(), refused.len()]);
    measured_in.in_scope(|| measure(service, took, batch));
    outbox::published(service, &done).await?;
    failpoint::hit(failpoint::RELAY_AFTER_MARKED);
    outbox::postpone(service, &later, POSTPONE).await?;
    outbox::postpone(service, &refused, REFUSED).await?;
    Ok((done.len(), later.is_empty()))
}

/// Publishes until nothing due is left; how many events.
pub async fn relay_all(service: &Service, publisher: &dyn Publisher) -> DbResult<usize> {
    let mut published = 0;
    loop {
        let (done, more) = relay_batch(service, publisher).await?;
        published += done;
        if !more {
            return Ok(published);
        }
    }
}

/// Relays until `stop`, then publishes once more what is committed.
pub async fn run(service: Arc<Service>, publisher: Arc<dyn Publisher>, stop: CancellationToken) {
    let mut pause = LOOK;
    while !stop.is_cancelled() {
        match relay_all(&service, publisher.as_ref()).await {
            Ok(_) => pause = LOOK,
            Err(error) => {
                tracing::warn!(service.name = service.name(), error.message = %error, "the relay waits");
                pause = (pause * 2).min(Duration::from_secs(30));
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = service.outbox_ready.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Err(error) = relay_all(&service, publisher.as_ref()).await {
        tracing::warn!(service.name = service.name(), error.message = %error, "another relay publishes the rest");
    }
}
