//! The embedded suite as `florin serve` starts it: how soon it is ready, and what it takes while nobody asks.

use std::path::Path;
use std::time::Duration;

use florin_servers::free_port;

use crate::bench::Bench;
use crate::error::Outcome;
use crate::process::{Running, Start};
use crate::row::{Round, Row};

pub(super) const NAME: &str = "all-in-one";

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let starts = bench.pick(1, 9);
    let (mut first, mut second, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for start in 0..starts {
        let directory = bench.scratch(&format!("{NAME}-{start}"))?;
        let (running, took) = ready(&directory).await?;
        first.push(value(took.as_secs_f64() * 1_000.0));
        drop(running);
        let (mut running, took) = ready(&directory).await?;
        second.push(value(took.as_secs_f64() * 1_000.0));
        if start < 3 {
            // Long enough for several sweeps, polls and upkeeps.
            tokio::time::sleep(Duration::from_millis(bench.pick(100, 6_000))).await;
            running.check()?;
            memory.push(value(running.memory_mb()?));
        }
        drop(running);
        std::fs::remove_dir_all(&directory)?;
    }
    let budget = "payments, audit, queue and sandbox in one process on SQLite";
    Ok(vec![
        Row::alone(
            (NAME, "ms"),
            format!("exec to ready, first run with migrations: {budget}"),
            Some(300.0),
            &first,
        ),
        Row::alone((NAME, "ms"), format!("exec to ready, later runs: {budget}"), Some(300.0), &second),
        Row::alone((NAME, "MB"), format!("idle memory (VmRSS): {budget}"), Some(40.0), &memory),
    ])
}

fn value(value: f64) -> Round {
    Round { value, ..Round::default() }
}

async fn ready(directory: &Path) -> Outcome<(Running, Duration)> {
    let port = free_port();
    let start = Start::with(&["serve"])
        .env("FLORIN_LISTEN", format!("127.0.0.1:{port}"))
        .env("FLORIN_DATA", directory.join("data").display().to_string());
    let mut running = Running::start("florin-bench-suite", &start, directory)?;
    running.answers(port, "/readyz").await?;
    let took = running.began().elapsed();
    Ok((running, took))
}
