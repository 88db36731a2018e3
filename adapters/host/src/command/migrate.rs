//! `florin migrate`: brings the schemas up to date. On PostgreSQL the address's login is a member of `florin_owner`.

use clap::Args;

use crate::config::Config;
use crate::deployment::{HostError, database};
use crate::functions::chosen;

/// Brings the databases of the chosen services up to date.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The database, as its owner; what FLORIN_DATABASE_URL and FLORIN_<SERVICE>_DATABASE_URL say when not said.
    #[arg(long)]
    database_url: Option<String>,
}

impl Migrate {
    pub(super) async fn run(self, config: Config) -> Result<(), HostError> {
        for definition in chosen(&config)? {
            // What is said here is above a service's own setting, not only above the common one.
            let own = format!("{}_database_url", definition.name);
            let config = config.clone().with(&own, self.database_url.clone());
            if config.is_embedded(definition.name) {
                std::fs::create_dir_all(config.data())?;
            }
            let db = database(definition, &config, false).await?;
            db.migrate(definition.name, &definition.modules())
                .await
                .map_err(|error| HostError(format!("{}: {error}", definition.name)))?;
            eprintln!("{} is up to date", definition.name);
            db.close().await;
        }
        Ok(())
    }
}
