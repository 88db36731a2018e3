//! Deny by default, in this order: size, authentication, scope, parsing.

use florin_kernel::cx::OPERATION_EVENT;
use florin_testkit::porch::PORCH;
use florin_testkit::suite::on_each_database;
use serde_json::json;

use crate::notes::{NOTES, texts};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nobody_enters_whatever_headers_say() {
    on_each_database(&[&NOTES], |suite| async move {
        let stranger = suite.stranger();
        let headers = [
            ("content-type", "application/json"),
            ("x-auth-user", "anna"),
            ("x-auth-tenant", "anna"),
            ("x-forwarded-user", "anna"),
        ];
        let reply = stranger.request("POST", "/notes", &headers, "not even json").await;
        assert_eq!((reply.status, reply.code()), (401, "token_missing"));
        assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"florin\""));
        assert!(suite.published().await.is_empty(), "a 401 names nobody and is no record");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_is_refused_before_the_body_is_parsed_and_recorded() {
    on_each_database(&[&NOTES], |suite| async move {
        let reader = suite.client_with("anna", "reader", &["notes:read"]);
        let reply = reader.post_text("/notes", None, "not even json").await;
        assert_eq!((reply.status, reply.code()), (403, "forbidden"));
        assert_eq!(
            reply.header("www-authenticate"),
            Some("Bearer realm=\"florin\", error=\"insufficient_scope\", scope=\"notes:write\"")
        );
        let records = suite.published().await;
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].kind, OPERATION_EVENT);
        let data = records[0].json().unwrap();
        assert_eq!(
            (&data["outcome"], &data["operation"], &data["actor"]["subject"]),
            (&json!("forbidden"), &json!("notes.write_note"), &json!("reader"))
        );
        let writer = suite.client_with("anna", "writer", &["notes:write"]);
        assert_eq!(writer.get("/notes").await.status, 403);
        assert_eq!(suite.published().await.len(), 1, "reading without the scope is recorded too");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_before_the_token_is_looked_at() {
    on_each_database(&[&NOTES], |suite| async move {
        let reply = suite.stranger().post("/notes", json!({"text": "x".repeat(300_000)})).await;
        // Without a declared length the size shows only while reading, which a stranger does not get to.
        let (length, body) = ([("content-length", "300000")], "x".repeat(300_000));
        let declared = suite.stranger().request("POST", "/notes", &length, &body).await;
        assert_eq!((declared.status, declared.code()), (413, "body_too_large"));
        assert!([401, 413].contains(&reply.status), "{reply:?}");
        let anna = suite.client("anna").post("/notes", json!({"text": "x".repeat(300_000)})).await;
        assert_eq!((anna.status, anna.code()), (413, "body_too_large"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_not_understood_is_named() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        for (body, pointer) in [
            (r#"{}"#, "/text"),
            (r#"{"text": 1}"#, "/text"),
            (r#"{"text": "a", "colour": 1}"#, "/colour"),
            (r#"{"text": "a", "text": "b"}"#, "/text"),
            (r#"{"text": "a", "ending": "sideways"}"#, "/ending"),
        ] {
            let reply = anna.post_text("/notes", None, body).await;
            assert_eq!((reply.status, reply.code()), (400, "invalid_request"), "{body}");
            assert_eq!(reply.body["errors"][0]["pointer"], pointer, "{body}");
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        }
        let reply = anna.get("/notes?careless=perhaps").await;
        assert_eq!((reply.status, &reply.body["errors"][0]["parameter"]), (400, &json!("careless")));
        let reply = anna.post("/notes?text=smuggled", json!({})).await;
        assert_eq!((reply.status, &reply.body["errors"][0]["parameter"]), (400, &json!("text")));
        let plain = [("content-type", "text/plain")];
        assert_eq!(anna.request("POST", "/notes", &plain, "{}").await.status, 415);
        assert!(suite.published().await.is_empty(), "what is refused at the door is no operation");
        assert!(texts(&anna).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_problem_with_a_trace() {
    on_each_database(&[&NOTES], |suite| async move {
        let anna = suite.client("anna");
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (method, path, status, code) in
            [("GET", "/nothing", 404, "not_found"), ("DELETE", "/notes", 405, "method_not_allowed")]
        {
            let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
            let reply = anna.request(method, path, &[("traceparent", &traceparent)], "").await;
            assert_eq!((reply.status, reply.code()), (status, code));
            assert_eq!(reply.body["trace_id"], trace);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_says_the_same_header_fields_and_cookies_again() {
    on_each_database(&[&PORCH], |suite| async move {
        let anna = suite.client("anna");
        let hang = async |seen: &str, key: &str| {
            let headers =
                [("if-match", seen), ("idempotency-key", key), ("content-type", "application/json")];
            anna.request("POST", "/porch/coats", &headers, r#"{"colour": "red"}"#).await
        };
        let first = hang("7", "k").await;
        assert_eq!((first.status, first.header("etag")), (200, Some("8")), "{first:?}");
        let cookies = |reply: &florin_testkit::suite::Reply| {
            let all = reply.headers.get_all("set-cookie").iter();
            all.map(|cookie| cookie.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cookies(&first)[0], "coat=red; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(cookies(&first)[1], "hat=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
        let again = hang("7", "k").await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!((again.header("etag"), cookies(&again)), (first.header("etag"), cookies(&first)));
        assert_eq!(again.bytes, first.bytes);
        let other = hang("8", "k").await;
        assert_eq!(
            (other.status, other.code()),
            (422, "idempotency_key_reused"),
            "it is part of the request"
        );
    })
    .await;
}
