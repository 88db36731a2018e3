//! Whether the schema on a server fits this binary: asked at the start, and again while the database is away.

use std::sync::Arc;
use std::time::Duration;

use florin_kernel::db::Trouble;
use florin_kernel::service::Service;
use futures_util::future::try_join_all;

use crate::deployment::HostError;

/// How often a database that is away is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Whether the schema is known to fit; it is not while the database is away.
///
/// # Errors
/// The database is there, and its schema does not fit: waiting does not help.
pub async fn fits(service: &Service) -> Result<bool, HostError> {
    match service.check_schema().await {
        Ok(()) => Ok(true),
        Err(error) if error.trouble() == Trouble::Away => Ok(false),
        Err(error) => Err(HostError(format!("{}: {error}", service.name()))),
    }
}

/// Those whose schema nobody could look at, because their database is away. All are asked at once: one that does not
/// answer is waited for some seconds.
///
/// # Errors
/// As [`fits`].
pub async fn unknown(services: impl Iterator<Item = &Arc<Service>>) -> Result<Vec<Arc<Service>>, HostError> {
    let looked = services.map(async |service| {
        // Until it is known, nothing is done on it, on a platform that freezes the process as on any other.
        service.doubt_schema();
        Ok::<_, HostError>((!fits(service).await?).then(|| Arc::clone(service)))
    });
    let unknown: Vec<_> = try_join_all(looked).await?.into_iter().flatten().collect();
    for service in &unknown {
        tracing::warn!(service.name = service.name(), "the database is away");
    }
    Ok(unknown)
}

/// Waits until the schema of each service is known to fit.
///
/// # Errors
/// As [`fits`].
pub async fn all_fit(services: &[Arc<Service>]) -> Result<(), HostError> {
    try_join_all(services.iter().map(async |service| {
        while !fits(service).await? {
            tokio::time::sleep(AGAIN).await;
        }
        tracing::info!(service.name = service.name(), "the database is there, and its schema fits");
        Ok(())
    }))
    .await
    .map(drop)
}
