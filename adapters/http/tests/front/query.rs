//! A parameter that is not understood is named.

use serde_json::json;

use crate::front;

#[tokio::test]
async fn an_unknown_a_repeated_and_a_malformed_parameter_are_named() {
    let front = front::start().await;
    for (query, parameter) in [
        ("colour=red", "colour"),
        ("limit=1&limit=1", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("limit", "limit"),
        ("limit=1.0", "limit"),
        ("limit=1e2", "limit"),
        ("limit=9223372036854775808", "limit"),
        ("limit=NaN", "limit"),
        ("limit=%31%", "limit"),
        ("limit=1&%6Cimit=2", "limit"),
        ("tenant=bob", "tenant"),
    ] {
        let answer = front.ask(&format!("GET /v1/books?{query}"), &[]).await;
        assert_eq!(answer.no(), (400, "invalid_request"), "{query}");
        assert_eq!(answer.body["errors"][0]["parameter"], parameter, "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_parameter_cannot_stand_in_the_path_and_in_the_query() {
    let front = front::start().await;
    let answer = front.ask("GET /v1/books/moby?title=emma", &[]).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["parameter"]), (400, &json!("title")));
}

#[tokio::test]
async fn the_door_without_a_token_knows_its_tenant_from_the_path_alone() {
    let front = front::start().await;
    let answer = front.ask("GET /v1/windows/anna", &[]).await;
    assert_eq!((answer.status, answer.body["title"].as_str()), (200, Some("anna")));
    assert_eq!(front.ask("GET /v1/windows/no%20tenant", &[]).await.no(), (404, "not_found"));
    assert_eq!(front.ask("GET /v1/windows/anna?tenant=bob", &[]).await.no(), (400, "invalid_request"));
}
