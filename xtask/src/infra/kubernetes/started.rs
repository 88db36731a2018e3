//! Starts the real binary with what a rendered object gives its container, and nothing besides.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::{Part, Postgres, free_port};

use super::{Programs, Scratch, probe};
use crate::command;
use crate::infra::check::florin_program;
use crate::problem::Problem;

/// Where a container's mounted files are.
const MOUNTED: &str = "/etc/florin/";

/// A key set that any issuer could have (RFC 7517, appendix A.1).
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","use":"sig","alg":"ES256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// A database, and a scratch directory that must stay empty.
pub(in crate::infra) struct Site {
    florin: PathBuf,
    _postgres: Option<Postgres>,
    database: String,
    broker: String,
    scratch: Scratch,
}

/// What is started, and how its platform tells it where to listen.
pub(in crate::infra) struct Start<'a> {
    pub(in crate::infra) kind: &'a str,
    pub(in crate::infra) name: &'a str,
    /// What the platform itself sets, such as `PORT`.
    pub(in crate::infra) platform: &'a [(&'a str, String)],
    /// The port it must listen on; else the one of `FLORIN_LISTEN` is replaced by a free one.
    pub(in crate::infra) port: Option<u16>,
}

impl Site {
    /// Starts a private PostgreSQL and builds the binary.
    pub(in crate::infra) fn open() -> Result<Self, Problem> {
        if !Postgres::is_installed() {
            return Err(Problem::Missing("PostgreSQL is not installed".to_owned()));
        }
        let postgres = Postgres::start()?;
        // A broker that is away keeps nobody from being ready; where there is one it is used.
        let broker = Part::RabbitMq
            .given()
            .unwrap_or_else(|| format!("amqp://guest:guest@127.0.0.1:{}/%2f", free_port()));
        let scratch = Scratch::make()?;
        fs::create_dir(scratch.path().join("here"))?;
        fs::create_dir(scratch.path().join("mounted"))?;
        let florin = florin_program()?;
        Ok(Self { florin, database: postgres.url(), _postgres: Some(postgres), broker, scratch })
    }

    /// Runs a Job to its end.
    pub(in crate::infra) fn run(
        &self,
        programs: &Programs,
        manifests: &Path,
        start: &Start,
    ) -> Result<(), Problem> {
        let (mut command, _) = self.command(programs, manifests, start)?;
        command::run(&mut command)
    }

    /// Starts a server, waits until it is ready, makes `asks` of its port and ends it.
    pub(in crate::infra) fn serves(
        &self,
        programs: &Programs,
        manifests: &Path,
        start: &Start,
        asks: impl FnOnce(u16) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let (mut command, port) = self.command(programs, manifests, start)?;
        let log = self.scratch.path().join("log");
        let output = File::create(&log)?;
        let mut group = command::start(command.stdout(output.try_clone()?).stderr(output))?;
        let answered = probe::answers(port, "/readyz", 200, || group.is_running()).and_then(|()| asks(port));
        drop(group);
        let left = fs::read_dir(self.here())?.count();
        let why = match answered {
            Err(Problem::Interrupted) => return Err(Problem::Interrupted),
            Err(problem) => format!("{problem}\n{}", last(&fs::read_to_string(&log)?)),
            Ok(()) if left > 0 => "it wrote into its directory, which is read-only in a cluster".to_owned(),
            Ok(()) => return Ok(()),
        };
        Err(Problem::Failed(format!("{} {}: {why}", start.kind, start.name)))
    }

    fn here(&self) -> PathBuf {
        self.scratch.path().join("here")
    }

    fn command(
        &self,
        programs: &Programs,
        manifests: &Path,
        start: &Start,
    ) -> Result<(Command, u16), Problem> {
        let secrets = [
            format!("florin-database/url={}", self.database),
            format!("florin-database/owner-url={}", self.database),
            format!("florin-queue/url={}", self.broker),
            "florin-card/credential=credential-of-a-check".to_owned(),
            format!("florin-deliveries/secret={}", super::super::knative::SECRET),
        ];
        let mut asked = vec!["environment", start.kind, start.name];
        asked.extend(secrets.iter().map(String::as_str));
        let said = programs.check(manifests, &asked)?;
        let mut command = Command::new(&self.florin);
        command.env_clear().current_dir(self.here());
        let port = start.port.unwrap_or_else(free_port);
        for line in said.lines() {
            match line.split_once(' ') {
                Some(("argument", argument)) => {
                    command.arg(argument);
                }
                Some(("variable", variable)) => {
                    let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
                    command.env(name, self.here_instead(name, value, port)?);
                }
                _ => return Err(Problem::Failed(format!("not understood: {line}"))),
            }
        }
        command.envs(start.platform.iter().map(|(name, value)| (name, value)));
        Ok((command, port))
    }

    /// What a value is on this machine: ports that are free, and files where they can be put.
    fn here_instead(&self, name: &str, value: &str, port: u16) -> Result<String, Problem> {
        if let Some(path) = value.strip_prefix(MOUNTED) {
            let path = self.scratch.path().join("mounted").join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, KEYS)?;
            return Ok(path.display().to_string());
        }
        Ok(match name {
            "FLORIN_LISTEN" => format!("0.0.0.0:{port}"),
            "FLORIN_METRICS_LISTEN" => format!("0.0.0.0:{}", free_port()),
            _ => value.to_owned(),
        })
    }
}

fn last(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
