//! Effects run at least once under one stable key, and their first outcome wins.

use std::time::Duration;

use florin_kernel::rows::backlog;
use florin_kernel::rows::effects::{self, Retried, Twice};
use florin_kernel::service::Settings;
use florin_testkit::suite::{Fault, Suite, on_each_database, on_each_database_with};
use serde_json::json;

use crate::notes::{NOTES, texts};

fn impatient() -> Settings {
    Settings { wait: Duration::from_millis(50), ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_may_need_a_further_request_under_the_same_key() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        let reply = anna.post("/notes", json!({"text": "twice", "ring": true})).await;
        assert_eq!((reply.status, &reply.body["text"]), (200, &json!("twice rang: 200")));
        let keys: Vec<String> = suite.peers.seen().into_iter().map(|o| o.key).collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0], keys[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_under_the_same_key_and_a_202_is_never_stored() {
    on_each_database_with(&[&NOTES], &impatient(), |suite| async move {
        let anna = suite.client("anna");
        let body = json!({"text": "hello", "ring": true});
        suite.peers.fail_next(&[Fault::AnswerLost, Fault::NotSent]);
        let open = anna.post_once("/notes", "k", body.clone()).await;
        assert_eq!((open.status, open.header("retry-after")), (202, Some("1")), "{open:?}");
        assert_eq!(open.body["text"], "hello", "a 202 shows how it stands");
        for _ in 0..2 {
            // The caller has his answer before the run has its end.
            suite.drained().await;
            suite.advance(Duration::from_secs(10));
            suite.sweep().await;
        }
        let closed = anna.post_once("/notes", "k", body.clone()).await;
        assert_eq!((closed.status, &closed.body["text"]), (200, &json!("hello rang: 200")));
        assert_eq!(closed.header("idempotency-replayed"), Some("true"));
        let again = anna.post_once("/notes", "k", body).await;
        assert_eq!(again.bytes, closed.bytes);
        let seen = suite.peers.seen();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|outgoing| outgoing.key == seen[0].key));
    })
    .await;
}

