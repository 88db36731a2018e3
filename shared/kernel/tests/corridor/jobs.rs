//! A tick runs once however many replicas there are, and one item's failure leaves the others alone.

use std::time::Duration;

use florin_kernel::corridor::Disposition;
use florin_testkit::suite::on_each_database;
use serde_json::json;

use crate::notes::{NOTES, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_runs_once_and_finds_the_items_of_every_tenant() {
    on_each_database(&[&NOTES], |suite| async move {
        let (anna, bert) = (suite.client("anna"), suite.client("bert"));
        for (client, text) in [(&anna, "stubborn"), (&anna, "mild"), (&bert, "other")] {
            assert_eq!(client.post("/notes", json!({"text": text})).await.status, 201);
        }
        let service = suite.service("notes");
        let (one, two) = tokio::join!(service.tick("notes.age_notes"), service.tick("notes.age_notes"));
        let mut both = [one, two];
        both.sort_by_key(|d| *d != Disposition::Done);
        assert_eq!(both, [Disposition::Done, Disposition::Duplicate]);
        assert_eq!(texts(&anna).await, ["stubborn", "mild, older"]);
        assert_eq!(texts(&bert).await, ["other, older"]);
        suite.advance(Duration::from_secs(60));
        assert_eq!(service.tick("notes.age_notes").await, Disposition::Done, "the next slot");
        assert_eq!(texts(&bert).await, ["other, older, older"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_nobody_knows_is_left_to_a_release_that_does() {
    on_each_database(&[&NOTES], |suite| async move {
        assert_eq!(suite.service("notes").tick("notes.fold_notes").await, Disposition::NotAttempted);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_does_all_that_is_due_and_stops_where_nothing_gets_on() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        for text in ["blank"; 5] {
            assert_eq!(anna.post("/notes", json!({"text": text})).await.status, 201);
        }
        let service = suite.service("notes");
        assert_eq!(service.tick("notes.stamp_notes").await, Disposition::Done);
        assert_eq!(texts(&anna).await, ["stamped"; 5], "a batch is two");
        for text in ["blank, torn", "blank, torn", "blank"] {
            assert_eq!(anna.post("/notes", json!({"text": text})).await.status, 201);
        }
        suite.advance(Duration::from_secs(60));
        assert_eq!(service.tick("notes.stamp_notes").await, Disposition::Done);
        let left = texts(&anna).await;
        assert_eq!(
            left[5..],
            ["blank, torn", "blank, torn", "blank"],
            "it comes to rest at what always fails"
        );
    })
    .await;
}
