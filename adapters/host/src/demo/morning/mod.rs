//! `florin demo`: a realistic morning of payments, and the trail that one of them left.

mod chance;
mod customer;
mod plan;
mod play;
mod summary;
#[cfg(test)]
mod tests;
mod trail;

use std::time::Instant;

use summary::Summary;

use super::Outcome;
use super::api::Api;
use super::interrupt::Interrupt;
use super::progress::Progress;

/// Plays a morning of so many payments, so many at once.
pub(super) async fn run(
    api: &Api,
    payments: u32,
    at_once: usize,
    seed: u64,
    interrupt: &Interrupt,
) -> Result<Outcome, String> {
    let plan = plan::plan(payments, seed)?;
    let (planned, run) = (plan.len(), name_of_run()?);
    let (began, mut summary, mut overflow) = (Instant::now(), Summary::default(), None);
    let progress = Progress::over(planned, "payments");
    interrupt
        .each(
            plan,
            at_once,
            &progress,
            |planned| play::play(api, &run, planned),
            |played| {
                if let Err(error) = summary.add(played) {
                    overflow = Some(error);
                }
                if summary.is_stopped() || overflow.is_some() {
                    interrupt.stop.cancel();
                }
            },
        )
        .await;
    if let Some(error) = overflow {
        return Err(error);
    }
    let (took, requests) = (began.elapsed(), api.latencies.count());
    let trail = match summary.followed() {
        Some((payment, refunds)) if !interrupt.stop.is_cancelled() => {
            Some(trail::trail(api, payment, refunds).await)
        }
        Some(_) | None => None,
    };
    Ok(summary.finish(planned, took, &api.latencies, requests, trail))
}

/// References are unique for ever, so each run has a name of its own.
fn name_of_run() -> Result<String, String> {
    let mut random = [0_u8; 6];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "the operating system gives no randomness")?;
    Ok(format!("morning-{}", hex::encode(random)))
}
