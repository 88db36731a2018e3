//! The change, its events, its record, its effects and its key commit together or not at all.

use florin_kernel::cx::OPERATION_EVENT;
use florin_kernel::rows::effects;
use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::notes::{NOTES, texts};

/// What was published of a suite: the types, without those of operations; and the outcomes of those.
async fn told(suite: &Suite) -> (Vec<String>, Vec<String>) {
    let events = suite.published().await;
    let (records, others): (Vec<_>, Vec<_>) = events.into_iter().partition(|e| e.kind == OPERATION_EVENT);
    let outcome = |event: &florin_kernel::event::Event| {
        event.json().and_then(|data| data["outcome"].as_str()).unwrap_or_default().to_owned()
    };
    (others.iter().map(|e| e.kind.clone()).collect(), records.iter().map(outcome).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_commits_with_its_event_and_its_record() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        assert_eq!(anna.post("/notes", json!({"text": "hello"})).await.status, 201);
        assert_eq!(texts(&anna).await, ["hello"]);
        assert_eq!(
            told(&suite).await,
            (vec!["florin.note.written.v1".to_owned()], vec!["succeeded".to_owned()])
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_its_record_and_its_key_and_nothing_else() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        let refused = anna.post_once("/notes", "k", json!({"text": "hello", "ending": "refuse"})).await;
        assert_eq!((refused.status, refused.code()), (409, "note_not_wanted"));
        assert_eq!(texts(&anna).await, [""; 0]);
        assert_eq!(told(&suite).await, (vec![], vec!["refused".to_owned()]));
        assert!(effects::list(suite.service("notes"), 10).await.unwrap().is_empty());
        let again = anna.post_once("/notes", "k", json!({"text": "hello", "ending": "refuse"})).await;
        assert_eq!((&again.bytes, again.header("idempotency-replayed")), (&refused.bytes, Some("true")));
        assert_eq!(told(&suite).await, (vec![], vec![]), "a replay is no second operation");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_leaves_nothing_and_says_nothing_of_itself() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        for ending in ["fault", "panic"] {
            let fault = anna.post_once("/notes", "k", json!({"text": "hello", "ending": ending})).await;
            assert_eq!((fault.status, fault.code()), (500, "internal"));
            assert!(!fault.body["trace_id"].as_str().unwrap_or_default().is_empty());
            assert!(!String::from_utf8_lossy(&fault.bytes).contains("pa55word"), "{fault:?}");
            assert_eq!(texts(&anna).await, [""; 0]);
            assert_eq!(told(&suite).await, (vec![], vec![]));
            assert!(effects::list(suite.service("notes"), 10).await.unwrap().is_empty());
            assert!(suite.peers.seen().is_empty(), "nobody is asked before the commit");
        }
        let well = anna.post_once("/notes", "k", json!({"text": "hello"})).await;
        assert_eq!(well.status, 201, "the key of a fault is free: {well:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serialization_failure_runs_the_whole_room_again_at_most_three_times() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        let never = anna.post("/notes", json!({"text": "never", "ending": "contended_always"})).await;
        assert_eq!(
            (never.status, never.code(), never.header("retry-after")),
            (503, "unavailable", Some("1"))
        );
        assert_eq!(told(&suite).await, (vec![], vec![]));
        let once = anna.post("/notes", json!({"text": "once", "ending": "contended_once"})).await;
        assert_eq!(once.status, 201, "{once:?}");
        assert_eq!(texts(&anna).await, ["once"]);
        assert_eq!(told(&suite).await.0.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_the_limit_is_refused_where_it_is_emitted() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        let large = anna.post("/notes", json!({"text": "x".repeat(200_000)})).await;
        assert_eq!((large.status, large.code()), (413, "event_too_large"));
        let named = anna.post("/notes", json!({"text": "hello", "ending": "named_too_long"})).await;
        assert_eq!((named.status, named.code()), (413, "event_too_large"));
        assert_eq!(texts(&anna).await, [""; 0]);
    })
    .await;
}
