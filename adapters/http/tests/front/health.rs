//! `/livez` says that the process lives, `/readyz` that it wants requests and why not.

use florin_http::app::{App, Limits};
use florin_http::router::router;
use florin_http::server::{self, Drain};
use florin_http::token::{DevelopmentKey, Verifier};
use florin_kernel::db::{DbConfig, Wall};
use florin_kernel::network::Network;
use florin_kernel::service::{Definition, Service, Settings};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
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
        (200, json!({"status": "ready", "databases": {"shelf": "there", "porch": "there"}}))
    );
    front.suite.service("shelf").db.close().await;
    let waiting = front.ask("GET /readyz", &[]).await;
    assert_eq!(waiting.status, 503);
    assert_eq!(waiting.body, json!({"status": "waiting", "databases": {"shelf": "away", "porch": "there"}}));
    let alive = front.ask("GET /livez", &[]).await;
    assert_eq!((alive.status, alive.body), (200, json!({"status": "alive"})));
    let answer = front.ask("GET /v1/books", &[]).await;
    assert_eq!(answer.no(), (503, "unavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

/// A front of these services whose PostgreSQL would be at this port, and somebody who may call it.
async fn on_postgresql_at(port: u16, definitions: &[&'static Definition]) -> (Wire, String) {
    let front = front::start().await;
    let mut all = Vec::new();
    for definition in definitions {
        let url = format!("postgres://nobody@127.0.0.1:{port}/florin");
        let db = DbConfig::new(url, definition.name).connect().await.unwrap();
        let network = Arc::clone(&front.suite.peers) as Arc<dyn Network>;
        all.push(Service::new(definition, db, front.suite.clock.clone(), network, Settings::default()));
    }
    let key = DevelopmentKey::load_or_create(&front.suite.directory().join("key.json")).unwrap();
    let app = App::new(all, Verifier::new(key.rules()).unwrap(), Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let drain = Drain { stop: CancellationToken::new(), linger: Duration::ZERO, patience: Duration::ZERO };
    tokio::spawn(server::serve(listener, router(&app), drain));
    (Wire::to(address).await, front.bearer())
}

#[tokio::test]
async fn a_postgresql_that_does_not_answer_is_named() {
    // One that refuses connections: bound and given back. And one that takes them and says nothing.
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for port in [refusing, nobody.local_addr().unwrap().port()] {
        let (mut wire, bearer) = on_postgresql_at(port, &[&SHELF]).await;
        let waiting = wire.say("GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n").await.hear().await.unwrap();
        assert_eq!(waiting.status, 503);
        assert_eq!(waiting.body, json!({"status": "waiting", "databases": {"shelf": "away"}}));
        wire.say(format!("GET /v1/books HTTP/1.1\r\nhost: a\r\n{bearer}\r\n\r\n")).await;
        let answer = wire.hear().await.unwrap();
        assert_eq!(answer.no(), (503, "unavailable"), "{answer:?}");
        assert!(answer.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn however_many_databases_are_away_a_probe_hears_of_it_while_it_listens() {
    const fn without_rooms(name: &'static str) -> Definition {
        Definition { name, summary: "", functions: &[], events: &[], migrations: &[], audited: false }
    }
    static OTHERS: [Definition; 6] = [
        without_rooms("ledger"),
        without_rooms("invoicing"),
        without_rooms("customers"),
        without_rooms("checkout"),
        without_rooms("reporting"),
        without_rooms("portal"),
    ];
    let others: Vec<&'static Definition> = OTHERS.iter().collect();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut wire, _) = on_postgresql_at(nobody.local_addr().unwrap().port(), &others).await;
    let began = Instant::now();
    let waiting = wire.say("GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n").await.hear().await.unwrap();
    assert_eq!(waiting.status, 503);
    assert_eq!(waiting.body["databases"].as_object().unwrap().len(), OTHERS.len());
    // One after the other they would take a multiple of this, and Kubernetes listens for a second.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_schema_that_nobody_has_looked_at_is_no_drain_and_the_first_request_looks() {
    let front = front::start().await;
    front.suite.service("shelf").doubt_schema();
    let waiting = front.ask("GET /readyz", &[]).await;
    assert_eq!(waiting.status, 503);
    let databases = json!({"shelf": "unchecked", "porch": "there"});
    assert_eq!(waiting.body, json!({"status": "waiting", "databases": databases}));
    assert_eq!(front.ask("GET /v1/books", &[]).await.status, 200);
    assert_eq!(front.ask("GET /readyz", &[]).await.status, 200);
}

#[tokio::test]
async fn nothing_is_done_on_a_schema_that_does_not_fit() {
    let front = front::start().await;
    let service = front.suite.service("shelf");
    let mut tx = service.db.begin(Wall::System).await.unwrap();
    tx.sql("DELETE FROM florin_migrations WHERE module = 'shelf'").run().await.unwrap();
    assert!(tx.commit().await.is_ok());
    service.doubt_schema();
    for (first, status) in [("GET /v1/books", 503), ("GET /readyz", 503), ("GET /livez", 200)] {
        assert_eq!(front.ask(first, &[]).await.status, status, "{first}");
    }
    assert_eq!(front.put(r#"{"title": "emma"}"#, &[]).await.no(), (503, "unavailable"));
    assert_eq!(service.tick("shelf.purge").await, florin_kernel::corridor::Disposition::NotAttempted);
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
