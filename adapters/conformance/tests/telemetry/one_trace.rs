//! One trace, received by a collector, goes from the HTTP request through outbox, broker and consumer to the record.

use florin_conformance::client::{Client, Outgoing};
use florin_conformance::collector::{Collector, Exemplar, Span};
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::suite::Engine;
use http::Method;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};

use crate::collected;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Confirms a payment inside the caller's trace, with these flags; its identifier.
async fn confirmed(payments: &Client, flags: &str) -> String {
    let body =
        json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let mut outgoing = Outgoing::json(&body, Some("one-trace"));
    outgoing.headers.push(("traceparent".to_owned(), format!("00-{TRACE}-{CALLER}-{flags}")));
    payments.send(Method::POST, "/v1/payments", outgoing).await.expect("an answer").expect(201).id()
}

/// The record of an event in the audit trail.
async fn record_of(audit: &Client, payment: &str, name: &str) -> Value {
    until("the event is recorded", || async {
        let page =
            audit.get(&format!("/v1/audit/records?resource={payment}&limit=100")).await.expect(200).body;
        let records = page["data"].as_array().expect("a page").clone();
        records.into_iter().find(|record| record["name"] == name)
    })
    .await
}

async fn ours(collector: &Collector, what: &str, kind: SpanKind, name: &str) -> Span {
    collector.span(what, |span| span.trace_id == TRACE && span.kind == kind && span.name == name).await
}

/// Follows the event that the effect emitted back to the request.
async fn assert_one_trace(collector: &Collector, system: &str, services: (&str, &str)) {
    let request = ours(collector, "the request", SpanKind::Server, "POST /v1/payments").await;
    assert_eq!((request.parent_id.as_str(), request.service.as_str()), (CALLER, services.0));
    assert_eq!(request.attribute("http.route"), "/v1/payments");
    assert_eq!(request.attribute("url.path"), "/v1/payments");
    assert_eq!(request.attribute("http.request.method"), "POST");
    assert_eq!(request.attribute("http.response.status_code"), "201");
    assert!(!request.failed && request.links.is_empty());

    let effect = ours(collector, "the effect", SpanKind::Internal, "effect payments.charge_card").await;
    assert_eq!(effect.parent_id, request.span_id);
    let sent = collector
        .span("the charge", |span| span.kind == SpanKind::Client && span.parent_id == effect.span_id)
        .await;
    assert_eq!((sent.trace_id.as_str(), sent.name.as_str()), (TRACE, "POST"));
    assert_eq!(sent.attribute("server.address"), "127.0.0.1");

    let kind = "florin.payment.succeeded.v1";
    let publish = ours(collector, "the publish", SpanKind::Producer, &format!("publish {kind}")).await;
    assert_eq!((publish.parent_id.as_str(), publish.service.as_str()), (effect.span_id.as_str(), services.0));
    assert_eq!(publish.attribute("messaging.system"), system);

    let message = publish.attribute("messaging.message.id").to_owned();
    let process = collector
        .span("the delivery", |span| {
            span.kind == SpanKind::Consumer && span.attribute("messaging.message.id") == message
        })
        .await;
    assert_eq!((process.name.as_str(), process.service.as_str()), ("process audit.record_event", services.1));
    assert_eq!(process.trace_id, TRACE);
    assert_eq!(process.parent_id, publish.span_id);
    assert_eq!(
        process.links,
        [(TRACE.to_owned(), publish.span_id.clone())],
        "the consumer links to the producer"
    );
    assert_eq!(process.attribute("messaging.system"), system);
    assert_eq!(process.attribute("messaging.operation.name"), "process");
    assert_eq!(process.attribute("florin.disposition"), "done");
}

/// What is measured reaches the collector with the trace that it was measured in, and with the span that it measures.
async fn assert_metrics(collector: &Collector, services: (&str, &str)) {
    let (request, charge) = (("http.route", "/v1/payments"), ("server.address", "127.0.0.1"));
    let (publish, process) =
        (("messaging.operation.name", "publish"), ("messaging.destination.name", "audit.record_event"));
    for (metric, kind, service, (name, value)) in [
        ("http.server.request.duration", SpanKind::Server, services.0, request),
        ("http.client.request.duration", SpanKind::Client, services.0, charge),
        ("messaging.client.operation.duration", SpanKind::Producer, services.0, publish),
        ("messaging.process.duration", SpanKind::Consumer, services.1, process),
    ] {
        let exemplar = until(metric, || {
            let is_it = |one: &Exemplar| {
                (one.metric.as_str(), one.service.as_str(), one.trace_id.as_str()) == (metric, service, TRACE)
            };
            std::future::ready(collector.exemplars().into_iter().find(is_it))
        })
        .await;
        assert_eq!(exemplar.attributes.get(name).map(String::as_str), Some(value), "{exemplar:?}");
        let measured = collector.span(metric, |span| span.span_id == exemplar.span_id).await;
        assert_eq!((measured.kind, measured.trace_id.as_str()), (kind, TRACE), "{measured:?}");
    }
    let old = "florin.delivery.lag";
    let is_it = |one: Exemplar| one.metric == old && one.service == services.1 && one.trace_id == TRACE;
    until(old, || std::future::ready(collector.exemplars().into_iter().any(is_it).then_some(()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_one_process_the_trace_goes_from_the_request_to_the_record() {
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let collector = collected(&mut site).await;
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let payment = confirmed(&client, "01").await;
    let record = record_of(&client, &payment, "florin.payment.succeeded.v1").await;
    assert_eq!(record["trace_id"], TRACE);
    assert_one_trace(&collector, "florin", ("florin", "florin")).await;
    assert_metrics(&collector, ("florin", "florin")).await;
    florin.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_rabbitmq_the_trace_goes_through_the_processes_of_both_services() {
    let Some(mut site) = Site::new(Engine::Postgres, &Broker::RabbitMq).await else { return };
    let collector = collected(&mut site).await;
    let mut payments = site.serve_with("payments", &[("FLORIN_FUNCTIONS", "payments.*")]).await;
    let mut audit = site.serve_with("audit", &[("FLORIN_FUNCTIONS", "audit.*")]).await;
    let client = site.client(&payments, "acme");
    let payment = confirmed(&client, "01").await;
    let record = record_of(&client.at(audit.base()), &payment, "florin.payment.succeeded.v1").await;
    assert_eq!(record["trace_id"], TRACE);
    assert_one_trace(&collector, "rabbitmq", ("florin-payments", "florin-audit")).await;
    assert_metrics(&collector, ("florin-payments", "florin-audit")).await;
    payments.stop().await;
    audit.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_its_caller_does_not_sample_is_recorded_and_not_exported() {
    let Some(mut site) = Site::new(Engine::Sqlite, &Broker::Embedded).await else { return };
    let collector = collected(&mut site).await;
    let mut florin = site.serve().await;
    let client = site.client(&florin, "acme");
    let payment = confirmed(&client, "00").await;
    let record = record_of(&client, &payment, "florin.payment.succeeded.v1").await;
    assert_eq!(record["trace_id"], TRACE);
    // The end sends what is left: afterwards nothing can be on its way.
    florin.stop().await;
    let spans = collector.spans();
    assert!(!spans.is_empty() && spans.iter().all(|span| span.trace_id != TRACE), "{spans:#?}");
    let exemplars = collector.exemplars();
    assert!(exemplars.iter().all(|one| one.trace_id != TRACE), "{exemplars:#?}");
}
