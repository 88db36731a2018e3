//! The `florin` binary as a process: nothing of the test's own environment, a log that a failure shows.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use crate::wait::until;

/// The lines of a log that a failing test shows.
const SHOWN: usize = 60;

/// A binary that Cargo built for these tests.
#[derive(Clone, Copy, Debug)]
pub struct Program(&'static str);

impl Program {
    /// `florin` with every adapter.
    pub const UNDER_TEST: Self = Self("florin-under-test");
    /// The same, and with it the service that chaos counts by.
    pub const UNDER_CHAOS: Self = Self("florin-under-chaos");

    fn path(self) -> PathBuf {
        let tests = std::env::current_exe().expect("a test knows where it is");
        // target/debug/deps/crash-0a1b2c
        // or target/debug/florin-chaos
        let binary = tests.ancestors().skip(1).take(2).map(|directory| directory.join(self.0));
        let binary = binary.into_iter().find(|binary| binary.is_file());
        binary.unwrap_or_else(|| panic!("{} is not beside {}: cargo builds it", self.0, tests.display()))
    }

    fn command(self, arguments: &[&str], environment: &Environment, directory: &Path) -> Command {
        let mut command = Command::new(self.path());
        command.args(arguments).current_dir(directory).stdin(Stdio::null());
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started, or the calling program is no test of this package.
    pub fn run(self, arguments: &[&str], environment: &Environment, directory: &Path) -> Output {
        self.command(arguments, environment, directory).output().expect("the binary starts")
    }

    /// Runs a command that has to succeed, and returns its standard output.
    ///
    /// # Panics
    /// When it fails.
    pub fn output_of(self, arguments: &[&str], environment: &Environment, directory: &Path) -> String {
        let Output { status, stdout, stderr } = self.run(arguments, environment, directory);
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{arguments:?} ended with {status}: {stderr}");
        String::from_utf8(stdout).expect("the output is text")
    }

    /// Starts it; it logs to this file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(
        self,
        arguments: &[&str],
        environment: &Environment,
        directory: &Path,
        log: &Path,
    ) -> Process {
        let output = File::options().create(true).append(true).open(log).expect("a log");
        let mut command = self.command(arguments, environment, directory);
        command.stdout(output.try_clone().expect("a log")).stderr(output);
        let child = command.spawn().expect("the binary starts");
        let guard = guard(child.id());
        Process { child, guard, log: log.to_owned() }
    }
}

/// Settings of a process: `FLORIN_...` and what platforms set.
pub type Environment = Vec<(String, String)>;

/// Runs a command of [`Program::UNDER_TEST`] to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(arguments: &[&str], environment: &Environment, directory: &Path) -> Output {
    Program::UNDER_TEST.run(arguments, environment, directory)
}

/// A running process. Dropped, it is killed, and when the test fails its log is shown.
pub struct Process {
    child: Child,
    guard: Child,
    log: PathBuf,
}

impl Process {
    /// Starts [`Program::UNDER_TEST`]; it logs to this file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(arguments: &[&str], environment: &Environment, directory: &Path, log: &Path) -> Self {
        Program::UNDER_TEST.start(arguments, environment, directory, log)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it at once with SIGKILL, as a crash or the platform would.
    ///
    /// # Panics
    /// When it ended before: the test meant to kill it at work.
    pub fn kill(&mut self) {
        assert!(self.is_running(), "it ended before it was killed:\n{}", self.log_end());
        // It is not waited for yet, so the id is still its own.
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Ends it at once with SIGKILL, unless it ended before; whether it still ran.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn kill_at_random(&mut self) -> bool {
        let running = self.is_running();
        // It is not waited for yet, so the id is still its own.
        let killed = running && self.child.kill().is_ok();
        self.child.wait().expect("a child can be waited for");
        killed
    }

    /// How it ended, if it did.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    /// Sends SIGTERM.
    pub fn terminate(&mut self) {
        self.signal("TERM");
    }

    /// Sends a signal by its name without SIG; the standard library sends no signal but KILL.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn signal(&mut self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} could not be sent");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let mut end = || child.try_wait().expect("a child can be waited for");
        until("the process ends", || std::future::ready(end())).await
    }

    /// All it said.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // An error says that it is gone, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.guard.wait();
        if std::thread::panicking() {
            eprintln!("--- {} ---\n{}\n---", self.log.display(), self.log_end());
        }
    }
}

/// A shell that kills the process when this one is gone: a test that is killed drops nothing.
fn guard(id: u32) -> Child {
    Command::new("/bin/sh")
        .args(["-c", r#"while read -r line; do :; done; kill -s KILL "$1" 2>/dev/null"#, "florin-guard"])
        .arg(id.to_string())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts")
}
