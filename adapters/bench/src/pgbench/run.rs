//! Runs `pgbench` and reads what each of its transactions took.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use florin_servers::find_program;
use sqlx::postgres::PgConnectOptions;

use crate::error::{Outcome, Trouble};
use crate::latencies::Latencies;
use crate::row::Round;
use crate::servers::Place;

/// Scripts with how often each runs; the first one is what is counted.
#[derive(Clone, Debug)]
pub struct Job {
    /// Text and weight.
    pub scripts: Vec<(String, u32)>,
    /// How many clients run them.
    pub clients: usize,
}

/// One round: how often the first script ran in a second, and what it took each time.
pub async fn run(job: &Job, place: &Place, lasts: Duration, directory: &Path) -> Outcome<Round> {
    let pgbench = find_program(&["pgbench"]).or_else(beside_the_server);
    let pgbench = pgbench.ok_or_else(|| Trouble::Missing("pgbench".to_owned()))?;
    let options: PgConnectOptions = place.login.parse()?;
    for old in std::fs::read_dir(directory)? {
        let old = old?.path();
        if old.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("log.")) {
            std::fs::remove_file(old)?;
        }
    }
    let seconds = lasts.as_secs().max(1);
    let mut command = Command::new(pgbench);
    // As our process does: prepared statements, and as many connections as clients.
    command.args(["--no-vacuum", "--protocol=prepared", "--log", "--log-prefix=log", "--jobs=2"]);
    command.args(["--client", &job.clients.to_string(), "--time", &seconds.to_string()]);
    command.arg(format!("--define=sequence={}", first_number()));
    command.args(["--host", options.get_host(), "--port", &options.get_port().to_string()]);
    command.args(["--username", options.get_username()]);
    for (index, (script, weight)) in job.scripts.iter().enumerate() {
        let file = directory.join(format!("script-{index}.sql"));
        std::fs::write(&file, script)?;
        command.args(["--file", &format!("{}@{weight}", file.display())]);
    }
    command.arg(&place.name).current_dir(directory).env("PGOPTIONS", "-c search_path=payments");
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.contains("aborted") {
        return Err(Trouble::failed(format!("pgbench: {said}")));
    }
    let mut latencies = Latencies::default();
    for log in std::fs::read_dir(directory)? {
        let log = log?.path();
        if log.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("log.")) {
            read(&std::fs::read_to_string(log)?, &mut latencies);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = latencies.count() as f64 / Duration::from_secs(seconds).as_secs_f64();
    Ok(Round { value: rate, latencies, ..Round::default() })
}

/// Debian keeps it with the server, outside of the PATH.
fn beside_the_server() -> Option<std::path::PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.flatten().map(|version| version.path().join("bin/pgbench")).find(|path| path.is_file())
}

/// No round uses a number of another: seconds of this machine's uptime, with room for a million payments each.
fn first_number() -> u64 {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok());
    seconds.unwrap_or(0) * 1_000_000
}

/// Lines of `client transaction time script second microsecond` (pgbench's manual, "Per-Transaction Logging").
fn read(log: &str, latencies: &mut Latencies) {
    for line in log.lines() {
        let mut fields = line.split_whitespace().skip(2);
        let (took, script) = (fields.next().and_then(|us| us.parse().ok()), fields.next());
        if let (Some(us), Some("0")) = (took, script) {
            latencies.add(Duration::from_micros(us));
        }
    }
}
