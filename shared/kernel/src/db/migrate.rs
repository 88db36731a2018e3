//! Numbered SQL, one text for both databases: `--pg:` and `--sqlite:` lines are for one of them alone.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::{Db, DbError, DbResult, Trouble, Wall};

/// One step of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// 1, 2, 3 ... within its module.
    pub version: i64,
    /// What it brings.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
    /// Whether it takes away what an older binary needs: such a binary then refuses to serve.
    pub contracting: bool,
}

impl Migration {
    /// A step that only adds, or rearranges what no binary names: older ones go on serving beside it.
    pub const fn expanding(version: i64, name: &'static str, sql: &'static str) -> Self {
        Self { version, name, sql, contracting: false }
    }
}

/// The steps of one module ("kernel", or a service) in order.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// Whose tables these are.
    pub module: &'static str,
    /// All of them, by version.
    pub steps: &'static [Migration],
}

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS florin_migrations (
    module text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    contracting boolean NOT NULL,
    PRIMARY KEY (module, version)
)";

/// The three roles of row-level security. Made by whoever may (CREATEROLE), who joins the owner of the tables;
/// another process may make them meanwhile.
const ROLES: &str = "DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['florin_owner', 'florin_app', 'florin_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
    IF NOT pg_has_role(current_user, 'florin_owner', 'MEMBER') THEN
        EXECUTE format('GRANT florin_owner TO %I', current_user);
    END IF;
END $$";

