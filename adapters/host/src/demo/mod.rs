//! `florin demo`: drives payments through a running suite over HTTP, as a merchant and its customers would.

mod answer;
mod api;
#[cfg(test)]
mod fake;
mod interrupt;
mod latency;
mod morning;
mod patience;
mod progress;
mod purchases;
#[cfg(test)]
mod suite;
mod table;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;

use api::Api;
use interrupt::Interrupt;
use patience::Patience;
use serde_json::Value;

/// What `florin demo` is told.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Where the suite listens
    #[arg(long, default_value = "http://127.0.0.1:8064")]
    pub url: String,
    /// A token with the scopes payments:read, payments:write, refunds:write and audit:read; when not given, that of
    /// FLORIN_TOKEN, else a development token
    #[arg(long)]
    pub token: Option<String>,
    /// How many payments the morning has
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with = "purchases")]
    pub payments: u32,
    /// How many are under way at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub concurrency: u16,
    /// The same seed makes the same morning
    #[arg(long, default_value_t = 1, conflicts_with = "purchases")]
    pub seed: u64,
    /// Pay the purchases of a CSV file (customer,date,quantity,amount,currency); to repeat it charges nothing twice
    #[arg(long, value_name = "FILE")]
    pub purchases: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a run came to: for people, for programs, and why it is not good if it is not.
struct Outcome {
    text: String,
    json: Value,
    trouble: Option<String>,
}

/// Runs the demo with the token of its arguments, else with this one. Fails when a payment did not end as it should, or did not end.
pub async fn run(args: DemoArgs, token: Option<String>) -> Result<(), String> {
    let token = args.token.or(token).ok_or("a token is needed: give --token, or FLORIN_TOKEN")?;
    let api = Api::new(&args.url, &token, Patience::default())?;
    if !api.is_there().await {
        eprintln!("Nothing answers at {} yet; `cargo run` starts the suite. Waiting for it ...", args.url);
    }
    let interrupt = Interrupt::on_signals();
    let concurrency = usize::from(args.concurrency);
    let outcome = match &args.purchases {
        Some(file) => purchases::run(&api, file, concurrency, &interrupt).await?,
        None => morning::run(&api, args.payments, concurrency, args.seed, &interrupt).await?,
    };
    print(if args.json { format!("{:#}\n", outcome.json) } else { outcome.text })?;
    outcome.trouble.map_or(Ok(()), Err)
}

fn print(text: String) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("stdout: {error}"))
}
