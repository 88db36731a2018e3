//! What the processes of a run logged: a panic or a fault there is one, whatever its caller was told and did about it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The logs in a directory, each read up to a place.
pub(crate) struct Logs {
    directory: PathBuf,
    read: BTreeMap<PathBuf, u64>,
}

impl Logs {
    pub(crate) fn of(directory: PathBuf) -> Self {
        Self { directory, read: BTreeMap::new() }
    }

    /// The lines since the last look that nothing excuses which chaos does, each with its process.
    pub(crate) fn faults(&mut self) -> Vec<String> {
        let files = fs::read_dir(&self.directory).expect("the directory of the logs");
        let logs = files.flatten().map(|file| file.path());
        let logs = logs.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        let mut faults = Vec::new();
        for log in logs {
            let name = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let from = self.read.entry(log.clone()).or_default();
            let news = news(&log, from);
            faults.extend(
                news.lines().filter(|line| is_fault(line)).map(|line| format!("{name} logged {line}")),
            );
        }
        faults
    }
}

/// The whole lines from this place on, which moves behind them.
fn news(log: &Path, from: &mut u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(*from))?;
        file.read_to_end(&mut bytes)
    });
    read.expect("a log can be read");
    bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
    *from += u64::try_from(bytes.len()).unwrap_or(0);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a line tells of a defect. What is away, contended or cut is a warning of ours, whatever the library says that
/// hears of it first. Two errors are provoked: the dead letter of the event that names no tenant, which the check compares
/// with those that have to be, and a tick that fails while the database is away, which a platform has to be told.
fn is_fault(line: &str) -> bool {
    match serde_json::from_str::<Value>(line) {
        Ok(line) => {
            let is_ours = line["log.logger"].as_str().is_some_and(|logger| logger.starts_with("florin"));
            let is_provoked = line["message"] == "dead letter" || line["error.code"] == "florin.job_not_run";
            line["log.level"] == "error" && is_ours && !is_provoked
        }
        // Words of Rust's own, or a line that a kill cut short.
        Err(_) => ["panicked", "stack overflow", "memory allocation"].iter().any(|word| line.contains(word)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn panics_and_faults_are_found_once_and_what_is_away_is_none() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let log = directory.path().join("http-1.log");
        let mut logs = Logs::of(directory.path().to_owned());
        let line = |level: &str, logger: &str, message: &str| {
            json!({ "log.level": level, "log.logger": logger, "message": message }).to_string()
        };
        let fault = line("error", "florin_kernel::corridor", "fault");
        let panic = "thread 'main' panicked at src/main.rs:1:1:";
        let lines = [
            &line("warn", "florin_kernel::corridor", "the database is away"),
            &line("error", "florin_kernel::corridor", "dead letter"),
            &line("error", "lapin::channels", "Connection error"),
            &fault,
            panic,
            "{\"log.lev",
        ];
        fs::write(&log, lines.join("\n")).expect("a log");
        assert_eq!(logs.faults(), [format!("http-1 logged {fault}"), format!("http-1 logged {panic}")]);
        assert_eq!(logs.faults(), Vec::<String>::new());
    }
}
