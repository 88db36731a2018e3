//! A forged `payment.succeeded`, with no credential or a wrong one, at every path: nowhere is it an event.

use florin_conformance::client::Client;
use florin_conformance::site::DELIVERY_SECRET;
use florin_queue::cloudevents::{encode_http_batched, encode_http_binary, encode_http_structured};
use florin_testkit::suite::Engine;

use crate::{AUDIT, Knative, paid, push};

/// Doors, and what a stranger hears there.
const PATHS: [(&str, u16); 12] = [
    (AUDIT, 401),
    ("/_deliver/payments.sweep", 401),
    ("/_deliver/payments.record_charge", 401),
    ("/_deliver/nothing", 401),
    ("/v1/payments", 401),
    ("/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3/confirm", 401),
    ("/v1/refunds", 401),
    // These take no POST, so there is no door to knock at.
    ("/v1/audit/records", 405),
    ("/readyz", 405),
    ("/", 405),
    ("/_deliver", 404),
    ("/events", 404),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_event_is_turned_away_at_every_door_and_changes_nothing() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let base = knative.florin.base();
    let strangers = [
        ("nobody", Client::new(base, None)),
        ("another secret", knative.bearer("a-secret-that-only-the-attacker-knows")),
        ("half the secret", knative.bearer(&DELIVERY_SECRET[..16])),
        ("more than the secret", knative.bearer(&format!("{DELIVERY_SECRET}.."))),
        ("nothing after Bearer", knative.bearer("")),
    ];
    for (who, stranger) in &strangers {
        for (path, status) in PATHS {
            let event = paid("evt-forged");
            for carried in [
                encode_http_binary(&event),
                encode_http_structured(&event),
                encode_http_batched(std::slice::from_ref(&event)),
            ] {
                let reply = push(stranger, path, carried.expect("an event")).await;
                assert_eq!(reply.status, status, "{who} at {path}: {reply:?}");
                let kind = reply.header("content-type");
                assert_eq!(kind, Some("application/problem+json"), "{who} at {path}: {reply:?}");
                if status == 401 {
                    assert!(reply.header("www-authenticate").is_some(), "{who} at {path}: {reply:?}");
                }
            }
        }
    }
    assert_eq!(knative.recorded().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_token_delivers_no_events_and_the_secret_calls_no_operation() {
    let Some(knative) = Knative::start(Engine::Sqlite).await else { return };
    let event = || encode_http_structured(&paid("evt-forged")).expect("an event");
    assert_eq!(push(&knative.client, AUDIT, event()).await.status, 401);
    let platform = knative.bearer(DELIVERY_SECRET);
    platform.get("/v1/payments").await.expect(401);
    // At an operation's door an event is a body that does not read.
    let reply = push(&knative.client, "/v1/payments", event()).await;
    assert!([400, 415].contains(&reply.status), "{reply:?}");
    assert_eq!(knative.recorded().await, 0);
}
