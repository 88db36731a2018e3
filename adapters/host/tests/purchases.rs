//! The real purchases of a music shop: each is paid once, whatever dies in between and however late it is repeated.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use florin_host::config::Config;
use florin_host::demo::{self, DemoArgs};
use florin_host::serve::{Manner, serve};
use florin_host::telemetry::Telemetry;
use florin_kernel::corridor::Disposition;
use florin_kernel::service::Service;
use florin_kernel::time::{Clock, Timestamp};
use florin_servers::Part;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A whole suite in a runtime of its own, so that it can die at once with everything it has in hand.
struct Host {
    runtime: Option<Runtime>,
    payments: Arc<Service>,
    token: String,
}

/// The payments service and a token for it.
type Ready = (Arc<Service>, String);

impl Host {
    fn start(listen: SocketAddr, data: &Path, clock: &Clock) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let config = Config::of([]).expect("nothing set").with("data", Some(data.display().to_string()));
        let made: Arc<Mutex<Option<Ready>>> = Arc::default();
        let tell = Arc::clone(&made);
        let clock = clock.clone();
        runtime.spawn(async move {
            let listener = loop {
                match TcpListener::bind(listen).await {
                    Ok(listener) => break listener,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            let manner = Manner { workers: true, linger: Duration::ZERO };
            let now = clock.clone();
            serve(
                listener,
                config,
                clock,
                manner,
                CancellationToken::new(),
                &Telemetry::default(),
                move |deployment| {
                    let payments = deployment.app.owner("payments.sweep").expect("payments").clone();
                    let scopes =
                        ["payments:read", "payments:write", "refunds:read", "refunds:write", "audit:read"];
                    let key = deployment.development_key.as_ref().expect("the development key");
                    let year = Duration::from_secs(365 * 24 * 60 * 60);
                    let tenant = "shop".parse().expect("a tenant");
                    let scopes = scopes.into_iter().map(str::to_owned).collect();
                    let token = key.sign("tester", &tenant, &scopes, year, now.now());
                    *tell.lock().expect("no panic") = Some((payments, token));
                },
            )
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        });
        let deadline = Clock::System.now().plus(Duration::from_secs(60));
        let (payments, token) = loop {
            if let Some(ready) = made.lock().expect("no panic").take() {
                break ready;
            }
            assert!(Clock::System.now() < deadline, "the suite did not start");
            std::thread::yield_now();
        };
        Self { runtime: Some(runtime), payments, token }
    }

    /// Everything in hand is dropped where it stands, as when the process is killed.
    fn die(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn purchases(listen: SocketAddr, file: &Path) -> DemoArgs {
    DemoArgs {
        url: format!("http://{listen}"),
        token: None,
        payments: 1,
        concurrency: 16,
        seed: 1,
        purchases: Some(file.to_owned()),
        json: true,
    }
}

async fn get(address: String, token: &str) -> Value {
    let answer = reqwest::Client::new().get(address).bearer_auth(token).send().await;
    match answer {
        Ok(answer) => answer.json().await.unwrap_or(Value::Null),
        Err(_) => Value::Null,
    }
}

async fn charged(listen: SocketAddr) -> (i64, i64, i64) {
    let summary = get(format!("http://{listen}/sandbox/v1/records/summary"), "").await;
    let captured = &summary["currencies"]["USD"]["captured"];
    (
        captured["count"].as_i64().unwrap_or(0),
        captured["amount"].as_i64().unwrap_or(0),
        summary["duplicates"].as_i64().unwrap_or(0),
    )
}

#[test]
fn every_real_purchase_is_paid_once_though_the_suite_dies_and_the_file_is_repeated_a_day_later() {
    let Some(data) = Part::Data.needed() else { return };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file: PathBuf = Path::new(&data).join("purchases.csv");
    let directory = tempfile::tempdir().expect("a scratch directory");
    let port = florin_servers::free_port();
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    let clock = Clock::standing_at("2026-01-31T12:00:00Z".parse::<Timestamp>().expect("a time"));
    let runtime = Runtime::new().expect("a runtime");

    let first = Host::start(listen, directory.path(), &clock);
    let token = first.token.clone();
    let (args, bearer) = (purchases(listen, &file), token.clone());
    let paying = std::thread::spawn(move || {
        Runtime::new().expect("a runtime").block_on(demo::run(args, Some(bearer)))
    });
    runtime.block_on(async {
        let deadline = Clock::System.now().plus(Duration::from_secs(300));
        while charged(listen).await.0 < 1_000 {
            assert!(Clock::System.now() < deadline && !paying.is_finished(), "the demo does not get on");
            tokio::task::yield_now().await;
        }
    });
    first.die();
    let second = Host::start(listen, directory.path(), &clock);
    // Leases of the dead end by the clock; the effects they held are found by the sweep.
    clock.advance(Duration::from_secs(60));
    paying.join().expect("the demo ends").expect("all is paid or refused by name");
    assert_eq!(runtime.block_on(charged(listen)), (6_911, 24_409_194, 0));

    clock.advance(Duration::from_secs(25 * 60 * 60));
    let purged = second.runtime.as_ref().expect("alive").block_on(second.payments.tick("payments.purge"));
    assert_eq!(purged, Disposition::Done, "the keys are forgotten");
    runtime
        .block_on(demo::run(purchases(listen, &file), Some(token.clone())))
        .expect("a repetition ends as well");
    assert_eq!(runtime.block_on(charged(listen)), (6_911, 24_409_194, 0));
    let newest = runtime.block_on(get(format!("http://{listen}/v1/payments?limit=1"), &token));
    assert_eq!(newest["data"][0]["status"], "succeeded");
    second.die();
}
