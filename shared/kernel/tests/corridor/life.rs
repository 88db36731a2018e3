//! Kernel rows have a life, and what is not over stays.

use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_kernel::rows::outbox;
use florin_testkit::suite::on_each_database;
use serde_json::json;

use crate::notes::NOTES;

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_a_day_and_an_unpublished_event_lives_until_it_is_published() {
    on_each_database(&[&NOTES], |suite| async move {
        let (anna, service) = (suite.client("anna"), suite.service("notes"));
        let first = anna.post_once("/notes", "k", json!({"text": "hello"})).await;
        suite.advance(HOUR * 23);
        assert_eq!(service.tick("notes.purge").await, Disposition::Done);
        let kept = anna.post_once("/notes", "k", json!({"text": "hello"})).await;
        assert_eq!(kept.bytes, first.bytes);
        suite.advance(HOUR * 2);
        assert_eq!(service.tick("notes.purge").await, Disposition::Done);
        let forgotten = anna.post_once("/notes", "k", json!({"text": "other"})).await;
        assert_eq!((forgotten.status, forgotten.header("idempotency-replayed")), (201, None));
        suite.advance(HOUR * 24 * 40);
        service.tick("notes.purge").await;
        assert_eq!(outbox::backlog(service).await.unwrap().0, 4, "two events and two records still wait");
        assert_eq!(suite.published().await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_or_done_is_purged_after_a_week() {
    on_each_database(&[&NOTES], |suite| async move {
        let (anna, service) = (suite.client("anna"), suite.service("notes"));
        anna.post("/notes", json!({"text": "hello", "ring": true})).await;
        suite.published().await;
        suite.advance(HOUR * 24 * 6);
        let early = florin_kernel::rows::purge::purge(service).await.unwrap();
        assert_eq!(early, 1, "the operation alone");
        suite.advance(HOUR * 24 * 2);
        let late = florin_kernel::rows::purge::purge(service).await.unwrap();
        assert_eq!(late, 4, "an event, two records, an effect");
    })
    .await;
}
