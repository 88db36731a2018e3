//! Runs other programs so that all of them, and their children, can be called off at once.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::problem::Problem;

/// The process groups that run now.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A program in a process group of its own, away from the terminal's Ctrl-C: it is ended by
/// [`call_off`], in the order we choose.
pub(crate) struct Group {
    child: Child,
}

/// Starts a program that may be ended at any moment.
pub(crate) fn start(command: &mut Command) -> Result<Group, Problem> {
    let mut running = running();
    if florin_servers::interrupted() {
        return Err(Problem::Interrupted);
    }
    let child = command.stdin(Stdio::null()).process_group(0).spawn().map_err(|why| cannot(command, &why))?;
    running.insert(child.id());
    Ok(Group { child })
}

impl Group {
    /// Everything the program writes to its two pipes, until it closes them.
    pub(crate) fn read(&mut self) -> Result<(String, String), Problem> {
        // Both are read at once, or a talkative program would wait for us for ever.
        let error = self.child.stderr.take();
        let reader = std::thread::spawn(move || error.map(std::io::read_to_string));
        let output = self.child.stdout.take().map(std::io::read_to_string).transpose()?.unwrap_or_default();
        let error = reader.join().ok().flatten().transpose()?.unwrap_or_default();
        Ok((output, error))
    }

    /// Whether the program still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the program, ends whatever it left in its group, and says whether it succeeded.
    pub(crate) fn wait(mut self) -> Result<bool, Problem> {
        let status = self.child.wait()?;
        if florin_servers::interrupted() { Err(Problem::Interrupted) } else { Ok(status.success()) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.child.id();
        kill("KILL", id);
        let _ = self.child.wait();
        running().remove(&id);
    }
}

/// Runs a program whose words matter only when it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), Problem> {
    let group = start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    finish(command, group)
}

/// As [`run`], for a program that must not be torn out of its work: [`call_off`] leaves it alone.
pub(crate) fn run_to_the_end(command: &mut Command) -> Result<(), Problem> {
    let group = start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    running().remove(&group.child.id());
    finish(command, group)
}

fn finish(command: &Command, mut group: Group) -> Result<(), Problem> {
    let (output, error) = group.read()?;
    if group.wait()? {
        return Ok(());
    }
    Err(Problem::Failed(last_words(command, &output, &error)))
}

/// What a program that failed said last.
pub(crate) fn last_words(command: &Command, output: &str, error: &str) -> String {
    let words = format!("{output}\n{error}");
    let lines: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).collect();
    let end = lines[lines.len().saturating_sub(40)..].join("\n");
    format!("`{}` failed:\n{end}", words_of(command))
}

/// Ends all programs and all waits, now and from now on. What runs then returns
/// [`Problem::Interrupted`].
pub(crate) fn call_off() {
    let running = running();
    florin_servers::interrupt();
    for id in running.iter() {
        kill("TERM", *id);
    }
}

/// The standard library sends no signal but KILL to one process, and `unsafe` is forbidden.
fn kill(signal: &str, group: u32) {
    let line = r#"kill -s "$1" -- "-$2""#;
    // A group that is gone already is what was wanted.
    let _ = Command::new("/bin/sh").args(["-c", line, "sh", signal, &group.to_string()]).output();
}

fn running() -> MutexGuard<'static, BTreeSet<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cannot(command: &Command, why: &std::io::Error) -> Problem {
    Problem::Failed(format!("cannot run `{}`: {why}", words_of(command)))
}

fn words_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
