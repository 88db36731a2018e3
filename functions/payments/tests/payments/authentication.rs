//! Authentication: the customer decides on the provider's page, and only the provider is believed.

use florin_testkit::suite::{Reply, Suite, on_each_database};
use serde_json::{Value, json};

use crate::shop::{SERVICES, act, asked, at_provider, payment, stands, waiting_for_customer};

const THANKS: &str = "https://shop.example/thanks";

/// The path that a browser which comes back asks for.
fn path_of(address: &str) -> &str {
    address.strip_prefix("http://florin.test").expect("our own address")
}

/// The path that the provider was told to send the browser back to.
pub(crate) fn return_path(suite: &Suite) -> String {
    let seen = suite.peers.seen();
    let told = seen.iter().rev().find_map(|o| match &o.request.body {
        florin_kernel::network::Body::Json(Value::Object(body)) => {
            body.get("return_url")?.as_str().map(str::to_owned)
        }
        _ => None,
    });
    path_of(&told.expect("a return address")).to_owned()
}

async fn comes_back(suite: &Suite, address: &str) -> Reply {
    suite.stranger().get(path_of(address)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_needs_the_customer_says_where_to_send_it() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        let waiting = payment(&shop, &id).await;
        assert_eq!(waiting["status"], "requires_action");
        assert_eq!(waiting["next_action"], json!({ "type": "redirect", "url": page }));
        assert!(page.starts_with(&suite.sandbox), "{page}");
        assert_eq!(at_provider(&suite, &id).await, (1, 0, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_payment_is_taken_or_authorized_and_the_browser_goes_on_to_the_merchant() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (method, after, captures) in [
            ("automatic", ("succeeded".to_owned(), 0, 1_000, 0), 1),
            ("manual", ("requires_capture".to_owned(), 1_000, 0, 0), 0),
        ] {
            let more = json!({ "return_url": THANKS, "capture_method": method });
            let (id, page) = waiting_for_customer(&shop, more).await;
            let back = suite.authenticate(&page, "approve").await;
            // Until it comes back, and were it never to, nothing is believed.
            assert_eq!(stands(&shop, &id).await.0, "requires_action");
            let reply = comes_back(&suite, &back).await;
            assert_eq!(reply.status, 303);
            assert_eq!(reply.header("location"), Some(format!("{THANKS}?payment={id}").as_str()));
            assert_eq!(stands(&shop, &id).await, after);
            assert_eq!(payment(&shop, &id).await["next_action"], json!(null));
            assert_eq!(at_provider(&suite, &id).await, (1, captures, 0, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_the_customer_refused_is_declined_and_can_be_paid_otherwise() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({ "return_url": THANKS })).await;
        let back = suite.authenticate(&page, "refuse").await;
        assert_eq!(comes_back(&suite, &back).await.status, 303);
        let declined = payment(&shop, &id).await;
        assert_eq!(declined["status"], "requires_payment_method");
        assert_eq!(declined["last_error"]["decline_code"], "authentication_failed");
        let reply = act(&shop, &id, "confirm", json!({ "payment_method": "pm_card_visa" })).await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("succeeded")));
        assert_eq!(at_provider(&suite, &id).await, (2, 1, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_comes_back_without_approving_pays_nothing() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({ "return_url": THANKS })).await;
        let path = return_path(&suite);
        let reply = suite.stranger().get(&path).await;
        assert_eq!(reply.status, 303);
        let still = payment(&shop, &id).await;
        assert_eq!(
            (&still["status"], &still["next_action"]["url"]),
            (&json!("requires_action"), &json!(page))
        );
        // The provider was asked rather than the browser believed, and the customer may still approve.
        assert_eq!(suite.peers.seen().last().unwrap().request.method, "GET");
        let back = suite.authenticate(&page, "approve").await;
        assert_eq!(path_of(&back), path);
        comes_back(&suite, &back).await;
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_come_back_twice_at_once_and_late() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({ "return_url": THANKS })).await;
        let back = suite.authenticate(&page, "approve").await;
        let (one, other) = tokio::join!(comes_back(&suite, &back), comes_back(&suite, &back));
        let after = payment(&shop, &id).await;
        let late = comes_back(&suite, &back).await;
        for reply in [one, other, late] {
            assert_eq!(
                (reply.status, reply.header("location").unwrap()),
                (303, format!("{THANKS}?payment={id}").as_str())
            );
        }
        assert_eq!(payment(&shop, &id).await, after);
        assert_eq!((stands(&shop, &id).await.0.as_str(), asked(&suite, &id).await), ("succeeded", vec![1]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_merchants_own_query_and_fragment_survive_the_way_back() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (url, expected) in [
            ("https://shop.example/t?cart=1", "https://shop.example/t?cart=1&payment=ID"),
            ("https://shop.example/t#top", "https://shop.example/t?payment=ID#top"),
            ("https://shop.example/t?a=b#c?d", "https://shop.example/t?a=b&payment=ID#c?d"),
            ("https://shop.example", "https://shop.example?payment=ID"),
        ] {
            let (id, page) = waiting_for_customer(&shop, json!({ "return_url": url })).await;
            let back = suite.authenticate(&page, "approve").await;
            let reply = comes_back(&suite, &back).await;
            assert_eq!(reply.header("location").unwrap(), expected.replace("ID", &id));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_return_address_the_customer_sees_a_page() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        let back = suite.authenticate(&page, "approve").await;
        let reply = comes_back(&suite, &back).await;
        assert_eq!((reply.status, reply.header("content-type").unwrap()), (200, "text/html; charset=utf-8"));
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_adds_to_the_return_address_does_not_matter() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let (id, page) = waiting_for_customer(&shop, json!({})).await;
        let back = suite.authenticate(&page, "approve").await;
        let reply =
            comes_back(&suite, &format!("{back}?payment_intent=pi_1&redirect_status=succeeded&x=")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(stands(&shop, &id).await.0, "succeeded");
    })
    .await;
}
