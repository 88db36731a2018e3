//! A private PostgreSQL: own data, own port, no socket file, gone with this process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::directory::PrivateDirectory;
use crate::process::Process;
use crate::{StartError, find_program, free_port, program};

/// Long for a server that starts in about a second: the machine may be building at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A PostgreSQL server that listens on 127.0.0.1 only.
pub struct Postgres {
    port: u16,
    programs: PathBuf,
    process: Option<Process>,
    directory: PrivateDirectory,
    durable: bool,
}

impl Postgres {
    /// Whether this machine has its programs.
    pub fn is_installed() -> bool {
        programs().is_some()
    }

    /// Makes a new cluster in UTF-8 with the C collation and starts it. Takes about two seconds.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not come up.
    pub fn start() -> Result<Postgres, StartError> {
        Self::start_with(false)
    }

    /// As [`start`](Self::start), with `fsync` on as is its default: what it costs is measured here.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not come up.
    pub fn start_durable() -> Result<Postgres, StartError> {
        Self::start_with(true)
    }

    fn start_with(durable: bool) -> Result<Postgres, StartError> {
        let programs =
            programs().ok_or_else(|| StartError::Missing("PostgreSQL (initdb, postgres)".into()))?;
        let directory = PrivateDirectory::make("postgres", &["postgres", "nobody"], "INT")?;
        let mut initdb = directory.command(&programs.join("initdb"));
        initdb.args(["-D", "data", "-U", "postgres", "-A", "trust", "--no-sync"]);
        initdb.args(["--locale=C", "--encoding=UTF8"]);
        let made = initdb.output()?;
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr);
            return Err(StartError::Failed(format!("initdb: {}", why.trim())));
        }
        let mut server = Postgres { port: free_port(), programs, process: None, directory, durable };
        server.resume()?;
        Ok(server)
    }

    /// `postgres://` URL of the superuser in the database `postgres`. It stays the same over restarts.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it in an orderly way, with every connection closed, as an operator would for an upgrade.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Stops it without a checkpoint, as a crash would: the next start recovers from the log.
    pub fn crash(&mut self) {
        self.end("QUIT");
    }

    /// Starts it again with the same data on the same port; does nothing when it runs.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn resume(&mut self) -> Result<(), StartError> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut command = self.directory.command(&self.programs.join("postgres"));
        command.args(["-D", "data"]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"] {
            command.args(["-c", setting]);
        }
        if !self.durable {
            // Only a crash of the machine loses data then, a crash of the server does not.
            command.args(["-c", "fsync=off"]);
        }
        command.arg("-c").arg(format!("port={}", self.port));
        let log = self.directory.write("log", "")?;
        let process = self.process.insert(Process::start(command, &log)?);
        self.directory.running(&[process.id()])?;
        let lock = self.directory.path().join("data/postmaster.pid");
        let id = process.id();
        process.wait_ready(PATIENCE, || says_ready(&lock, id))
    }

    /// [`stop`](Self::stop) and [`resume`](Self::resume).
    ///
    /// # Errors
    /// When it does not come up again.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.stop();
        self.resume()
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut process) = self.process.take() {
            process.stop(signal, PATIENCE);
            // Without its guard it would only be cleared away later.
            let _ = self.directory.running(&[]);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `pg_ctl` waits like this: the server writes its state on the eighth line of its lock file, whose
/// first line is its process id (a crash leaves the file of the one before).
fn says_ready(lock: &Path, id: i64) -> bool {
    let content = fs::read_to_string(lock).unwrap_or_default();
    let mut lines = content.lines();
    lines.next() == Some(id.to_string().as_str()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

/// The directory that has `initdb`: Debian keeps one for each version, outside of the PATH.
fn programs() -> Option<PathBuf> {
    if let Some(initdb) = find_program(&["initdb"]) {
        // A link in /usr/local/bin does not have `postgres` beside it.
        return initdb.canonicalize().ok()?.parent().map(Path::to_owned);
    }
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let newest_first: Vec<PathBuf> = versions.iter().rev().map(|version| version.join("bin")).collect();
    let found =
        program::find_in(&newest_first, "initdb").or_else(|| program::find_in(&[configured()?], "initdb"));
    found?.parent().map(Path::to_owned)
}

/// Where `pg_config` says that the programs are.
fn configured() -> Option<PathBuf> {
    let answer = Command::new(find_program(&["pg_config"])?).arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim()))
}
