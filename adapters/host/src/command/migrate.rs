//! `florin migrate`: brings the schemas up to date. On PostgreSQL the address's login is a member of `florin_owner`.

use clap::Args;

use crate::config::Config;
use crate::deployment::{HostError, chosen, database};

/// Brings the databases of the chosen services up to date.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The database, as its owner; FLORIN_DATABASE_URL when not said.
    #[arg(long)]
    database_url: Option<String>,
}

impl Migrate {
    pub(super) async fn run(self, config: Config) -> Result<(), HostError> {
        let config = config.with("database_url", self.database_url);
        for definition in chosen(&config) {
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
