//! The processes under test: killed, stopped, and started again where they were.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Mutex;

use florin_servers::free_port;
use http::Method;

use crate::client::{Client, Outgoing};
use crate::process::{Environment, Process, Program};

/// How long a process may take until it is ready, on a machine that is building at the same time.
const READY: std::time::Duration = std::time::Duration::from_secs(60);

/// The processes of one run.
pub(crate) struct Crew {
    program: Program,
    directory: PathBuf,
    members: Mutex<Vec<Member>>,
}

/// One process with its place.
struct Member {
    name: String,
    base: String,
    arguments: Vec<String>,
    environment: Environment,
    process: Process,
    /// Whether we told it to end.
    told: bool,
    /// How often it was started.
    lives: u64,
}

/// What became of the processes since the last look.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    /// Those that SIGKILL ended.
    pub(crate) killed: u64,
    /// Those that ended in order when they were told to.
    pub(crate) drained: u64,
    /// Those that ended and should not have.
    pub(crate) wrong: Vec<String>,
}

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

impl Crew {
    /// Nobody of this program, with logs in this directory.
    pub(crate) fn new(program: Program, directory: PathBuf) -> Self {
        Self { program, directory, members: Mutex::default() }
    }

    /// Starts a process that serves, on a port that it keeps; its base address.
    pub(crate) fn start(&self, name: &str, environment: Environment) -> String {
        let port = free_port();
        let mut environment = environment;
        environment.push(("FLORIN_LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let base = format!("http://127.0.0.1:{port}");
        self.start_as(name, base.clone(), &["serve"], environment);
        base
    }

    /// Starts a process; its place. Without a base address nobody asks whether it is ready.
    pub(crate) fn start_as(
        &self,
        name: &str,
        base: String,
        arguments: &[&str],
        environment: Environment,
    ) -> usize {
        let log = self.directory.join(format!("{name}.log"));
        let process = self.program.start(arguments, &environment, &self.directory, &log);
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let name = name.to_owned();
        let member = Member { name, base, arguments, environment, process, told: false, lives: 1 };
        let mut members = self.members();
        members.push(member);
        members.len() - 1
    }

    fn members(&self) -> std::sync::MutexGuard<'_, Vec<Member>> {
        self.members.lock().expect("nobody panics here")
    }

    /// How often the process at this place was started: more than before, and the one before is gone.
    pub(crate) fn lives(&self, place: usize) -> u64 {
        self.members()[place].lives
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members().len()
    }

    /// Kills the one at this place, unless it is gone already; it is started again by [`Crew::tend`].
    pub(crate) fn kill(&self, place: usize) -> bool {
        self.members()[place].process.kill_at_random()
    }

    /// Tells the one at this place to end in order.
    pub(crate) fn tell(&self, place: usize) {
        let mut members = self.members();
        let member = &mut members[place];
        if member.process.is_running() && !member.told {
            member.told = true;
            member.process.terminate();
        }
    }

    /// Starts again who has ended.
    pub(crate) fn tend(&self) -> Ends {
        let mut ends = Ends::default();
        for member in self.members().iter_mut() {
            let Some(status) = member.process.end() else { continue };
            match (member.told, status) {
                (_, status) if status.signal() == Some(SIGKILL) => ends.killed += 1,
                (true, status) if status.success() => ends.drained += 1,
                // It had not begun to listen to signals.
                (true, status) if status.signal() == Some(SIGTERM) => ends.drained += 1,
                (told, status) => ends.wrong.push(wrong(&member.name, told, status)),
            }
            member.start_again(self.program, &self.directory);
        }
        ends
    }

    /// Waits until every process with an address says that it is ready.
    pub(crate) async fn ready(&self, client: &Client) -> Result<(), String> {
        let end = tokio::time::Instant::now() + READY;
        let mut bases: Vec<(String, String)> =
            self.members().iter().map(|member| (member.name.clone(), member.base.clone())).collect();
        bases.retain(|(_, base)| !base.is_empty());
        for (name, base) in bases {
            loop {
                let asked = client.at(&base);
                let asked = asked.send(Method::GET, "/readyz", Outgoing::default());
                if asked.await.is_ok_and(|reply| reply.status == 200) {
                    break;
                }
                if tokio::time::Instant::now() > end {
                    return Err(format!("{name} did not get ready within {READY:?}"));
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }
}

impl Member {
    fn start_again(&mut self, program: Program, directory: &std::path::Path) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let log = directory.join(format!("{}.log", self.name));
        self.process = program.start(&arguments, &self.environment, directory, &log);
        self.told = false;
        self.lives += 1;
    }
}

fn wrong(name: &str, told: bool, status: ExitStatus) -> String {
    let why = if told { "it was told to end and" } else { "nobody told it to end and" };
    format!("{name}: {why} it ended with {status}")
}
