//! A cold start on Lambda: from exec to the first answer, beside a minimal `lambda_http` function.

use std::path::Path;
use std::time::Duration;

use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::lambda_runtime_api::{Invoked, LambdaRuntimeApi};

use super::authorized_query;
use crate::bench::Bench;
use crate::error::{Outcome, Trouble};
use crate::latencies::Latencies;
use crate::process::{Running, Start};
use crate::room::PING;
use crate::row::{Budget, Round, Row};

pub(super) const NAME: &str = "lambda-first-response";

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let directory = bench.scratch(NAME)?;
    let starts = bench.pick(1, 20);
    let ping = HttpRequest::new("GET", PING).through_http_api().to_string();
    let (ours, bare) = (Start::with(&["ping"]), Start::default());
    // The development key is made at the first start of all, which is nobody's cold start.
    cold_start("florin-bench-suite", &ours, &directory, &ping).await?;
    let (a, b) = bench
        .take_turns(
            async || round("florin-bench-suite", &ours, &directory, &ping, starts).await,
            async || round("florin-bench-lambda", &bare, &directory, &ping, starts).await,
        )
        .await?;
    let note =
        format!("each round is the median of {starts} starts; Runtime API and function share two processors");
    let without = Row::compared(
        (NAME, "ms"),
        ("Lambda, exec to first response, without database", "minimal lambda_http function"),
        Some(Budget::AtMost(1.5)),
        &a,
        &b,
    );
    let with = with_database(bench, starts).await?;
    Ok(vec![without.note(note.clone()), with.note(note)])
}

async fn with_database(bench: &Bench, starts: usize) -> Outcome<Row> {
    let (read, served, _) = authorized_query::prepare(bench, "lambda-with-database").await?;
    drop(served);
    let get = HttpRequest::new("GET", &format!("/v1/payments/{}", read.payment))
        .header("authorization", &format!("Bearer {}", read.token))
        .through_http_api()
        .to_string();
    let ours = Start { environment: read.site.environment(), ..Start::default() }.env("FLORIN_DEV", "1");
    let bare = Start::default()
        .env("BENCH_DATABASE_URL", &read.url)
        .env("BENCH_READING", serde_json::to_string(&read.reading)?);
    let directory = read.site.directory();
    let (a, b) = bench
        .take_turns(
            async || round("florin-bench-suite", &ours, directory, &get, starts).await,
            async || round("florin-bench-lambda", &bare, directory, &get, starts).await,
        )
        .await?;
    let row = Row::compared(
        (NAME, "ms"),
        (
            "Lambda, exec to first response, with PostgreSQL: configuration, schema check, token, tenant's wall, row",
            "minimal lambda_http function with sqlx and the same SQL, without token or schema check",
        ),
        Some(Budget::AtMost(1.5)),
        &a,
        &b,
    );
    Ok(row)
}

async fn round(program: &str, start: &Start, directory: &Path, event: &str, starts: usize) -> Outcome<Round> {
    let mut latencies = Latencies::default();
    for _ in 0..starts {
        latencies.add(cold_start(program, start, directory, event).await?);
    }
    let median = latencies.percentile_us(50.0).unwrap_or(f64::NAN) / 1_000.0;
    Ok(Round { value: median, latencies, ..Round::default() })
}

async fn cold_start(program: &str, start: &Start, directory: &Path, event: &str) -> Outcome<Duration> {
    let api = LambdaRuntimeApi::start().await?;
    let (running, invoked) = {
        // Polled once, the event waits for whoever asks for it first.
        let invoked = api.invoke_within(PATIENCE, event.to_owned());
        let mut invoked = std::pin::pin!(invoked);
        let early = futures_util::poll!(&mut invoked);
        if early.is_ready() {
            return Err(Trouble::failed("an event was answered by nobody"));
        }
        let running = start_function(&api, program, start, directory)?;
        let invoked = invoked.await;
        (running, invoked)
    };
    let took = running.began().elapsed();
    answered(&running, invoked)?;
    Ok(took)
}

/// Starts a program as the function of this Runtime API.
pub(super) fn start_function(
    api: &LambdaRuntimeApi,
    program: &str,
    start: &Start,
    directory: &Path,
) -> Outcome<Running> {
    let mut start = start.clone();
    start.environment.extend(api.environment().into_iter().map(|(name, value)| (name.to_owned(), value)));
    Running::start(program, &start, directory)
}

/// An invocation has to have been answered with 200.
pub(super) fn answered(running: &Running, invoked: Invoked) -> Outcome<()> {
    match invoked {
        Invoked::Answered(answer) if answer["statusCode"] == 200 => Ok(()),
        other => Err(running.failed(&format!("the invocation came to {other:?}"))),
    }
}
