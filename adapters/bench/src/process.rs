//! A program under test: nothing of our environment, on the processors it is given, gone with this process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use florin_servers::find_program;

use crate::error::{Outcome, Trouble};

/// The lines of a log that an error shows.
const SHOWN: usize = 20;

/// A program of this package, which Cargo built beside the one that runs.
pub fn program(name: &str) -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    // target/release/florin-bench, or target/debug/deps/rows-0a1b2c for a test.
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join(name));
    let found = beside.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| Trouble::failed(format!("{name} is not built: cargo build -p florin-bench --bins")))
}

/// What a program is started with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The processors it may run on, as `taskset -c` takes them; all when none is said.
    pub processors: Option<&'static str>,
}

impl Start {
    /// With these arguments.
    pub fn with(arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(), ..Self::default() }
    }

    /// With one more variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// On these processors alone.
    #[must_use]
    pub fn on(mut self, processors: &'static str) -> Self {
        self.processors = Some(processors);
        self
    }
}

/// A running program. Dropped, it is killed.
pub struct Running {
    child: Child,
    guard: Child,
    log: PathBuf,
    began: Instant,
}

impl Running {
    /// Starts a program, in a directory where it leaves its log.
    pub fn start(name: &str, start: &Start, directory: &Path) -> Outcome<Self> {
        let path = program(name)?;
        let log = directory.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = match start.processors.filter(|_| find_program(&["taskset"]).is_some()) {
            Some(processors) => {
                let mut taskset = Command::new("taskset");
                taskset.args(["-c", processors]).arg(&path);
                taskset
            }
            None => Command::new(&path),
        };
        command.args(&start.arguments).env_clear();
        command.envs(start.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(directory).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let began = Instant::now();
        let child = command.spawn()?;
        let guard = guard(child.id())?;
        Ok(Self { child, guard, log, began })
    }

    /// When it was started.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// The CPU time that its threads have spent so far: nanoseconds, where `stat` counts hundredths of seconds.
    pub fn cpu(&self) -> Outcome<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            nanos += text.split_whitespace().next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The memory it holds now, in megabytes (10^6 bytes): `VmRSS`.
    pub fn memory_mb(&self) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u32>().ok());
        kib.map(|kib| f64::from(kib) * 1_024.0 / 1e6).ok_or_else(|| self.failed("it has no memory"))
    }

    /// Whether it still runs; else why it does not matter what it would have shown.
    pub fn check(&mut self) -> Outcome<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.failed(&format!("it ended with {status}"))),
        }
    }

    /// An error with the end of its log.
    pub fn failed(&self, why: &str) -> Trouble {
        let text = fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        Trouble::failed(format!("{why}; the end of {}:\n{end}", self.log.display()))
    }

    /// Waits until it answers this path with 200.
    pub async fn answers(&mut self, port: u16, path: &str) -> Outcome<()> {
        let began = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        loop {
            if let Ok(mut on) = crate::load::Connection::open(address).await
                && let Ok(200) = on.send(request.as_bytes()).await
            {
                return Ok(());
            }
            self.check()?;
            if began.elapsed() > Duration::from_secs(30) {
                return Err(self.failed(&format!("{path} was not answered")));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // An error says that it is gone, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.guard.wait();
    }
}

/// A shell that kills the program when this process is gone: whoever is killed drops nothing.
fn guard(id: u32) -> Outcome<Child> {
    let guard = Command::new("/bin/sh")
        .args(["-c", r#"while read -r line; do :; done; kill -s KILL "$1" 2>/dev/null"#, "florin-guard"])
        .arg(id.to_string())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(guard)
}
