//! A PostgreSQL of our own that is durable, and that can say every statement it runs.

use std::time::Duration;

use florin_kernel::service::Definition;
use florin_servers::Postgres;
use florin_testkit::suite::Database;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row};

use crate::bench::missing;
use crate::error::{Outcome, Trouble};

/// How long the server may take to take a setting.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running PostgreSQL with `fsync` on, as its default is; the servers of the tests do without.
pub struct DurablePostgres {
    server: Postgres,
}

/// A database on it with our schema.
#[derive(Clone, Debug)]
pub struct Place {
    /// As the owner.
    pub owner: String,
    /// As the services log in.
    pub login: String,
    /// Its name.
    pub name: String,
}

impl DurablePostgres {
    /// Starts one, with nothing shared with any other.
    pub async fn start() -> Outcome<Self> {
        let mut server = Postgres::start_durable().map_err(missing)?;
        let mut on = connect(&server.url()).await?;
        for setting in ["logging_collector = on", "log_destination = 'jsonlog'", "log_rotation_size = 0"] {
            on.execute(AssertSqlSafe(format!("ALTER SYSTEM SET {setting}"))).await?;
        }
        drop(on);
        server.restart().map_err(missing)?;
        let started = Self { server };
        for (setting, wanted) in [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")] {
            let row =
                connect(&started.url()).await?.fetch_one(AssertSqlSafe(format!("SHOW {setting}"))).await?;
            if row.get::<String, _>(0) != wanted {
                return Err(Trouble::failed(format!("{setting} is not {wanted}: nothing would be durable")));
            }
        }
        Ok(started)
    }

    /// As the superuser.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// An empty database with the schemas of these services.
    pub async fn place(&self, services: &[&Definition]) -> Outcome<Place> {
        let database = Database::on_server(&self.url()).await;
        let Some(Database::Postgres { owner, login }) = &database else {
            return Err(Trouble::Missing("PostgreSQL".to_owned()));
        };
        for service in services {
            Database::Postgres { owner: owner.clone(), login: login.clone() }.migrate(service).await;
        }
        let options: PgConnectOptions = owner.parse()?;
        let name = options.get_database().unwrap_or_default().to_owned();
        Ok(Place { owner: owner.clone(), login: login.clone(), name })
    }

    /// Begins or ends to log every statement.
    pub async fn log_statements(&self, all: bool) -> Outcome<()> {
        let wanted = if all { "all" } else { "none" };
        let mut on = connect(&self.url()).await?;
        on.execute(AssertSqlSafe(format!("ALTER SYSTEM SET log_statement = '{wanted}'"))).await?;
        on.execute("SELECT pg_reload_conf()").await?;
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            // A new session has it as soon as the server has.
            let row = connect(&self.url()).await?.fetch_one("SHOW log_statement").await?;
            if row.get::<String, _>(0) == wanted {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Trouble::failed("PostgreSQL did not take log_statement"))
    }

    /// How long the log is now, in bytes.
    pub async fn log_length(&self) -> Outcome<i64> {
        let row = connect(&self.url())
            .await?
            .fetch_one("SELECT (pg_stat_file(pg_current_logfile('jsonlog'))).size")
            .await?;
        Ok(row.get(0))
    }

    /// The log from this byte on.
    pub async fn log_from(&self, start: i64) -> Outcome<String> {
        let length = self.log_length().await? - start;
        let row = sqlx::query("SELECT pg_read_file(pg_current_logfile('jsonlog'), $1, $2)")
            .bind(start)
            .bind(length)
            .fetch_one(&mut connect(&self.url()).await?)
            .await?;
        Ok(row.get(0))
    }
}

/// A connection to this address.
pub async fn connect(url: &str) -> Outcome<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    Ok(options.disable_statement_logging().connect().await?)
}
