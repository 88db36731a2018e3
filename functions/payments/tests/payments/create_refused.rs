//! Creating: what is refused at the door, by the name of the field.

use florin_testkit::suite::{Client, Suite, on_each_database};
use serde_json::{Value, json};

use crate::shop::{SERVICES, assert_problem, order, wrong_field};

async fn is_refused(shop: &Client, body: &str, pointer: &str) {
    let reply = shop.post_text("/v1/payments", None, body).await;
    assert_problem(&reply, 400, "invalid_request");
    assert_eq!(wrong_field(&reply), pointer, "{body}: {reply:?}");
}

async fn are_refused(cases: &[(Value, &str)]) {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (more, pointer) in cases {
            is_refused(&shop, &order(more.clone()).to_string(), pointer).await;
        }
        assert_eq!(shop.get("/v1/payments").await.body["data"], json!([]), "something was created");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_is_a_positive_integer_of_minor_units() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for amount in [
            "0",
            "-0",
            "-1",
            "0.5",
            "1.0",
            "10.00",
            "1e2",
            "1E2",
            "1e-2",
            "\"100\"",
            "null",
            "true",
            "[1]",
            "{}",
            "1000000000000",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "100000000000000000000000000",
        ] {
            is_refused(&shop, &format!(r#"{{"amount": {amount}, "currency": "EUR"}}"#), "/amount").await;
        }
        is_refused(&shop, r#"{"currency": "EUR"}"#, "/amount").await;
        for amount in ["1", "999999999999"] {
            let body = format!(r#"{{"amount": {amount}, "currency": "EUR"}}"#);
            let reply = shop.post_text("/v1/payments", None, &body).await;
            assert_eq!((reply.status, reply.body["amount"].to_string().as_str()), (201, amount));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_is_an_upper_case_code_in_circulation() {
    are_refused(&[
        (json!({ "currency": "eur" }), "/currency"),
        (json!({ "currency": "EURO" }), "/currency"),
        (json!({ "currency": "XXX" }), "/currency"),
        (json!({ "currency": "DEM" }), "/currency"),
        (json!({ "currency": "" }), "/currency"),
        (json!({ "currency": 978 }), "/currency"),
        (json!({ "currency": null }), "/currency"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_another_type_or_too_long_is_named() {
    let long = |n: usize| "é".repeat(n);
    are_refused(&[
        (json!({ "capture_method": "later" }), "/capture_method"),
        (json!({ "capture_method": "Manual" }), "/capture_method"),
        (json!({ "capture_method": 1 }), "/capture_method"),
        (json!({ "confirm": "true" }), "/confirm"),
        (json!({ "confirm": 1 }), "/confirm"),
        (json!({ "payment_method": "" }), "/payment_method"),
        (json!({ "payment_method": "4242 4242 4242 4242" }), "/payment_method"),
        (json!({ "payment_method": long(256) }), "/payment_method"),
        (json!({ "reference": "" }), "/reference"),
        (json!({ "reference": long(256) }), "/reference"),
        (json!({ "reference": "a\u{0}b" }), "/reference"),
        (json!({ "reference": "a\nb" }), "/reference"),
        (json!({ "reference": 7 }), "/reference"),
        (json!({ "description": long(1_001) }), "/description"),
        (json!({ "colour": "red" }), "/colour"),
        (json!({ "status": "succeeded" }), "/status"),
        (json!({ "id": "pay_1" }), "/id"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_at_most_fifty_short_texts() {
    let entries = |n: usize| (0..n).map(|i| (format!("k{i}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    are_refused(&[
        (json!({ "metadata": entries(51) }), "/metadata"),
        (json!({ "metadata": { ("k".repeat(41)): "v" } }), &format!("/metadata/{}", "k".repeat(41))),
        (json!({ "metadata": { "a/b\n": "v" } }), "/metadata/a~1b\n"),
        (json!({ "metadata": { "": "v" } }), "/metadata/"),
        (json!({ "metadata": { "k": "v".repeat(501) } }), "/metadata/k"),
        (json!({ "metadata": { "k": "" } }), "/metadata/k"),
        (json!({ "metadata": { "k": 1 } }), "/metadata/k"),
        (json!({ "metadata": { "k": { "deep": "er" } } }), "/metadata/k"),
        (json!({ "metadata": [] }), "/metadata"),
        (json!({ "metadata": null }), "/metadata"),
    ])
    .await;
    on_each_database(SERVICES, |suite: Suite| async move {
        let most = json!({ "metadata": entries(50) });
        let reply = suite.client("shop").post("/v1/payments", order(most.clone())).await;
        assert_eq!((reply.status, &reply.body["metadata"]), (201, &most["metadata"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_address_is_absolute_http() {
    let bad = [
        "/thanks",
        "shop.example",
        "//shop.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example",
        "https://",
        "https:///x",
        "https://?x",
        "https://#x",
        "https://shop.example/a b",
        "https://shop.example/\u{e9}",
        "https://shop.example/\"><script>",
        "https://shop.example\\@evil.example",
        "HTTPS//shop.example",
    ];
    let cases: Vec<_> = bad.iter().map(|url| (json!({ "return_url": url }), "/return_url")).collect();
    are_refused(&cases).await;
    let long = json!({ "return_url": format!("https://shop.example/{}", "a".repeat(2_030)) });
    are_refused(&[(long, "/return_url")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_stands_twice_is_refused_at_any_depth() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (body, pointer) in [
            (r#"{"amount": 1, "amount": 1000, "currency": "EUR"}"#, "/amount"),
            (r#"{"amount": 1, "currency": "EUR", "currency": "EUR"}"#, "/currency"),
            (r#"{"amount": 1, "currency": "EUR", "am\u006funt": 2}"#, "/amount"),
            (r#"{"amount": 1, "currency": "EUR", "metadata": {"k": "a", "k": "b"}}"#, "/metadata/k"),
        ] {
            is_refused(&shop, body, pointer).await;
        }
    })
    .await;
}
