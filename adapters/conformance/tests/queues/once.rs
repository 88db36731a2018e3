//! Deliveries repeat and overtake each other; changes do not.

use florin_kernel::event::Event;
use serde_json::json;

use crate::corner::Corner;
use crate::desk::{PROJECT, TALLY, TENANT};
use crate::looks::{tallied, things, traces};
use crate::sample::thing;

pub(crate) async fn an_event_that_is_published_again_and_again_changes_something_once(corner: Corner) {
    corner.declare(&[TALLY]).await;
    let events: Vec<Event> = (1..=5).map(|version| thing("thing_1", version)).collect();
    let consuming = corner.consume(TALLY, 4).await;
    for _ in 0..4 {
        // In one batch twice, too.
        corner.publish(&[&events[..], &events[..1]].concat()).await;
    }
    for (place, event) in events.iter().enumerate() {
        consuming.handled(&event.id, if place == 0 { 8 } else { 4 }).await;
    }
    consuming.stop().await;
    corner.assert_empty(TALLY).await;
    let counted = tallied(corner.desk(), TALLY).await;
    assert_eq!(counted.len(), events.len());
    assert!(counted.values().all(|times| *times == 1), "{counted:?}");
}

/// Every order of so many versions.
fn orders(versions: &[usize]) -> Vec<Vec<usize>> {
    let [_, _, ..] = versions else { return vec![versions.to_vec()] };
    let mut all = Vec::new();
    for (place, version) in versions.iter().enumerate() {
        let rest = [&versions[..place], &versions[place + 1..]].concat();
        all.extend(orders(&rest).into_iter().map(|order| [vec![*version], order].concat()));
    }
    all
}

pub(crate) async fn every_order_of_a_things_events_ends_in_one_state(corner: Corner) {
    corner.declare(&[PROJECT]).await;
    let orders = orders(&[1, 2, 3, 4]);
    assert_eq!(orders.len(), 24);
    let events: Vec<Event> = orders
        .iter()
        .enumerate()
        .flat_map(|(number, order)| {
            order.iter().map(move |version| thing(&format!("thing_{number}"), *version))
        })
        .collect();
    corner.publish(&events).await;
    let consuming = corner.consume(PROJECT, 4).await;
    consuming.until("all are handled", |log| log.len() >= events.len()).await;
    consuming.stop().await;
    corner.assert_empty(PROJECT).await;
    let things = things(corner.desk()).await;
    assert_eq!(things.len(), orders.len());
    assert!(things.values().all(|thing| *thing == (4, "state 4".to_owned())), "{things:?}");
}

pub(crate) async fn the_trace_of_the_request_reaches_the_reaction(corner: Corner) {
    corner.declare(&[TALLY]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers = [("traceparent", traceparent.as_str()), ("content-type", "application/json")];
    let body = json!({ "id": "thing_1", "state": "new" }).to_string();
    let answer = corner.suite.client(TENANT).request("POST", "/v1/things", &headers, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(corner.relay().await, 1);
    let consuming = corner.consume(TALLY, 1).await;
    consuming.until("it is handled", |log| !log.is_empty()).await;
    consuming.stop().await;
    let traces = traces(corner.desk()).await;
    let [carried] = &traces[..] else { panic!("{traces:?}") };
    assert!(
        carried.starts_with(&format!("00-{trace}-")) && !carried.contains("b7ad6b7169203331"),
        "{carried}"
    );
}
