//! What one warm invocation costs in CPU, beside a minimal `lambda_http` function.

use std::path::Path;
use std::time::{Duration, Instant};

use florin_testkit::lambda_runtime_api::LambdaRuntimeApi;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;

use super::lambda_first_response::{answered, start_function};
use crate::bench::Bench;
use crate::error::Outcome;
use crate::latencies::Latencies;
use crate::process::{Running, Start};
use crate::room::PING;
use crate::row::{Budget, Round, Row};

pub(super) const NAME: &str = "lambda-cpu";

struct Function {
    api: LambdaRuntimeApi,
    running: Running,
    event: String,
}

impl Function {
    async fn start(program: &str, start: &Start, directory: &Path) -> Outcome<Self> {
        let api = LambdaRuntimeApi::start().await?;
        let running = start_function(&api, program, start, directory)?;
        let event = HttpRequest::new("GET", PING).through_http_api().to_string();
        let function = Self { api, running, event };
        for _ in 0..50 {
            function.invoke().await?;
        }
        Ok(function)
    }

    async fn invoke(&self) -> Outcome<()> {
        let invoked = self.api.invoke_within(Duration::from_secs(30), self.event.clone()).await;
        answered(&self.running, invoked)
    }

    async fn round(&self, invocations: u32) -> Outcome<Round> {
        let mut latencies = Latencies::default();
        let before = self.running.cpu()?;
        for _ in 0..invocations {
            let sent = Instant::now();
            self.invoke().await?;
            latencies.add(sent.elapsed());
        }
        let cpu = self.running.cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(invocations);
        Ok(Round { value: cpu, latencies, cpu_us: Some(cpu), load_busy: None })
    }
}

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let directory = bench.scratch(NAME)?;
    let ours = Function::start("florin-bench-suite", &Start::with(&["ping"]), &directory).await?;
    let bare = Function::start("florin-bench-lambda", &Start::default(), &directory).await?;
    let invocations = bench.pick(50, 4_000);
    let (a, b) = bench
        .take_turns(async || ours.round(invocations).await, async || bare.round(invocations).await)
        .await?;
    let row = Row::compared(
        (NAME, "us of CPU"),
        ("CPU per Lambda invocation in the adapter: an HTTP API event", "minimal lambda_http function"),
        Some(Budget::AtMost(1.2)),
        &a,
        &b,
    );
    Ok(vec![row.note(format!(
        "{invocations} invocations a round, one after the other; from /proc/PID/task/*/schedstat"
    ))])
}
