//! The schedule of a long-lived process: it ticks each job when its slot begins, and sweeps every second.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::corridor::{Disposition, KernelJob};
use florin_kernel::service::Service;
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

/// How long at most until the clock is looked at again: it may have been moved.
const LOOK: Duration = Duration::from_secs(1);

/// Ticks every job of these services until `stop`, and returns when the runs that had begun are done.
///
/// Every job is ticked at once, for the slot in which the process starts: what another replica ran is a
/// duplicate to it. Slots that passed while nobody ran are not made up for, because a job looks for what is due.
pub async fn run(services: Vec<Arc<Service>>, stop: CancellationToken) {
    let jobs = services.iter().flat_map(|service| {
        let sweep = format!("{}.{}", service.name(), KernelJob::Sweep.verb());
        service.schedules().into_iter().map({
            let stop = stop.clone();
            move |(name, every)| {
                let each_look = name == sweep;
                run_job(Arc::clone(service), name, every, each_look, stop.clone())
            }
        })
    });
    // Each job by itself: a slow one is late alone, and never overlaps with its own next slot.
    join_all(jobs).await;
}

async fn run_job(
    service: Arc<Service>,
    name: String,
    every: Duration,
    each_look: bool,
    stop: CancellationToken,
) {
    let mut ran = None;
    while !stop.is_cancelled() {
        let slot = service.clock.now().slot(every);
        if each_look || ran != Some(slot) {
            match service.tick(&name).await {
                // The database is away: the slot is still to be run.
                Disposition::NotAttempted => {}
                Disposition::Done
                | Disposition::Duplicate
                | Disposition::Retry { .. }
                | Disposition::Permanent { .. } => ran = Some(slot),
            }
        }
        let next = if !each_look && ran == Some(slot) {
            slot.plus(every).since(service.clock.now()).min(LOOK)
        } else {
            LOOK
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(next) => {}
        }
    }
}