/// Waits for what another task is about to do.
async fn until(suite: &Suite, requests: usize) {
    let arrived = async {
        while suite.peers.seen().len() < requests {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived).await.expect("the request arrives");
}

/// Waits until the one effect that is wanted is leased from now on.
async fn renewed(suite: &Suite) {
    let wanted = suite.clock.now().plus(effects::LEASE);
    let renewal = async {
        while effects::list(suite.service("notes"), 1).await.expect("the list is read")[0].due_at < wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), renewal).await.expect("the runner renews its lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_lives_keeps_its_lease_and_loses_it_when_it_was_asleep() {
    on_each_database_with(&[&NOTES], &impatient(), |suite| async move {
        let anna = suite.client("anna");
        suite.peers.fail_next(&[Fault::Stuck]);
        assert_eq!(anna.post("/notes", json!({"text": "hello", "ring": true})).await.status, 202);
        until(&suite, 1).await;
        for _ in 0..4 {
            suite.advance(Duration::from_secs(4));
            renewed(&suite).await;
            assert_eq!(suite.sweep().await, 0, "somebody holds it");
        }
        suite.advance(effects::LEASE + Duration::from_secs(1));
        assert_eq!(suite.sweep().await, 1);
        assert_eq!(texts(&anna).await, ["hello rang: 200"]);
        assert_eq!(suite.peers.seen().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_died_loses_its_lease_and_only_one_outcome_is_recorded() {
    on_each_database_with(&[&NOTES], &impatient(), |suite| async move {
        let anna = suite.client("anna");
        suite.peers.fail_next(&[Fault::Stuck]);
        assert_eq!(anna.post("/notes", json!({"text": "hello", "ring": true})).await.status, 202);
        until(&suite, 1).await;
        assert_eq!(suite.sweep().await, 0, "the lease holds");
        suite.advance(Duration::from_secs(7));
        let (one, two) = tokio::join!(suite.sweep(), suite.sweep());
        assert!(one + two >= 1);
        assert_eq!(texts(&anna).await, ["hello rang: 200"]);
        let records: Vec<_> = suite
            .published()
            .await
            .into_iter()
            .filter(|event| event.json().is_some_and(|data| data["operation"] == "notes.record_bell"))
            .collect();
        assert_eq!(records.len(), 1, "{records:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_recorded_by_whoever_has_it_first_with_a_lease_or_without() {
    on_each_database_with(&[&NOTES], &impatient(), |suite| async move {
        let anna = suite.client("anna");
        suite.peers.fail_next(&[Fault::Asleep]);
        assert_eq!(anna.post("/notes", json!({"text": "hello", "ring": true})).await.status, 202);
        suite.peers.until_answered(1).await;
        suite.advance(effects::LEASE + Duration::from_secs(1));
        suite.peers.wake();
        suite.drained().await;
        assert_eq!(texts(&anna).await, ["hello rang: 200"], "its lease ran out while it slept");
        assert_eq!((suite.sweep().await, suite.peers.seen().len()), (0, 1), "the peer was asked again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_effect_that_is_never_resolved_needs_a_person_and_can_be_wanted_again() {
    on_each_database_with(&[&NOTES], &impatient(), |suite| async move {
        let (anna, service) = (suite.client("anna"), suite.service("notes"));
        suite.peers.fail_next(&[Fault::AnswerLost]);
        let body = json!({"text": "hello", "ring": true});
        assert_eq!(anna.post_once("/notes", "k", body.clone()).await.status, 202);
        suite.drained().await;
        suite.advance(Duration::from_secs(2 * 60 * 60));
        suite.sweep().await;
        assert_eq!(suite.peers.seen().len(), 1, "a peer that may have forgotten the key was asked again");
        let open = effects::list(service, 10).await.unwrap();
        assert_eq!((open.len(), open[0].state.as_str()), (1, "needs_review"));
        let given_up = anna.post_once("/notes", "k", body).await;
        assert_eq!((given_up.status, &given_up.body["text"]), (200, &json!("hello rang: unresolved")));
        assert_eq!(suite.sweep().await, 0, "nobody tries it by himself");
        assert_eq!(effects::retry(service, &open[0].id, Twice::Never).await.unwrap(), Retried::Wanted);
        assert_eq!(suite.sweep().await, 1);
        assert_eq!(texts(&anna).await, ["hello rang: 200"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_and_cannot_be_read_is_never_called_undone() {
    on_each_database_with(&[&NOTES], &impatient(), |suite| async move {
        let anna = suite.client("anna");
        suite.peers.fail_next(&[Fault::NotSent]);
        let body = json!({"text": "unreadable", "ring": true});
        let unknown = anna.post_once("/notes", "k", body).await;
        assert_eq!((unknown.status, unknown.code()), (503, "outcome_unknown"), "{unknown:?}");
        assert!(
            unknown.body["operation_id"].as_str().is_some_and(|id| id.starts_with("opr_")),
            "{unknown:?}"
        );
        assert!(unknown.header("retry-after").is_some());
        assert_eq!(effects::list(suite.service("notes"), 10).await.unwrap().len(), 1, "it is under way");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_needs_a_person_stands_and_its_effect_can_be_wanted_again() {
    on_each_database(&[&NOTES], |suite| async move {
        let (anna, service) = (suite.client("anna"), suite.service("notes"));
        suite.peers.fail_next(&[Fault::Says(299, "")]);
        let reply = anna.post("/notes", json!({"text": "hello", "ring": true})).await;
        assert_eq!((reply.status, &reply.body["text"]), (200, &json!("hello rang: 299")));
        suite.advance(Duration::from_secs(2 * 60 * 60));
        assert_eq!(suite.sweep().await, 0, "nobody tries it by himself");
        let open = effects::list(service, 10).await.unwrap();
        let [effect] = open.as_slice() else { panic!("{open:?}") };
        let why = effect.last_error.as_deref();
        assert_eq!((effect.state.as_str(), why), ("needs_review", Some("the bell is cracked")));
        assert_eq!(backlog::read(service).await.unwrap().needs_review.count, 1);
        assert_eq!(effects::retry(service, &effect.id, Twice::Never).await.unwrap(), Retried::Wanted);
        assert_eq!(suite.sweep().await, 1);
        assert!(effects::list(service, 10).await.unwrap().is_empty());
        assert_eq!(texts(&anna).await, ["hello rang: 200"]);
    })
    .await;
}
