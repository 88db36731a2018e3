//! `/livez` says that the process lives, `/readyz` that it wants requests and why not.

use florin_http::app::{App, Limits};
use florin_http::router::router;
use florin_http::server::{self, Drain};
use florin_http::token::{DevelopmentKey, Verifier};
use florin_kernel::db::DbConfig;
use florin_kernel::network::Network;
use florin_kernel::service::{Service, Settings};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::front;
use crate::shelf::SHELF;
use crate::wire::Wire;

#[tokio::test]
async fn a_process_whose_database_is_away_lives_and_is_not_ready() {
    let front = front::start().await;
    let ready = front.ask("GET /readyz", &[]).await;
    assert_eq!(
        (ready.status, ready.body),
        (200, json!({"status": "ready", "databases": {"shelf": "there"}}))
    );
    front.suite.service("shelf").db.close().await;
    let waiting = front.ask("GET /readyz", &[]).await;
    assert_eq!(waiting.status, 503);
    assert_eq!(waiting.body, json!({"status": "waiting", "databases": {"shelf": "away"}}));
    let alive = front.ask("GET /livez", &[]).await;
    assert_eq!((alive.status, alive.body), (200, json!({"status": "alive"})));
    let answer = front.ask("GET /v1/books", &[]).await;
    assert_eq!(answer.no(), (503, "unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_postgresql_that_does_not_answer_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // One that refuses connections, and one that takes them and says nothing.
    let refusing = nobodys_port().await;
    let silent = nobody.local_addr().unwrap().port();
    for port in [refusing, silent] {
        let front = front::start().await;
        let mut config = DbConfig::new(format!("postgres://nobody@127.0.0.1:{port}/florin"), "shelf");
        config.acquire_timeout = Duration::from_millis(200);
        let db = config.connect().await.unwrap();
        let network = Arc::clone(&front.suite.peers) as Arc<dyn Network>;
        let service = Service::new(&SHELF, db, front.suite.clock.clone(), network, Settings::default());
        let key = DevelopmentKey::load_or_create(&front.suite.directory().join("key.json")).unwrap();
        let app = App::new(vec![service], Verifier::new(key.rules()).unwrap(), Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let drain = Drain { stop, linger: Duration::ZERO, patience: Duration::ZERO };
        tokio::spawn(server::serve(listener, router(&app), drain));
        let mut wire = Wire::to(address).await;
        let waiting = wire.say("GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n").await.hear().await.unwrap();
        assert_eq!(waiting.status, 503);
        assert_eq!(waiting.body, json!({"status": "waiting", "databases": {"shelf": "away"}}));
        let bearer = front.bearer();
        wire.say(format!("GET /v1/books HTTP/1.1\r\nhost: a\r\n{bearer}\r\n\r\n")).await;
        let answer = wire.hear().await.unwrap();
        assert_eq!(answer.no(), (503, "unavailable"), "{answer:?}");
        assert!(answer.header("retry-after").is_some());
    }
}

async fn nobodys_port() -> u16 {
    // Bound and given back: nobody listens there.
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_process_that_goes_says_so_and_still_lives() {
    let front = front::start().await;
    front.app.set_ready(false);
    let draining = front.ask("GET /readyz", &[]).await;
    assert_eq!((draining.status, draining.body), (503, json!({"status": "draining"})));
    front.lives().await;
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200, "it keeps serving");
}
