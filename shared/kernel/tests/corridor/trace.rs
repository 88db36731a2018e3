//! One trace goes from the request through the outbox and the effect.

use florin_testkit::suite::on_each_database;

use crate::notes::NOTES;

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_trace_is_in_every_event_and_in_the_request_to_the_peer() {
    on_each_database(&[&NOTES], |suite| async move {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
        let headers = [
            ("content-type", "application/json"),
            ("x-request-id", "request-7"),
            ("traceparent", traceparent.as_str()),
        ];
        let body = r#"{"text": "hello", "ring": true}"#;
        let reply = suite.client("anna").request("POST", "/notes", &headers, body).await;
        assert_eq!((reply.status, reply.header("x-request-id")), (200, Some("request-7")));
        let events = suite.published().await;
        assert_eq!(events.len(), 3);
        for event in &events {
            let carried = event.extension("traceparent").unwrap_or_default();
            assert!(carried.contains(trace) && !carried.contains("00f067aa0ba902b7"), "{carried}");
        }
        let sent = suite.peers.seen();
        assert!(sent[0].traceparent.as_deref().unwrap_or_default().contains(trace));
        let of_request = events.iter().filter(|e| e.json().is_some_and(|d| d["request_id"] == "request-7"));
        assert_eq!(of_request.count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_no_trace_is_replaced() {
    on_each_database(&[&NOTES], |suite| async move {
        let no_trace = [("traceparent", "00-zz-zz-01")];
        let reply = suite.client("anna").request("GET", "/nothing", &no_trace, "").await;
        assert_eq!(reply.body["trace_id"].as_str().unwrap_or_default().len(), 32);
    })
    .await;
}
