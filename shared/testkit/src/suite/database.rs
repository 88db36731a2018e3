//! A database of a test's own: files, or a PostgreSQL database whose services are no superusers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use florin_kernel::db::{Db, DbConfig};
use florin_kernel::service::Definition;
use florin_servers::Part;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite files.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Where the services of one suite keep their rows.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file for each service in this directory.
    Sqlite(PathBuf),
    /// A schema for each service in this database.
    Postgres {
        /// As a superuser, who owns and migrates it.
        owner: String,
        /// As the login of the services: a member of florin_app and florin_system and nothing else.
        login: String,
    },
}

const LOGIN: &str = "florin_test_login";

impl Database {
    /// An empty database; none where PostgreSQL is not to be had.
    pub async fn create(engine: Engine, directory: &Path) -> Option<Self> {
        match engine {
            Engine::Sqlite => Some(Self::Sqlite(directory.to_owned())),
            Engine::Postgres => Self::on_server(&Part::Postgres.needed()?).await,
        }
    }

    /// An empty database on this server, which a superuser's address names.
    pub async fn on_server(server: &str) -> Option<Self> {
        let options: PgConnectOptions = server.parse().expect("an address of PostgreSQL");
        let mut on = options.connect().await.expect("PostgreSQL answers");
        let name = format!("florin_{}", unique());
        on.execute(AssertSqlSafe(format!(
            "CREATE DATABASE {name} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )))
        .await
        .expect("a database is made");
        // Roles belong to the server: tests that start together make them once.
        on.execute(AssertSqlSafe(format!(
            "DO $$ BEGIN
                 PERFORM pg_advisory_xact_lock(64);
                 IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{LOGIN}') THEN
                     CREATE ROLE {LOGIN} LOGIN NOSUPERUSER NOINHERIT;
                 END IF;
             END $$"
        )))
        .await
        .expect("a login is made");
        on.close().await.expect("the connection closes");
        let at = |user: Option<&str>| {
            let options = options.clone().database(&name);
            match user {
                Some(user) => options.username(user),
                None => options,
            }
            .to_url_lossy()
            .to_string()
        };
        Some(Self::Postgres { owner: at(None), login: at(Some(LOGIN)) })
    }

    /// The address that a service's process is given.
    pub fn url(&self, service: &str) -> String {
        match self {
            Self::Sqlite(directory) => {
                format!("sqlite://{}", directory.join(format!("{service}.db")).display())
            }
            Self::Postgres { login, .. } => login.clone(),
        }
    }

    /// A service's migrated database, as its process would use it.
    pub async fn of_service(&self, definition: &Definition) -> Db {
        self.migrate(definition).await;
        connect(self.url(definition.name), definition.name).await
    }

    /// Drops what was made on a server: hundreds of tests would fill it. Files go with their directory.
    pub async fn remove(&self) {
        let Self::Postgres { owner, .. } = self else { return };
        let options: PgConnectOptions = owner.parse().expect("an address of PostgreSQL");
        let name = options.get_database().expect("an address with a database").to_owned();
        let mut on = options.database("postgres").connect().await.expect("PostgreSQL answers");
        on.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
            .await
            .expect("the database goes");
    }

    /// Brings a service's schema up to date, as its owner.
    pub async fn migrate(&self, definition: &Definition) {
        let url = match self {
            Self::Sqlite(_) => self.url(definition.name),
            Self::Postgres { owner, .. } => owner.clone(),
        };
        let db = connect(url, definition.name).await;
        db.migrate(definition.name, &definition.modules()).await.expect("the schema migrates");
        db.close().await;
        if let Self::Postgres { owner, .. } = self {
            let options: PgConnectOptions = owner.parse().expect("an address of PostgreSQL");
            let mut on = options.connect().await.expect("PostgreSQL answers");
            // The lock is the server's: two grants of one role at once fail.
            on.execute(AssertSqlSafe(format!(
                "DO $$ BEGIN
                     PERFORM pg_advisory_xact_lock(64);
                     IF NOT pg_has_role('{LOGIN}', 'florin_app', 'MEMBER') THEN
                         GRANT florin_app, florin_system TO {LOGIN};
                     END IF;
                 EXCEPTION WHEN OTHERS THEN
                     IF NOT pg_has_role('{LOGIN}', 'florin_app', 'MEMBER') THEN RAISE; END IF;
                 END $$"
            )))
            .await
            .expect("the login joins the roles");
        }
    }
}

async fn connect(url: String, schema: &str) -> Db {
    let mut config = DbConfig::new(url, schema);
    config.acquire_timeout = Duration::from_secs(20);
    config.connect().await.expect("the database opens")
}

/// A name nobody else has.
fn unique() -> String {
    let ids = florin_kernel::id::Ids::new(florin_kernel::time::Clock::System);
    enum Scratch {}
    impl florin_kernel::id::Kind for Scratch {
        const PREFIX: &'static str = "t";
    }
    ids.new_id::<Scratch>().uuid().as_simple().to_string()
}