impl Db {
    /// Brings the schema up to date: the kernel's tables, then the service's. Each step is one transaction;
    /// processes that start together take turns. On PostgreSQL the login must be a member of
    /// `florin_owner`, or have CREATEROLE to become one.
    pub async fn migrate(&self, schema: &str, modules: &[Migrations]) -> DbResult<()> {
        match self {
            Self::Sqlite { write, .. } => {
                let mut turn = write.turn().await?;
                let on = turn.connection()?;
                on.execute(LEDGER).await?;
                for step in due(applied(&mut *on).await?, modules)? {
                    let mut tx = on.begin_with("BEGIN IMMEDIATE").await?;
                    // Another process may have made it while this one waited for the lock.
                    if !due(applied(&mut *tx).await?, modules)?.iter().any(|d| d.same(&step)) {
                        continue;
                    }
                    tx.execute(AssertSqlSafe(step.text("--sqlite:"))).await?;
                    tx.commit().await?;
                }
            }
            Self::Postgres(server) => {
                let mut on = server.pool().acquire().await?.detach();
                on.execute(ROLES).await?;
                let mut tx = on.begin().await?;
                // Of this schema alone: services that share a database do not queue behind each other.
                tx.execute(AssertSqlSafe(format!(
                    "SELECT pg_advisory_xact_lock(hashtext('florin.{schema}'))"
                )))
                .await?;
                tx.execute(AssertSqlSafe(format!(
                    "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION florin_owner;
                     GRANT USAGE ON SCHEMA {schema} TO florin_app, florin_system;
                     SET LOCAL ROLE florin_owner; {LEDGER};
                     GRANT SELECT ON florin_migrations TO florin_app, florin_system"
                )))
                .await?;
                // Whoever waits for a table keeps everybody behind him waiting: better to fail, and to be run again.
                tx.execute("SET LOCAL lock_timeout = '10s'").await?;
                for step in due(applied(&mut *tx).await?, modules)? {
                    tx.execute(AssertSqlSafe(step.text("--pg:"))).await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Refuses a schema that this binary cannot serve: one that lacks a step, or has a newer contracting one.
    pub async fn check_schema(&self, modules: &[Migrations]) -> DbResult<()> {
        let applied = match self {
            Self::Sqlite { write, .. } => {
                applied(write.turn().await?.connection()?).await.map_err(DbError::from)
            }
            // In the role that serves: a login that inherits nothing has no rights in the schema by itself.
            Self::Postgres(server) => match server.begin("BEGIN READ ONLY", Wall::System).await {
                Ok(mut tx) => {
                    let (answer, on) = tx.ask();
                    answer.within(applied(on)).await.map_err(DbError::from)
                }
                Err(error) => Err(error),
            },
        }
        .map_err(|error| match error.trouble() {
            Trouble::Away => error,
            _ if error.to_string().contains("set role") => DbError::said(
                Trouble::Fault,
                format!("{error}: GRANT florin_app, florin_system TO the login of this service"),
            ),
            _ => DbError::said(
                Trouble::Fault,
                format!("the schema is not there: run `florin migrate` ({error})"),
            ),
        })?;
        let missing = due(applied.clone(), modules)?;
        if let Some(step) = missing.first() {
            return Err(DbError::said(Trouble::Fault, format!("{step} is missing: run `florin migrate`")));
        }
        let known = |module: &str| modules.iter().find(|m| m.module == module).map_or(0, |m| m.steps.len());
        for done in applied {
            let newer = done.version > i64::try_from(known(&done.module)).unwrap_or(i64::MAX);
            if newer && done.contracting {
                let Applied { module, version, .. } = done;
                return Err(DbError::said(
                    Trouble::Fault,
                    format!(
                        "migration {module} {version} took away what this release needs: deploy a newer one"
                    ),
                ));
            }
        }
        Ok(())
    }
}

#[derive(Clone)]
struct Applied {
    module: String,
    version: i64,
    checksum: String,
    contracting: bool,
}

struct Due {
    module: &'static str,
    step: Migration,
}

impl std::fmt::Display for Due {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "migration {} {} ({})", self.module, self.step.version, self.step.name)
    }
}

impl Due {
    fn same(&self, other: &Self) -> bool {
        self.module == other.module && self.step.version == other.step.version
    }

    /// The step's statements for one engine, and the row that says it was taken.
    fn text(&self, own: &str) -> String {
        let mut text = String::new();
        for line in self.step.sql.lines() {
            match line.trim_start().strip_prefix(own) {
                Some(rest) => text.push_str(rest),
                None if line.trim_start().starts_with("--") => {}
                None => text.push_str(line),
            }
            text.push('\n');
        }
        let Migration { version, name, contracting, .. } = self.step;
        write!(
            text,
            ";\nINSERT INTO florin_migrations (module, version, name, checksum, contracting)
             VALUES ('{}', {version}, '{name}', '{}', {contracting})",
            self.module,
            checksum(self.step.sql)
        )
        .expect("a String takes every write");
        text
    }
}

/// What is not applied yet, in order. A step whose text was changed after it was applied is refused.
fn due(applied: Vec<Applied>, modules: &[Migrations]) -> DbResult<Vec<Due>> {
    let mut due = Vec::new();
    for Migrations { module, steps } in modules {
        for step in *steps {
            match applied.iter().find(|a| a.module == *module && a.version == step.version) {
                None => due.push(Due { module, step: *step }),
                Some(a) if a.checksum == checksum(step.sql) => {}
                Some(_) => {
                    let version = step.version;
                    return Err(DbError::said(
                        Trouble::Fault,
                        format!("migration {module} {version} differs from the text that was applied"),
                    ));
                }
            }
        }
    }
    Ok(due)
}

async fn applied<'c, E, DB>(on: E) -> sqlx::Result<Vec<Applied>>
where
    DB: sqlx::Database,
    E: Executor<'c, Database = DB>,
    for<'a> &'a str: sqlx::ColumnIndex<DB::Row>,
    for<'r> String: sqlx::Decode<'r, DB> + sqlx::Type<DB>,
    for<'r> i64: sqlx::Decode<'r, DB> + sqlx::Type<DB>,
    for<'r> bool: sqlx::Decode<'r, DB> + sqlx::Type<DB>,
{
    let rows = on.fetch_all("SELECT module, version, checksum, contracting FROM florin_migrations").await?;
    rows.iter()
        .map(|row| {
            Ok(Applied {
                module: row.try_get("module")?,
                version: row.try_get("version")?,
                checksum: row.try_get("checksum")?,
                contracting: row.try_get("contracting")?,
            })
        })
        .collect()
}

fn checksum(sql: &str) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sql.as_bytes()))
}
