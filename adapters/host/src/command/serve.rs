//! `florin serve`: picks the adapter by where it runs.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use florin_kernel::time::Clock;
use florin_knative::contract;
use tokio::net::TcpListener;

use super::token;
use crate::config::{Config, KEYS};
use crate::deployment::{Deployment, HostError};
use crate::serve::{Manner, serve, stop_signal};
use crate::telemetry::Telemetry;

/// Serves.
#[derive(Debug, Default, Args)]
#[command(after_long_help = settings())]
pub(crate) struct Serve {
    /// Address to listen on [127.0.0.1:8064].
    #[arg(long)]
    listen: Option<String>,
    /// Directory of the embedded databases and queue [./florin-data].
    #[arg(long)]
    data: Option<String>,
}

fn settings() -> String {
    let mut text =
        "Settings, from the environment or from the TOML file that FLORIN_CONFIG names:\n".to_owned();
    for (key, purpose) in KEYS {
        text.push_str(&format!("  FLORIN_{:<22} {purpose}\n", key.to_ascii_uppercase()));
    }
    text.push_str("  FLORIN_<SERVICE>_DATABASE_URL  one service's own database\n");
    text
}

/// Variables by which platforms say that they run us.
struct Platform {
    lambda: bool,
    knative: Option<String>,
    /// Where a Knative SinkBinding wants events sent.
    sink: Option<String>,
}

/// How long a container keeps serving after SIGTERM: while its address is taken out of the endpoints, they still
/// route to it.
const LINGER: Duration = Duration::from_secs(2);

impl Platform {
    fn here() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the platform's own variables, read once where we choose"
        )]
        let variable = |name| std::env::var(name).ok();
        Self {
            lambda: variable("AWS_LAMBDA_RUNTIME_API").is_some(),
            knative: contract::address(variable("K_SERVICE").as_deref(), variable("PORT").as_deref()),
            sink: variable("K_SINK"),
        }
    }
}

/// Whether Lambda runs this process, and freezes it between invocations.
pub(super) fn on_lambda() -> bool {
    Platform::here().lambda
}

impl Serve {
    pub(super) async fn run(
        self,
        config: Config,
        clock: Clock,
        telemetry: &Telemetry,
    ) -> Result<(), HostError> {
        let config = config.with("listen", self.listen).with("data", self.data);
        let platform = Platform::here();
        if platform.lambda {
            return lambda(config, clock, telemetry).await;
        }
        let (config, address, manner) = match platform.knative {
            Some(address) => {
                let sink = if config.queue_is_embedded() { platform.sink } else { None };
                (config.with("queue_url", sink), address, Manner { workers: false, linger: contract::LINGER })
            }
            None => {
                let address = config.get("listen").unwrap_or("127.0.0.1:8064").to_owned();
                // Nobody routes to a developer's machine.
                let linger = if config.get("issuer").is_some() { LINGER } else { Duration::ZERO };
                (config, address, Manner { workers: true, linger })
            }
        };
        let listener = TcpListener::bind(&address)
            .await
            .map_err(|error| HostError(format!("{address} cannot be listened on: {error}")))?;
        let at = listener.local_addr()?;
        let stop = stop_signal()?;
        let tell_clock = clock.clone();
        serve(listener, config, clock, manner, stop, telemetry, |deployment| {
            tell(deployment, at, &tell_clock)
        })
        .await
    }
}

#[cfg(feature = "lambda")]
async fn lambda(config: Config, clock: Clock, telemetry: &Telemetry) -> Result<(), HostError> {
    let config = crate::secrets::read(config).await?;
    crate::lambda::run(config, clock, telemetry).await
}

#[cfg(not(feature = "lambda"))]
async fn lambda(_: Config, _: Clock, _: &Telemetry) -> Result<(), HostError> {
    Err(HostError("this build has no Lambda adapter: build it with --features lambda".to_owned()))
}

/// Says where to look; a token only where the development key is the one that counts.
#[expect(clippy::print_stdout, reason = "what a person who starts it wants to see")]
fn tell(deployment: &Deployment, at: SocketAddr, clock: &Clock) {
    tracing::info!(server.address = %at, "serving");
    let Some(key) = &deployment.development_key else { return };
    let token = token::sign(key, "demo", "developer", None, Duration::from_secs(12 * 60 * 60), clock);
    let Ok(token) = token else { return };
    println!("Florin serves on http://{at}");
    println!();
    println!("  documentation  http://{at}/docs");
    println!("  audit records  http://{at}/v1/audit/records");
    if deployment.sandbox.is_some() {
        println!("  provider       http://{at}/sandbox/v1/records/summary");
    }
    println!("  a morning of payments: florin demo");
    println!();
    let data = match deployment.config.get("data") {
        Some(directory) => format!(" --data {directory}"),
        None => String::new(),
    };
    println!("A development token for the tenant demo, good for 12 hours");
    println!("(another one: florin token --tenant demo{data}):");
    println!("{token}");
}
