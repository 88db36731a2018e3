//! Brings every part the tests need: takes what is given, installs what is missing, starts the rest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use florin_servers::{AwsServer, Part, Postgres, RabbitMq, find_program};

use crate::problem::Problem;
use crate::require::Require;
use crate::{apt, command, report, tools};

const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// A server that runs until it is dropped.
#[expect(dead_code, reason = "held for its end, not for its value")]
enum Server {
    Postgres(Postgres),
    RabbitMq(RabbitMq),
    Aws(AwsServer),
}

/// What the tests are given. Dropping it stops the servers.
#[derive(Default)]
pub(crate) struct Brought {
    places: Vec<(Part, String)>,
    absent: Vec<(Part, String)>,
    servers: Vec<Server>,
}

impl Brought {
    /// Name and value of the environment variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.places.iter().map(|(part, place)| (part.variable(), place.as_str()))
    }

    /// The parts that could not be had, and why.
    pub(crate) fn absent(&self) -> &[(Part, String)] {
        &self.absent
    }
}

/// A part at its place, with the server when it is one of ours.
type Found = (String, Option<Server>);

/// Brings the parts. Ends with a problem when a required one cannot be had.
pub(crate) fn bring(parts: &[Part], require: &Require) -> Result<Brought, Problem> {
    let mut brought = Brought::default();
    let mut wanted = Vec::new();
    for &part in parts {
        match part.given() {
            Some(place) => {
                report::line(&format!("{:<9} given by {}", part.name(), part.variable()));
                brought.places.push((part, place));
            }
            None => wanted.push(part),
        }
    }
    install_missing(&mut wanted, require, &mut brought)?;
    let found: Vec<(Part, Result<Found, Problem>)> = thread::scope(|scope| {
        let teams = [&[Part::Postgres][..], &[Part::RabbitMq], &[Part::Python, Part::Sqs, Part::Lambda]];
        let rest = [&[Part::AsyncApi][..], &[Part::Browser], &[Part::Data]];
        let teams: Vec<_> = teams
            .into_iter()
            .chain(rest)
            .map(|team| {
                let team: Vec<Part> = team.iter().copied().filter(|part| wanted.contains(part)).collect();
                scope.spawn(move || {
                    team.into_iter().map(|part| (part, one(part, require))).collect::<Vec<_>>()
                })
            })
            .collect();
        let join = |team: thread::ScopedJoinHandle<'_, _>| {
            team.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        teams.into_iter().flat_map(join).collect()
    });
    let mut interrupted = false;
    for (part, found) in found {
        match found {
            Ok((place, server)) => {
                brought.places.push((part, place));
                brought.servers.extend(server);
            }
            Err(Problem::Interrupted) => interrupted = true,
            Err(problem) if require.requires(part) => {
                return Err(Problem::Failed(format!("{}: {problem}", part.name())));
            }
            Err(problem) => brought.absent.push((part, problem.to_string())),
        }
    }
    if interrupted { Err(Problem::Interrupted) } else { Ok(brought) }
}

/// Brings one part and says how long it took. A required part that fails calls all others off.
fn one(part: Part, require: &Require) -> Result<Found, Problem> {
    let started = Instant::now();
    let found = find(part);
    let seconds = started.elapsed().as_secs_f32();
    match &found {
        Ok((place, _)) => report::line(&format!("{:<9} ready in {seconds:.1} s: {place}", part.name())),
        Err(Problem::Interrupted) => {}
        Err(problem) => {
            report::line(&format!("{:<9} not there: {problem}", part.name()));
            if require.requires(part) {
                command::call_off();
            }
        }
    }
    found
}

fn find(part: Part) -> Result<Found, Problem> {
    match part {
        Part::Postgres => {
            let server = Postgres::start()?;
            Ok((server.url(), Some(Server::Postgres(server))))
        }
        Part::RabbitMq => {
            let server = RabbitMq::start()?;
            Ok((server.url(), Some(Server::RabbitMq(server))))
        }
        Part::Sqs => {
            let server = AwsServer::queues(&tools::python()?)?;
            Ok((server.url(), Some(Server::Aws(server))))
        }
        Part::Lambda => {
            let server = AwsServer::lambda(&tools::python()?.with_file_name("cargo-lambda"))?;
            Ok((server.url(), Some(Server::Aws(server))))
        }
        Part::Python => Ok((text(&tools::python()?), None)),
        Part::AsyncApi => Ok((text(&tools::asyncapi_schema()?), None)),
        Part::Browser => match find_program(BROWSERS) {
            Some(browser) => Ok((text(&browser), None)),
            None => Err(Problem::Missing("Chromium is not installed".into())),
        },
        Part::Data => {
            let data = workspace().with_file_name("shared").join("data");
            if data.is_dir() {
                Ok((text(&data), None))
            } else {
                Err(Problem::Missing(format!("no directory {}", data.display())))
            }
        }
    }
}

/// Installs the packages of all missing parts at once. What cannot be installed is a problem when it
/// is required, and else no longer wanted.
fn install_missing(wanted: &mut Vec<Part>, require: &Require, brought: &mut Brought) -> Result<(), Problem> {
    let missing: Vec<(Part, &str)> =
        wanted.iter().filter_map(|&part| Some((part, missing_package(part)?))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: BTreeSet<&str> = missing.iter().map(|(_, package)| *package).collect();
    let started = Instant::now();
    match apt::install(&packages) {
        Ok(()) => report::line(&format!("packages  installed in {:.0} s", started.elapsed().as_secs_f32())),
        Err(Problem::Interrupted) => return Err(Problem::Interrupted),
        Err(problem) => {
            let names: Vec<&str> = missing.iter().map(|(part, _)| part.name()).collect();
            let text = format!("{} needs packages that are not installed:\n    {problem}", names.join(", "));
            if missing.iter().any(|(part, _)| require.requires(*part)) {
                let hint =
                    "To go on without them, set FLORIN_TEST_REQUIRE to the parts you do want, or to nothing.";
                return Err(Problem::Missing(format!("{text}\n{hint}")));
            }
            report::line(&text);
            wanted.retain(|part| missing.iter().all(|(missing, _)| missing != part));
            brought
                .absent
                .extend(missing.iter().map(|(part, package)| (*part, format!("{package} is not installed"))));
        }
    }
    Ok(())
}

/// The Debian package that the part needs and that is not here.
fn missing_package(part: Part) -> Option<&'static str> {
    match part {
        Part::Postgres => (!Postgres::is_installed()).then_some("postgresql"),
        Part::RabbitMq => (!RabbitMq::is_installed()).then_some("rabbitmq-server"),
        Part::Sqs | Part::Lambda | Part::Python => tools::system_python().is_none().then_some("python3-venv"),
        Part::AsyncApi => find_program(&["npm"]).is_none().then_some("npm"),
        Part::Browser => find_program(BROWSERS).is_none().then_some("chromium"),
        Part::Data => None,
    }
}

/// The checkout this program was built from.
pub(crate) fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
