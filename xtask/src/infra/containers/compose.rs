//! The compose file: read strictly, and its processes started with what it gives them.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use florin_servers::{Part, Postgres, find_program, free_port};

use crate::command;
use crate::infra::check::{Outcome, florin_program, infra, output};
use crate::infra::kubernetes::{Scratch, probe};
use crate::problem::Problem;
use crate::tools;

/// The strict reader of compose files.
const COMPOSE: &str = "compose-spec==0.2.1";

/// Whether the file is valid, careful, and runs every service of the catalog.
pub(super) fn valid() -> Result<Outcome, Problem> {
    let catalog = infra().join("helm/florin/catalog.json").display().to_string();
    skipped_where_missing(read("check", &catalog).map(|said| said.trim().to_owned()))
}

/// Whether the roles, the migration and the services start with what the file says, on this machine's addresses.
pub(super) fn started() -> Result<Outcome, Problem> {
    skipped_where_missing(start())
}

fn skipped_where_missing(checked: Result<String, Problem>) -> Result<Outcome, Problem> {
    match checked {
        Ok(said) => Ok(Outcome::Passed(said)),
        Err(Problem::Missing(why)) => Ok(Outcome::Skipped(why)),
        Err(problem) => Err(problem),
    }
}

fn start() -> Result<String, Problem> {
    let missing = |what: &str| Problem::Missing(format!("{what} is not installed"));
    if !Postgres::is_installed() {
        return Err(missing("PostgreSQL"));
    }
    let psql = psql().ok_or_else(|| missing("psql"))?;
    let florin = florin_program()?;
    let postgres = Postgres::start()?;
    let roles = infra().join("containers/roles.sql");
    output(Command::new(psql).args(["--set", "ON_ERROR_STOP=1", &postgres.url(), "--file"]).arg(roles))?;
    // As the owner, who may make roles; the address of the services differs in the login.
    let owner = postgres.url();
    let (_, server) = owner.split_once('@').unwrap_or(("", &owner));
    let broker =
        Part::RabbitMq.given().unwrap_or_else(|| format!("amqp://guest:guest@127.0.0.1:{}/%2f", free_port()));
    let here = |value: &str| {
        value
            .replace("owner:owner@postgres/florin", owner.trim_start_matches("postgres://"))
            .replace("service:service@postgres/florin", &format!("service:service@{server}"))
            .replace("amqp://florin:florin@rabbitmq/%2f", &broker)
            // What compose itself fills in, when nobody says it.
            .replace("${FLORIN_OTLP_ENDPOINT:-}", "")
            .replace("0.0.0.0:9464", &format!("0.0.0.0:{}", free_port()))
    };
    let scratch = Scratch::make()?;
    let given = |service: &str, port: u16| -> Result<Command, Problem> {
        let mut command = Command::new(&florin);
        // Where the image says that its data is; the volume is shared.
        command.env_clear().current_dir(scratch.path()).env("FLORIN_DATA", "data");
        for line in read("environment", service)?.lines() {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            command.env(name, here(value).replace("0.0.0.0:8064", &format!("0.0.0.0:{port}")));
        }
        Ok(command)
    };
    command::run(given("migrate", 0)?.arg("migrate"))?;
    let services = ["payments", "audit"];
    for service in services {
        let port = free_port();
        let log = scratch.path().join(format!("{service}.log"));
        let file = File::create(&log)?;
        let mut serve = given(service, port)?;
        let mut group = command::start(serve.arg("serve").stdout(file.try_clone()?).stderr(file))?;
        probe::answers(port, "/readyz", 200, || group.is_running()).map_err(|problem| {
            Problem::Failed(format!("{service}: {problem}\n{}", fs::read_to_string(&log).unwrap_or_default()))
        })?;
    }
    Ok(services.join(", "))
}

/// Debian keeps it where the server is, and a link to it where programs are.
fn psql() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    find_program(&["psql"])
        .or_else(|| versions.map(|version| version.path().join("bin/psql")).find(|path| path.is_file()))
}

fn read(task: &str, argument: &str) -> Result<String, Problem> {
    let python = tools::python()?;
    let library = tools::installed("compose-spec", COMPOSE, |directory| {
        fs::create_dir_all(directory)?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
        command::run(install.arg(directory).arg(COMPOSE))
    })?;
    let containers = infra().join("containers");
    let mut reader = Command::new(&python);
    reader.env("PYTHONPATH", library).arg(containers.join("compose.py")).arg(task);
    output(reader.arg(containers.join("compose.yaml")).arg(argument))
}
