//! A directory of a server's own, cleared away with its processes even when ours is killed.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::StartError;
use crate::account::Account;
use crate::wait;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A directory is called `florin-server-PROCESS-NUMBER`.
const PREFIX: &str = "florin-server-";

/// The directory, and a small shell that waits for the end of this process. Tests are killed, their
/// statics are never dropped, and Ctrl-C ends them at once: what they started must still go away.
pub(crate) struct PrivateDirectory {
    path: PathBuf,
    account: Option<Account>,
    guard: Child,
}

impl PrivateDirectory {
    /// Makes a directory for a server that runs as one of `accounts` (when we are root) and that
    /// `stop_signal` stops in an orderly way.
    pub(crate) fn make(server: &str, accounts: &[&str], stop_signal: &str) -> Result<Self, StartError> {
        let mut refused = String::new();
        for parent in parents() {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{PREFIX}{server}-{}-{number}", std::process::id()));
            match furnish(&path, accounts) {
                Ok(account) => {
                    let guard = watch(&path, stop_signal)?;
                    return Ok(PrivateDirectory { path, account, guard });
                }
                Err(why) => refused = format!("{}: {why}", path.display()),
            }
        }
        Err(StartError::Failed(format!("no directory for {server}: {refused}")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs here, as the server's account, away from our terminal's Ctrl-C.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.path).stdin(Stdio::null()).process_group(0);
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    /// Writes a file the server reads or fills.
    pub(crate) fn write(&self, name: &str, content: &str) -> std::io::Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content)?;
        if let Some(account) = self.account {
            account.own(&path)?;
        }
        Ok(path)
    }

    /// Tells the guard which processes run now; a negative number is a whole process group.
    pub(crate) fn running(&mut self, ids: &[i64]) -> std::io::Result<()> {
        let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
        match self.guard.stdin.as_mut() {
            Some(pipe) => writeln!(pipe, "{}", ids.join(" ")),
            None => Ok(()),
        }
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard ends by itself; a failure to wait leaves nothing to do about it.
        let _ = self.guard.wait();
    }
}

/// Waits for the guards of processes that are gone: a test that was killed is cleared away after it.
pub fn wait_for_guards() {
    // Longer than a guard needs for a server that does not want to stop.
    wait::gone_within(Duration::from_secs(20), || !parents().iter().any(|parent| has_orphan(parent)));
}

fn has_orphan(parent: &Path) -> bool {
    fs::read_dir(parent).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.rsplit('-').nth(1));
        process.is_some_and(is_gone)
    })
}

/// Whether a process has ended; where there is no /proc nobody can tell, and nobody waits.
fn is_gone(process: &str) -> bool {
    match fs::read_to_string(format!("/proc/{process}/stat")) {
        // `12 (name) Z ...`: it ended, and its parent did not ask yet how.
        Ok(line) => line.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z')),
        Err(_) => Path::new("/proc/self/stat").exists(),
    }
}

/// Where private directories are made: the second when a server's account may not enter the first.
fn parents() -> Vec<PathBuf> {
    let target = target_directory().map(|target| target.join("florin-servers"));
    target.into_iter().chain([std::env::temp_dir()]).collect()
}

fn furnish(path: &Path, accounts: &[&str]) -> std::io::Result<Option<Account>> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::create_dir(path)?;
    let account = Account::for_servers(path, accounts);
    if let Some(account) = account {
        account.own(path)?;
        if !account.can_enter(path) {
            fs::remove_dir(path)?;
            return Err(std::io::Error::other("the server's account may not pass a parent directory"));
        }
    }
    Ok(account)
}

fn watch(path: &Path, stop_signal: &str) -> std::io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", include_str!("guard.sh"), "florin-guard"])
        .arg(path)
        .arg(stop_signal)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Cargo's target directory, which it marks with a `CACHEDIR.TAG`: every program that Cargo builds lies
/// within it. `None` for a program that was moved away.
pub fn target_directory() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
}
