//! One run of the benchmarks: how long things take, where their files lie, and the servers they share.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use florin_servers::{RabbitMq, StartError, find_program};
use tokio::sync::OnceCell;

use crate::error::{Outcome, Trouble};
use crate::row::Round;
use crate::servers::DurablePostgres;

/// The processor of a server that is measured alone, and the one of everything else.
pub const SERVER: &str = "0";
/// The processor of the load generator while a server is measured alone.
pub const LOAD: &str = "1";

/// A run.
pub struct Bench {
    /// Whether it only has to show that every row gives numbers.
    pub quick: bool,
    directory: tempfile::TempDir,
    postgres: OnceCell<DurablePostgres>,
    rabbitmq: OnceCell<RabbitMq>,
}

impl Bench {
    /// A run, with a scratch directory that goes with it.
    pub fn new(quick: bool) -> Outcome<Self> {
        let directory = tempfile::Builder::new().prefix("florin-bench-").tempdir()?;
        Ok(Self { quick, directory, postgres: OnceCell::new(), rabbitmq: OnceCell::new() })
    }

    /// How many rounds each side has.
    pub fn rounds(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// How long a round of load goes on.
    pub fn lasts(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 3_000 })
    }

    /// The one of these for a quick run, or for a real one.
    pub fn pick<T>(&self, quick: T, real: T) -> T {
        if self.quick { quick } else { real }
    }

    /// A new directory for one row.
    pub fn scratch(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The scratch directory of the run.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A PostgreSQL whose commits survive a power cut, started when it is first asked for.
    pub async fn postgres(&self) -> Outcome<&DurablePostgres> {
        self.postgres.get_or_try_init(DurablePostgres::start).await
    }

    /// The address of a RabbitMQ, started when it is first asked for.
    pub async fn rabbitmq(&self) -> Outcome<String> {
        let started = self.rabbitmq.get_or_try_init(|| async { RabbitMq::start().map_err(missing) }).await?;
        Ok(started.url())
    }

    /// Rounds of two sides in turns: A B A B ..., after one of each that does not count.
    pub async fn take_turns(
        &self,
        mut ours: impl AsyncFnMut() -> Outcome<Round>,
        mut baseline: impl AsyncFnMut() -> Outcome<Round>,
    ) -> Outcome<(Vec<Round>, Vec<Round>)> {
        if !self.quick {
            ours().await?;
            baseline().await?;
        }
        let mut rounds = (Vec::new(), Vec::new());
        for _ in 0..self.rounds() {
            rounds.0.push(ours().await?);
            rounds.1.push(baseline().await?);
        }
        Ok(rounds)
    }

    /// Lets this process use one processor only, until what is returned is dropped. What it starts says for
    /// itself where it runs.
    pub fn pinned(&self) -> Pinned {
        Pinned::to(LOAD)
    }
}

/// A server that could not be started: not installed, or broken.
pub fn missing(error: StartError) -> Trouble {
    match error {
        StartError::Missing(program) => Trouble::Missing(program),
        other => other.into(),
    }
}

/// This process on one processor; dropped, on all again.
pub struct Pinned(String);

impl Pinned {
    fn to(processors: &str) -> Self {
        let all = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let all = all.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("0");
        place(processors);
        Self(all.trim().to_owned())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        place(&self.0);
    }
}

/// Without `taskset` nobody is pinned, ours and the baseline alike.
fn place(processors: &str) {
    if let Some(taskset) = find_program(&["taskset"]) {
        let _ = Command::new(taskset).args(["-acp", processors, &std::process::id().to_string()]).output();
    }
}
