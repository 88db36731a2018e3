//! What is published arrives, as it was, at everyone who wants it.

use std::collections::BTreeSet;

use florin_kernel::event::{Data, Event, MAX_EVENT_BYTES};
use florin_kernel::rows::{dead_letters, outbox};
use florin_queue::cloudevents::{Limits, decode_structured, encode_structured};
use serde_json::json;

use crate::corner::{Corner, ids};
use crate::desk::{FOLLOW, PROJECT, TALLY, TALLY_ANSWER, TENANT};
use crate::looks::{tallied, things};
use crate::sample::{thing, told, unrelated};

/// A dead letter keeps the whole event, so it shows what arrived.
async fn arrived(corner: &Corner) -> Vec<Event> {
    let letters = dead_letters::list(corner.desk(), 100).await.expect("the dead letters are read");
    let decode = |text: &str| decode_structured(text.as_bytes(), &Limits::default()).expect("an event");
    letters.iter().map(|letter| decode(&letter.event)).collect()
}

pub(crate) async fn what_is_published_waits_for_its_consumer_and_arrives_as_it_was(corner: Corner) {
    corner.declare(&[FOLLOW]).await;
    let sent = told(&["refuse"]);
    corner.publish(std::slice::from_ref(&sent)).await;
    let consuming = corner.consume(FOLLOW, 1).await;
    consuming.handled(&sent.id, 1).await;
    consuming.stop().await;
    corner.assert_empty(FOLLOW).await;
    assert_eq!(arrived(&corner).await, [sent]);
}

pub(crate) async fn each_function_gets_its_own_copy_of_what_it_wants_and_nothing_else(corner: Corner) {
    let all = [TALLY, PROJECT, FOLLOW, TALLY_ANSWER];
    corner.declare(&all).await;
    let (first, second) = (told(&["done"]), thing("thing_1", 1));
    let mut removed = thing("thing_1", 2);
    removed.kind = "florin.thing.removed.v1".to_owned();
    let mut of_nobody = thing("thing_1", 3);
    of_nobody.kind = "florin.thing.v1".to_owned();
    corner.publish(&[first.clone(), second.clone(), unrelated(), removed.clone(), of_nobody]).await;
    let wanted = [
        (TALLY, BTreeSet::from([second.id.clone(), removed.id.clone()])),
        (PROJECT, BTreeSet::from([second.id.clone()])),
        (FOLLOW, BTreeSet::from([first.id.clone()])),
    ];
    for (function, wanted) in wanted {
        let consuming = corner.consume(function, 4).await;
        for id in &wanted {
            consuming.handled(id, 1).await;
        }
        let handled = consuming.stop().await;
        assert_eq!(handled.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(), wanted, "{function}");
        corner.assert_empty(function).await;
    }
    // The fourth is still there for its function, untouched by what became of the others' copies.
    let consuming = corner.consume(TALLY_ANSWER, 4).await;
    consuming.until("both are counted", |log| log.len() >= 2).await;
    consuming.stop().await;
    assert_eq!(tallied(corner.desk(), TALLY_ANSWER).await.len(), 2);
}

pub(crate) async fn events_come_in_order_where_the_queue_says_so(corner: Corner) {
    corner.declare(&[TALLY]).await;
    let events: Vec<Event> = (1..=40).map(|version| thing("thing_1", version)).collect();
    corner.publish(&events).await;
    let consuming = corner.consume(TALLY, 1).await;
    consuming.until("all are handled", |log| log.len() >= events.len()).await;
    let came: Vec<String> = consuming.stop().await.into_iter().map(|one| one.id).collect();
    let published: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!(came.iter().cloned().collect::<BTreeSet<_>>(), ids(&events));
    assert!(!corner.features().ordered || came == published, "{came:?}");
}

pub(crate) async fn the_largest_event_travels_and_a_larger_one_is_refused_where_it_is_emitted(
    corner: Corner,
) {
    corner.declare(&[PROJECT]).await;
    let client = corner.suite.client(TENANT);
    let change = async |id: &str, length: usize| {
        client.post("/v1/things", json!({ "id": id, "state": "ü".repeat(length / 2) })).await
    };
    let refused = change("too_large", MAX_EVENT_BYTES).await;
    assert_eq!((refused.status, refused.code()), (413, "event_too_large"), "{refused:?}");
    assert!(things(corner.desk()).await.is_empty(), "the change went with its event");
    assert_eq!(outbox::backlog(corner.desk()).await.expect("the outbox is read").0, 0);

    // Attributes and the data's other members take the rest.
    let largest = MAX_EVENT_BYTES - 400;
    let taken = change("large", largest).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(corner.relay().await, 1);
    let declared = corner.features().max_event_bytes.unwrap_or(2_000_000);
    assert!(declared > MAX_EVENT_BYTES, "what can be emitted can be carried");
    let wide = wide(declared);
    corner.publish(std::slice::from_ref(&wide)).await;
    let consuming = corner.consume(PROJECT, 1).await;
    consuming.until("both are handled", |log| log.len() >= 2).await;
    consuming.stop().await;
    corner.assert_nothing_set_aside(PROJECT).await;
    let things = things(corner.desk()).await;
    assert_eq!(things["large"].1.len(), largest);
    assert_eq!(things["wide"].1.len(), state_of(&wide).len());
}

/// An event of exactly so many bytes of structured JSON.
fn wide(bytes: usize) -> Event {
    let sized = |length: usize| {
        let mut event = thing("wide", 1);
        let value = json!({ "id": "wide", "state": "x".repeat(length) });
        event.data = Data::Json { content_type: "application/json".to_owned(), value };
        event
    };
    let empty = encode_structured(&sized(0)).expect("an event").len();
    sized(bytes - empty)
}

fn state_of(event: &Event) -> String {
    event.json().and_then(|data| data["state"].as_str()).unwrap_or_default().to_owned()
}
