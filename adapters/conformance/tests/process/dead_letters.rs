//! A delivery that keeps failing becomes a dead letter, which commands beside the serving process list, show,
//! replay by the ordinary path, and drop.

use florin_conformance::client::{Client, Outgoing, Reply};
use florin_conformance::process;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_testkit::suite::Engine;
use http::Method;
use serde_json::{Value, json};

async fn push(platform: &Client, id: &str) -> Reply {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/florin/payments", "type": "florin.payment.succeeded.v1",
        "subject": "pay_01a20c4981047b05ab49de913dc43ad3", "tenant": "acme", "sequence": "2",
        "time": "2026-01-31T12:00:00Z", "datacontenttype": "application/json", "data": { "payment": {} },
    });
    let headers = vec![("content-type".to_owned(), "application/cloudevents+json".to_owned())];
    let outgoing = Outgoing { headers, body: event.to_string().into_bytes() };
    platform.send(Method::POST, "/_deliver/audit.record_event", outgoing).await.expect("an answer")
}

fn letters(site: &Site) -> Vec<Value> {
    let listed = site.command(&["dead-letters", "list"]);
    listed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON each")).collect()
}

async fn check(engine: Engine) {
    let Some(site) = Site::new(engine, &Broker::Embedded).await else { return };
    let florin = site.serve_with("florin", &[("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET)]).await;
    let client = site.client(&florin, "acme");
    let platform = Client::new(florin.base(), Some(DELIVERY_SECRET.to_owned()));
    let rows = site.rows("audit");
    assert!(letters(&site).is_empty());

    // The function fails as long as its table is not there; its last attempts are near.
    rows.run("ALTER TABLE audit_records RENAME TO audit_records_away").await;
    for id in ["evt-1", "evt-2"] {
        let failed = push(&platform, id).await.expect(503);
        assert!(failed.header("retry-after").is_some(), "{failed:?}");
    }
    assert_eq!(rows.run("UPDATE florin_inbox SET attempts = 11 WHERE state = 'failing'").await, 2);
    for id in ["evt-1", "evt-2"] {
        push(&platform, id).await.expect(202);
    }
    let listed = letters(&site);
    let events: Vec<&Value> = listed.iter().map(|letter| &letter["event_id"]).collect();
    assert_eq!(events, ["evt-1", "evt-2"]);
    assert_eq!(listed[0]["attempts"], 12);
    let ids: Vec<&str> = listed.iter().map(|letter| letter["id"].as_str().expect("an id")).collect();
    let shown = site.command(&["dead-letters", "show", ids[0]]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["function"], "audit.record_event");
    assert!(shown["event"].to_string().contains("florin.payment.succeeded.v1"), "{shown}");

    // Replayed too early it stays, and the command says so; once the table is back it is recorded, once.
    let early = process::run(&["dead-letters", "replay", ids[0]], &site.environment(), site.directory());
    assert!(!early.status.success());
    assert!(String::from_utf8_lossy(&early.stderr).contains("failed again"));
    assert_eq!(letters(&site).len(), 2);
    rows.run("ALTER TABLE audit_records_away RENAME TO audit_records").await;
    site.command(&["dead-letters", "replay", ids[0]]);
    site.command(&["dead-letters", "drop", ids[1]]);
    assert!(letters(&site).is_empty());
    let about = "pay_01a20c4981047b05ab49de913dc43ad3";
    let act = |verb: &str| format!("operation audit.{verb}_dead_letter {about} succeeded");
    let mut expected = vec![format!("event florin.payment.succeeded.v1 {about} 2")];
    // What was tried is recorded as what succeeded is; a letter that is dropped is a record that never will be.
    expected.extend([act("replay"), act("replay"), act("drop")]);
    florin_conformance::audit::assert_recorded(&site, &client, expected).await;

    let unknown = process::run(&["dead-letters", "show", ids[1]], &site.environment(), site.directory());
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains(ids[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_it_is_listed_shown_replayed_and_dropped() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_it_is_listed_shown_replayed_and_dropped() {
    check(Engine::Postgres).await;
}
