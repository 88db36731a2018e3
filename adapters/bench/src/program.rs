//! The command line of the benchmarks.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::bench::Bench;
use crate::error::{Outcome, Trouble};
use crate::report::Report;
use crate::rows::SOURCES;

/// Every budget of the design beside its baseline, in one run.
#[derive(Debug, Parser)]
#[command(name = "florin-bench")]
struct Arguments {
    /// Only these rows, separated by commas; `--rows help` lists them.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Only show that every row gives numbers.
    #[arg(long)]
    quick: bool,
    /// Write the results there as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draw latency over load there, as SVG: the public and the authorized query.
    #[arg(long)]
    plot: Option<PathBuf>,
}

/// Runs what the command line asks for. It fails when a row fails, not when a budget is missed.
pub fn main() -> ExitCode {
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return ExitCode::FAILURE;
    }
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ran = runtime.map_err(Trouble::from).and_then(|runtime| runtime.block_on(run(&arguments)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("florin-bench: {trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Outcome<()> {
    let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    if let Some(unknown) = arguments.rows.iter().find(|row| !names.contains(&row.as_str())) {
        return Err(Trouble::failed(format!("no row {unknown}; there are {}", names.join(", "))));
    }
    let wanted = |name: &str| arguments.rows.is_empty() || arguments.rows.iter().any(|row| row == name);
    let bench = Bench::new(arguments.quick)?;
    let (began, load_before) = (Instant::now(), load_average());
    let mut report = Report {
        quick: arguments.quick,
        release: !cfg!(debug_assertions),
        processors: std::thread::available_parallelism()?.get(),
        ..Report::default()
    };
    let mut failed = Vec::new();
    for source in SOURCES.iter().filter(|source| wanted(source.name)) {
        eprintln!("{:>5.0} s  {}", began.elapsed().as_secs_f64(), source.name);
        match (source.measure)(&bench).await {
            Ok(rows) => report.rows.extend(rows),
            Err(trouble @ Trouble::Missing(_)) => {
                report.skipped.push((source.name.to_owned(), trouble.to_string()));
            }
            Err(trouble) => failed.push(format!("{}: {trouble}", source.name)),
        }
    }
    if let Some(path) = &arguments.plot {
        eprintln!("{:>5.0} s  plot", began.elapsed().as_secs_f64());
        std::fs::write(path, crate::plot::draw(&bench).await?)?;
    }
    report.seconds = began.elapsed().as_secs_f64();
    report.load_average = [load_before, load_average()];
    print(&report.table());
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    }
    if failed.is_empty() { Ok(()) } else { Err(Trouble::Failed(failed.join("\n"))) }
}

#[expect(clippy::print_stdout, reason = "the table is the program's output")]
fn print(text: &str) {
    print!("{text}");
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}
