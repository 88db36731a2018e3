//! `florin demo --purchases`: real purchases from a file, each paid once however often the run is repeated.

mod decimal;
mod file;
mod pay;
mod summary;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use file::PurchaseFile;
use summary::Summary;

use super::Outcome;
use super::api::Api;
use super::interrupt::Interrupt;
use super::progress::Progress;

/// Pays the purchases of a file, so many at once.
pub(super) async fn run(
    api: &Api,
    path: &Path,
    at_once: usize,
    interrupt: &Interrupt,
) -> Result<Outcome, String> {
    let file = PurchaseFile::read(path)?;
    let (began, mut summary, mut overflow) = (Instant::now(), Summary::default(), None);
    let progress = Progress::over(file.purchases.len(), "purchases");
    let work = async |purchase| (purchase, pay::pay(api, purchase).await);
    interrupt
        .each(&file.purchases, at_once, &progress, work, |(purchase, outcome)| {
            if let Err(error) = summary.add(purchase, outcome) {
                overflow = Some(error);
            }
            if summary.is_stopped() || overflow.is_some() {
                interrupt.stop.cancel();
            }
        })
        .await;
    match overflow {
        Some(error) => Err(error),
        None => Ok(summary.finish(&file, began.elapsed(), &api.latencies)),
    }
}
