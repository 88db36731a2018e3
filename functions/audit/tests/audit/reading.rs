//! Reading one record, and who may.

use florin_testkit::suite::{Suite, on_each_database};
use serde_json::json;

use crate::trail::{SERVICES, auditor, pay, records};

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_all_its_fields_and_is_found_by_its_identifier() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let made = pay(&shop, json!({ "reference": "r" })).await;
        let events = suite.settle().await;
        let created = events.iter().find(|e| e.kind == "florin.payment.created.v1").unwrap();
        let auditor = auditor(&suite, "shop");
        let record = &records(&auditor, "&kind=event").await[0];
        let id = record["id"].as_str().unwrap();
        assert!(id.starts_with("aud_"), "{id}");
        assert_eq!(
            record,
            &json!({
                "id": id, "kind": "event", "name": "florin.payment.created.v1", "actor": null, "client": null,
                "resource": made.id(), "outcome": null, "code": null, "request_id": null,
                "trace_id": record["trace_id"], "source": "/florin/payments", "event_id": created.id,
                "sequence": 1, "occurred_at": "2026-01-31T12:00:00.000000Z",
                "recorded_at": "2026-01-31T12:00:00.000000Z", "data": { "payment": made.body, "previous": null }
            })
        );
        assert_eq!(auditor.get(&format!("/v1/audit/records/{id}")).await.body, *record);
        let operation = &records(&auditor, "&kind=operation").await[0];
        let data = &operation["data"];
        assert_eq!(
            (&data["operation"], &data["resource"]),
            (&json!("payments.create_payment"), &json!(made.id()))
        );
        assert_eq!(operation["event_id"], data["operation_id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_records_do_not_exist() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let made = pay(&suite.client("shop"), json!({})).await.id();
        suite.settle().await;
        let id = records(&auditor(&suite, "shop"), "").await[0]["id"].as_str().unwrap().to_owned();
        let other = auditor(&suite, "other");
        let unknown = format!("aud_{}", "0".repeat(32));
        for id in [&id, &unknown] {
            let reply = other.get(&format!("/v1/audit/records/{id}")).await;
            assert_eq!((reply.status, reply.code()), (404, "audit_record_not_found"));
        }
        for query in [String::new(), format!("&resource={made}"), "&actor=tester".to_owned()] {
            assert_eq!(records(&other, &query).await, Vec::<serde_json::Value>::new(), "{query}");
        }
        let wrong_kind = other.get(&format!("/v1/audit/records/{made}")).await;
        assert_eq!((wrong_kind.status, &wrong_kind.body["errors"][0]["parameter"]), (400, &json!("id")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_read_with_the_scope_for_it_alone() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let id = format!("aud_{}", "0".repeat(32));
        let clerk = suite.client_with("shop", "clerk", &["payments:read", "payments:write", "refunds:write"]);
        for path in ["/v1/audit/records".to_owned(), format!("/v1/audit/records/{id}")] {
            let (reply, nobody) = (clerk.get(&path).await, suite.stranger().get(&path).await);
            assert_eq!(
                (reply.status, reply.code(), &reply.body["scope"]),
                (403, "forbidden", &json!("audit:read"))
            );
            assert_eq!(nobody.status, 401);
        }
        for (method, path) in
            [("POST", "/v1/audit/records"), ("DELETE", "/v1/audit/records"), ("PUT", "/v1/audit/records/x")]
        {
            let reply = auditor(&suite, "shop").request(method, path, &[], "").await;
            assert_eq!(reply.status, 405, "{method} {path}");
        }
    })
    .await;
}
