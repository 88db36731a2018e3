//! The suite as a service of Shuttle's runtime: the same routes, workers and settings as `florin serve`.

use std::net::SocketAddr;
use std::time::Duration;

use florin_host::config::Config;
use florin_host::deployment::HostError;
use florin_host::serve::{Manner, serve};
use florin_host::telemetry::Telemetry;
use florin_kernel::time::Clock;
use shuttle_runtime::{CustomError, Error, SecretStore, Service};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the runtime binds.
pub struct Suite {
    config: Config,
}

impl Suite {
    /// Takes its settings from the project's secrets called `FLORIN_...`, and from those of the environment.
    ///
    /// # Errors
    /// A setting that nobody knows, as everywhere.
    pub fn of(secrets: SecretStore) -> Result<Self, Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this crate is its own host: the environment is read here, once"
        )]
        let environment = std::env::vars();
        let config = Config::of(environment.chain(secrets)).map_err(CustomError::new)?;
        Ok(Self { config })
    }

    async fn serve(self, address: SocketAddr) -> Result<(), HostError> {
        let clock = Clock::System;
        let telemetry = Telemetry::begin(&self.config, clock.clone(), false)?;
        let listener = TcpListener::bind(address).await?;
        // One process does everything: the platform has neither queues nor schedules.
        let manner = Manner { workers: true, linger: Duration::ZERO };
        // On SIGTERM the runtime drops this future and exits. What had begun is finished by the next process's sweep, as after
        // a kill; a stop of ours would race with that and be lost.
        serve(listener, self.config, clock, manner, CancellationToken::new(), &telemetry, |_| ()).await
    }
}

#[shuttle_runtime::async_trait]
impl Service for Suite {
    async fn bind(mut self, address: SocketAddr) -> Result<(), Error> {
        // The runtime's own client has used another provider and installed none.
        if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
            return Err(Error::Custom(CustomError::msg("another TLS provider was installed first")));
        }
        self.serve(address).await.map_err(|error| Error::Custom(CustomError::msg(error.to_string())))
    }
}
