//! The command line: one file for each command.

pub mod catalog;
mod dead_letters;
mod effects;
mod migrate;
mod outbox;
mod sandbox;
mod serve;
mod token;

use clap::{Parser, Subcommand};
use florin_kernel::service::Definition;
use florin_kernel::time::Clock;

use crate::config::Config;
use crate::deployment::HostError;
use crate::telemetry::Telemetry;

/// Florin: an open commerce backbone. Without a command it serves.
#[derive(Debug, Parser)]
#[command(
    name = "florin",
    version,
    after_help = "Settings are FLORIN_ variables: see `florin serve --help`."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve, as the platform this runs on wants it (the default).
    Serve(serve::Serve),
    /// Print what the code declares: functions, routes, scopes, events, schedules.
    Catalog(catalog::Catalog),
    /// Bring the databases up to date, as their owner.
    Migrate(migrate::Migrate),
    /// Print a development token, and nothing else.
    Token(token::Token),
    /// Deliveries that cannot succeed.
    DeadLetters(dead_letters::DeadLetters),
    /// Calls to peers that are not done.
    Effects(effects::Effects),
    /// Events that are committed and not yet published.
    Outbox(outbox::Outbox),
    /// The payment provider to develop and test against, as a process of its own.
    Sandbox(sandbox::SandboxCommand),
    /// Drive a realistic morning of payments against a running suite.
    Demo(crate::demo::DemoArgs),
}

/// Prints a command's output; a reader that has seen enough is no error.
fn print(text: &str) -> Result<(), HostError> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a value as a line of JSON.
fn print_json(value: &impl serde::Serialize) -> Result<(), HostError> {
    print(&format!("{}\n", serde_json::to_string(value)?))
}

impl Cli {
    /// Runs the command of a binary that has `more` services beside those of the build.
    pub async fn run(self, more: &[&'static Definition]) -> Result<(), HostError> {
        let config = Config::read(more)?;
        let clock = Clock::System;
        let command = self.command.unwrap_or(Command::Serve(self.serve));
        let telemetry = Telemetry::begin(&config, clock.clone(), serve::on_lambda())?;
        let ran = command.run(config, clock, &telemetry).await;
        telemetry.end().await;
        ran
    }
}

impl Command {
    async fn run(self, config: Config, clock: Clock, telemetry: &Telemetry) -> Result<(), HostError> {
        match self {
            Command::Serve(serve) => serve.run(config, clock, telemetry).await,
            Command::Catalog(catalog) => catalog.run(),
            Command::Migrate(migrate) => migrate.run(config).await,
            Command::Token(token) => token.run(&config, &clock),
            Command::DeadLetters(command) => command.run(config, clock).await,
            Command::Effects(command) => command.run(config, clock).await,
            Command::Outbox(outbox) => outbox.run(config, clock).await,
            Command::Sandbox(sandbox) => sandbox.run(clock).await,
            Command::Demo(demo) => {
                let token = match config.get("token") {
                    Some(token) => Some(token.to_owned()),
                    None => token::development(&config, &clock).ok(),
                };
                crate::demo::run(demo, token).await.map_err(HostError)
            }
        }
    }
}
