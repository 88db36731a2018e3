//! `florin-chaos`: what `cargo xtask chaos` builds and runs.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use florin_conformance::chaos::{LEAST_REQUESTS, On, Options, Summary, run};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

/// Kills and faults on real processes; afterwards nothing may be lost or doubled.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos")]
struct Arguments {
    /// How many rounds; the round after that of seed S has the seed S + 1.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
    /// The seed of the first round.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The set-up: postgres-rabbitmq, sqlite-embedded or lambda-sqs; all of them when not said.
    #[arg(long)]
    on: Option<On>,
    /// How many requests the clients of a round send, at least.
    #[arg(long, default_value_t = 208, value_parser = clap::value_parser!(u64).range(LEAST_REQUESTS..))]
    requests: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let interrupted = async {
            let (mut interrupt, mut terminate) =
                (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            Ok::<(), std::io::Error>(())
        };
        // Dropped in the middle, a run stops all that it started.
        tokio::select! {
            outcome = run_all(arguments) => outcome,
            _ = interrupted => ExitCode::from(130),
        }
    })
}

async fn run_all(arguments: Arguments) -> ExitCode {
    let Arguments { rounds, seed, on, requests } = arguments;
    let set_ups = on.map_or(On::ALL.to_vec(), |on| vec![on]);
    for on in set_ups {
        let options = Options { on, rounds, seed, requests, own_servers: true };
        eprintln!("{options}");
        let bar = ProgressBar::new(rounds);
        let template = "{msg} [{bar:30}] {pos}/{len} {elapsed_precise}, {eta} to go";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(on.to_string());
        let seen = bar.clone();
        let progress = move |summary: &Summary| {
            seen.set_position(summary.rounds);
            let (kills, requests) = (summary.kills, summary.requests);
            seen.set_message(format!("{}: {requests} requests, {kills} kills", summary.on));
            if seen.is_hidden() {
                let Summary { on, rounds: round, took, shopping, settling, .. } = summary;
                eprintln!(
                    "{on}: round {round} of {rounds}: {requests} requests, {kills} kills, {took:.0?} ({shopping:.1?} + {settling:.1?})"
                );
            }
        };
        let outcome = run(&options, progress).await;
        bar.finish_and_clear();
        match outcome {
            Ok(summary) => {
                if writeln!(std::io::stdout(), "{summary}").is_err() {
                    return ExitCode::FAILURE;
                }
            }
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_is_printed_is_read_as_what_was_run() {
        let run = Options { on: On::LambdaSqs, rounds: 3, seed: 17, requests: 400, own_servers: true };
        let printed = run.to_string();
        let words = printed.strip_prefix("cargo xtask ").expect("a command of xtask").split_whitespace();
        let Arguments { rounds, seed, on, requests } = Arguments::try_parse_from(words).expect("a command");
        assert_eq!((rounds, seed, on, requests), (run.rounds, run.seed, Some(run.on), run.requests));
    }
}
