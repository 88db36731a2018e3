//! Deliveries repeat, changes do not; and what cannot succeed is kept.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use florin_kernel::corridor::{Disposition, LADDER};
use florin_kernel::cx::OPERATION_EVENT;
use florin_kernel::event::{Data, Event};
use florin_kernel::rows::dead_letters;
use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::notes::{NOTES, texts};

fn heard(id: &str, tenant: Option<&str>, text: &str) -> Event {
    let mut extensions = BTreeMap::new();
    if let Some(tenant) = tenant {
        extensions.insert("tenant".to_owned(), tenant.to_owned());
    }
    Event {
        id: id.to_owned(),
        source: "/somewhere".to_owned(),
        kind: "florin.heard.v1".to_owned(),
        subject: None,
        time: None,
        dataschema: None,
        extensions,
        data: Data::Json {
            content_type: "application/json".to_owned(),
            value: json!({"text": text, "a field of tomorrow": true}),
        },
    }
}

async fn deliver(suite: &Suite, event: &Event) -> Disposition {
    suite.service("notes").deliver("notes.copy_note", event.clone(), None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_repeats_changes_nothing_twice_even_at_once() {
    on_each_database(&[&NOTES], |suite| async move {
        let event = heard("e1", Some("anna"), "hello");
        let (one, two, three) =
            tokio::join!(deliver(&suite, &event), deliver(&suite, &event), deliver(&suite, &event));
        let done = [&one, &two, &three].iter().filter(|d| ***d == Disposition::Done).count();
        assert_eq!(done, 1, "{one:?} {two:?} {three:?}");
        assert_eq!(deliver(&suite, &event).await, Disposition::Duplicate);
        assert_eq!(texts(&suite.client("anna")).await, ["hello"]);
        let other_source = Event { source: "/elsewhere".to_owned(), ..event };
        assert_eq!(deliver(&suite, &other_source).await, Disposition::Done);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_climbs_the_ladder_and_ends_as_a_dead_letter_that_can_be_replayed() {
    on_each_database(&[&NOTES], |suite| async move {
        let service = suite.service("notes");
        let event = heard("e1", Some("anna"), "retry");
        for attempt in 1..service.settings.attempts {
            let step = LADDER[usize::try_from(attempt - 1).unwrap().min(LADDER.len() - 1)];
            assert_eq!(
                deliver(&suite, &event).await,
                Disposition::Retry { after: step },
                "attempt {attempt}"
            );
        }
        assert_eq!(deliver(&suite, &event).await, Disposition::Permanent { code: "retry".to_owned() });
        assert_eq!(deliver(&suite, &event).await, Disposition::Duplicate, "a dead letter is not tried again");
        let letters = dead_letters::list(service, 10).await.unwrap();
        assert_eq!((letters.len(), letters[0].attempts), (1, service.settings.attempts));
        assert!(letters[0].event.contains("a field of tomorrow"), "the full event is kept");
        assert!(texts(&suite.client("anna")).await.is_empty(), "nothing of a failed attempt stays");
        let again = dead_letters::replay(service, &letters[0]).await.unwrap();
        assert_eq!(
            again,
            Disposition::Retry { after: LADDER[0] },
            "a replay is the ordinary path from the start"
        );
        assert_eq!(dead_letters::list(service, 10).await.unwrap().len(), 1, "it stays until it succeeds");
        assert!(dead_letters::drop_one(service, &letters[0].id).await.unwrap());
        assert!(dead_letters::list(service, 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_does_with_a_dead_letter_is_recorded_in_its_tenant_about_its_subject() {
    on_each_database(&[&NOTES], |suite| async move {
        let service = suite.service("notes");
        deliver(&suite, &Event { subject: Some("nte_1".to_owned()), ..heard("e1", Some("anna"), "refuse") })
            .await;
        deliver(&suite, &Event { subject: None, ..heard("e2", Some("anna"), "refuse") }).await;
        deliver(&suite, &heard("e3", None, "refuse")).await;
        suite.published().await;
        let letters = dead_letters::list(service, 10).await.unwrap();
        assert!(matches!(
            dead_letters::replay(service, &letters[0]).await.unwrap(),
            Disposition::Permanent { .. }
        ));
        for letter in &letters {
            assert!(dead_letters::drop_one(service, &letter.id).await.unwrap());
        }
        assert!(!dead_letters::drop_one(service, &letters[0].id).await.unwrap());
        let of = |letter: &dead_letters::DeadLetter| (letter.event_id.clone(), letter.id.clone());
        let without_subject = letters.iter().map(of).find(|(event, _)| event == "e2").unwrap().1;
        assert_eq!(
            acts(&suite).await,
            [
                ("notes.drop_dead_letter".to_owned(), without_subject),
                ("notes.drop_dead_letter".to_owned(), "nte_1".to_owned()),
                ("notes.replay_dead_letter".to_owned(), "nte_1".to_owned()),
            ],
            "the letter without a tenant has nobody who could read its record"
        );
    })
    .await;
}

/// The operation and resource of what the operator did in anna's tenant, sorted.
async fn acts(suite: &Suite) -> Vec<(String, String)> {
    let mut acts = Vec::new();
    for event in suite.published().await {
        let record = event.json().expect("JSON");
        if record["actor"]["subject"] == "operator" {
            assert_eq!((event.kind.as_str(), event.extension("tenant")), (OPERATION_EVENT, Some("anna")));
            assert_eq!(record["outcome"], "succeeded");
            let text = |name: &str| record[name].as_str().expect("text").to_owned();
            acts.push((text("operation"), text("resource")));
        }
    }
    acts.sort();
    acts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_two_replay_at_once_is_kept_until_its_event_is_processed() {
    on_each_database(&[&NOTES], |suite| async move {
        let service = suite.service("notes");
        assert!(matches!(
            deliver(&suite, &heard("e1", Some("anna"), "refuse")).await,
            Disposition::Permanent { .. }
        ));
        for _ in 0..10 {
            let letter = dead_letters::list(service, 10).await.unwrap().remove(0);
            let both = tokio::join!(
                dead_letters::replay(service, &letter),
                dead_letters::replay(service, &letter),
                dead_letters::replay(service, &letter)
            );
            assert_eq!(dead_letters::list(service, 10).await.unwrap().len(), 1, "{both:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_permanent_and_a_fault_is_counted() {
    on_each_database(&[&NOTES], |suite| async move {
        let refused = deliver(&suite, &heard("e1", Some("anna"), "refuse")).await;
        assert_eq!(refused, Disposition::Permanent { code: "note_not_wanted".to_owned() });
        for text in ["fault", "panic"] {
            let faulty = deliver(&suite, &heard(text, Some("anna"), text)).await;
            assert_eq!(faulty, Disposition::Retry { after: Duration::from_secs(1) });
        }
        for (id, tenant) in [("e2", None), ("e3", Some("")), ("e4", Some("not a tenant"))] {
            let nobody = deliver(&suite, &heard(id, tenant, "hello")).await;
            assert_eq!(nobody, Disposition::Permanent { code: "tenant_missing".to_owned() });
        }
        let foreign = Event { kind: "other.thing".to_owned(), ..heard("e6", Some("anna"), "hello") };
        let foreign = deliver(&suite, &foreign).await;
        assert_eq!(foreign, Disposition::Permanent { code: "type_not_wanted".to_owned() });
        let unreadable = Event { data: Data::None, ..heard("e5", Some("anna"), "") };
        assert!(matches!(deliver(&suite, &unreadable).await, Disposition::Permanent { .. }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_id_and_source_are_recorded_and_kept() {
    on_each_database(&[&NOTES], |suite| async move {
        // Text that repeats is compressed before it goes into an index, and proves nothing of its size.
        let long = |name: &str| -> String {
            let words = (0..1_024 / 16).map(|n| {
                let mut hasher = DefaultHasher::new();
                (name, n).hash(&mut hasher);
                format!("{:016x}", hasher.finish())
            });
            words.collect()
        };
        let event = Event { source: long("source"), ..heard(&long("id"), Some("anna"), "hello") };
        assert_eq!(deliver(&suite, &event).await, Disposition::Done);
        assert_eq!(deliver(&suite, &event).await, Disposition::Duplicate);
        let foreign = Event { kind: long("type"), ..event };
        let foreign = Event { id: long("another id"), subject: Some(long("subject")), ..foreign };
        for _ in 0..2 {
            let refused = deliver(&suite, &foreign).await;
            assert_eq!(refused, Disposition::Permanent { code: "type_not_wanted".to_owned() });
        }
        let letters = dead_letters::list(suite.service("notes"), 10).await.unwrap();
        assert_eq!(letters.iter().map(|letter| &letter.event_id).collect::<Vec<_>>(), [&foreign.id]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_costs_no_attempt_and_makes_no_dead_letter() {
    on_each_database(&[&NOTES], |suite| async move {
        let event = heard("e1", Some("anna"), "away");
        for _ in 0..suite.service("notes").settings.attempts * 2 {
            assert_eq!(deliver(&suite, &event).await, Disposition::NotAttempted);
        }
        assert!(dead_letters::list(suite.service("notes"), 10).await.unwrap().is_empty());
        let well = heard("e1", Some("anna"), "hello");
        assert_eq!(deliver(&suite, &well).await, Disposition::Done);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_whose_time_is_up_was_not_attempted() {
    on_each_database(&[&NOTES], |suite| async move {
        let event = heard("e1", Some("anna"), "hello");
        let late =
            suite.service("notes").deliver("notes.copy_note", event.clone(), Some(Duration::ZERO)).await;
        assert_eq!(late, Disposition::NotAttempted);
        assert_eq!(deliver(&suite, &event).await, Disposition::Done);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_was_done_meanwhile_is_never_buried() {
    on_each_database(&[&NOTES], |suite| async move {
        let service = suite.service("notes");
        let event = heard("e1", Some("anna"), "hello");
        assert_eq!(deliver(&suite, &event).await, Disposition::Done);
        // Another runner of the same delivery that comes to a refusal only now.
        let late = Event { data: heard("e1", Some("anna"), "refuse").data, ..event.clone() };
        assert_eq!(deliver(&suite, &late).await, Disposition::Duplicate);
        assert!(dead_letters::list(service, 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_forgets_after_its_time_but_not_while_a_dead_letter_stands() {
    on_each_database(&[&NOTES], |suite| async move {
        let service = suite.service("notes");
        for (id, text) in [("done", "hello"), ("failing", "retry"), ("dead", "refuse")] {
            deliver(&suite, &heard(id, Some("anna"), text)).await;
        }
        suite.advance(service.settings.keep_inbox + Duration::from_secs(1));
        service.tick("notes.purge").await;
        let refuse = heard("dead", Some("anna"), "refuse");
        assert_eq!(deliver(&suite, &refuse).await, Disposition::Duplicate, "its letter stands");
        let retry = heard("failing", Some("anna"), "retry");
        assert_eq!(
            deliver(&suite, &retry).await,
            Disposition::Retry { after: LADDER[0] },
            "from the first attempt"
        );
        assert_eq!(deliver(&suite, &heard("done", Some("anna"), "hello")).await, Disposition::Done);
        let letters = dead_letters::list(service, 10).await.unwrap();
        dead_letters::drop_one(service, &letters[0].id).await.unwrap();
        suite.advance(service.settings.keep_inbox + Duration::from_secs(1));
        service.tick("notes.purge").await;
        assert!(matches!(deliver(&suite, &refuse).await, Disposition::Permanent { .. }));
    })
    .await;
}
