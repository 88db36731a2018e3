//! One running program: started with a log of its own, stopped by its process id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{StartError, wait};

/// A program that runs in a process group of its own.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose output goes to the file `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Process, StartError> {
        let output = File::options().create(true).append(true).open(log)?;
        command.stdout(Stdio::from(output.try_clone()?)).stderr(Stdio::from(output));
        let child = command.spawn().map_err(|why| {
            StartError::Failed(format!("cannot run {}: {why}", command.get_program().to_string_lossy()))
        })?;
        Ok(Process { child, log: log.to_owned() })
    }

    /// The process id, which is also the id of its group.
    pub(crate) fn id(&self) -> i64 {
        i64::from(self.child.id())
    }

    /// Waits until `ready` says yes; an early end and a missed `limit` come with the end of the log.
    pub(crate) fn wait_ready(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), StartError> {
        let log = self.log.clone();
        let came_up = wait::until(limit, || match self.child.try_wait()? {
            Some(status) => Err(failed(&format!("it ended at once ({status})"), &log)),
            None => Ok(ready()),
        })?;
        if came_up { Ok(()) } else { Err(failed(&format!("it was not ready after {limit:?}"), &log)) }
    }

    /// Sends `signal` (INT, TERM ...) to the process, and KILL to its whole group when it is still
    /// there after `patience`.
    pub(crate) fn stop(&mut self, signal: &str, patience: Duration) {
        send(signal, self.id());
        let child = &mut self.child;
        let ended = wait::gone_within(patience, || !matches!(child.try_wait(), Ok(None)));
        // What it started and left behind belongs to its group.
        send("KILL", -self.id());
        if !ended {
            let _ = self.child.wait();
        }
    }
}

/// The standard library sends no signal but KILL, and `unsafe` is forbidden: the shell has a builtin.
fn send(signal: &str, id: i64) {
    let line = r#"kill -s "$1" -- "$2""#;
    // A process that is gone already is what was wanted.
    let _ = Command::new("/bin/sh").args(["-c", line, "sh", signal, &id.to_string()]).output();
}

fn failed(why: &str, log: &Path) -> StartError {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(15)..].join("\n");
    StartError::Failed(format!("{why}; the end of its log:\n{end}"))
}
