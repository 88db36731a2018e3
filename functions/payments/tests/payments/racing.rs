//! Fifty at once: one change and one movement of money, on both databases, with and without keys.

use florin_testkit::suite::{Client, Reply, Suite, on_each_database};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::shop::{
    SERVICES, assert_problem, at_provider, authorized, created, paid, payment, stands, waiting_for_customer,
};

const MANY: usize = 50;

/// How the callers of a race name their requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Keys {
    None,
    One,
    Each,
}

const ALL_KEYS: [Keys; 3] = [Keys::None, Keys::One, Keys::Each];

/// The same request from fifty tasks at once.
async fn race(shop: &Client, path: &str, body: &Value, keys: Keys) -> Vec<Reply> {
    let calls = (0..MANY).map(|i| {
        let (shop, path, body) = (shop.clone(), path.to_owned(), body.clone());
        tokio::spawn(async move {
            match keys {
                Keys::None => shop.post(&path, body).await,
                Keys::One => shop.post_once(&path, &format!("race {path}"), body).await,
                Keys::Each => shop.post_once(&path, &format!("race {path} {i}"), body).await,
            }
        })
    });
    join_all(calls).await.into_iter().map(|reply| reply.expect("a reply")).collect()
}

/// Asserts that one request acted: the others were told its answer by their common key, or this code.
#[track_caller]
fn assert_one_acted(replies: &[Reply], done: u16, keys: Keys, otherwise: &str) {
    let acted: Vec<_> =
        replies.iter().filter(|r| r.status == done && r.header("idempotency-replayed").is_none()).collect();
    assert_eq!(
        acted.len(),
        1,
        "{keys:?}: {:?}",
        replies.iter().map(|r| (r.status, r.code())).collect::<Vec<_>>()
    );
    for reply in replies.iter().filter(|r| !std::ptr::eq(*r, acted[0])) {
        if keys == Keys::One {
            assert_eq!((reply.status, &reply.bytes), (done, &acted[0].bytes));
        } else {
            assert_problem(reply, 409, otherwise);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_parallel_confirms_one_charges() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for keys in ALL_KEYS {
            let id = created(&shop, json!({ "payment_method": "pm_card_visa" })).await;
            let replies = race(&shop, &format!("/v1/payments/{id}/confirm"), &json!({}), keys).await;
            assert_one_acted(&replies, 200, keys, "payment_state_conflict");
            assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
            // Created, processing, succeeded: no other change.
            assert_eq!(payment(&shop, &id).await["version"], 3);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_parallel_final_captures_one_takes() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for keys in ALL_KEYS {
            let id = authorized(&shop).await;
            let replies =
                race(&shop, &format!("/v1/payments/{id}/capture"), &json!({ "amount": 600 }), keys).await;
            assert_one_acted(&replies, 200, keys, "payment_state_conflict");
            assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 600, 0));
            assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_parallel_full_refunds_one_pays_back() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for (keys, body) in
            ALL_KEYS.into_iter().zip([json!({}), json!({ "amount": 1_000 }), json!({ "amount": 1_000 })])
        {
            let id = paid(&shop).await;
            let mut body = body;
            body["payment"] = json!(id);
            // The path is the same each time: the keys are told apart by the payment.
            let shop = suite.client_with("shop", &id, &["refunds:write", "refunds:read", "payments:read"]);
            let replies = race(&shop, "/v1/refunds", &body, keys).await;
            assert_one_acted(&replies, 201, keys, "refund_exceeds_remaining");
            assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 1_000));
            assert_eq!(at_provider(&suite, &id).await, (1, 1, 1, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_partial_refunds_as_many_are_made_as_fit() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = paid(&shop).await;
        let replies = race(&shop, "/v1/refunds", &json!({ "payment": id, "amount": 90 }), Keys::None).await;
        assert_eq!(replies.iter().filter(|r| r.status == 201).count(), 11);
        for refused in replies.iter().filter(|r| r.status != 201) {
            assert_problem(refused, 409, "refund_exceeds_remaining");
        }
        assert_eq!(stands(&shop, &id).await.3, 990);
        let records = suite.sandbox_records(&format!("?reference={id}")).await;
        assert_eq!(records["records"][0]["refunds"], json!({ "count": 11, "amount": 990 }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_partial_captures_take_what_they_say_and_never_more_than_was_authorized() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        let id = authorized(&shop).await;
        let path = format!("/v1/payments/{id}/capture");
        let replies = race(&shop, &path, &json!({ "amount": 90, "final": false }), Keys::None).await;
        let taken = i64::try_from(replies.iter().filter(|r| r.status == 200).count()).unwrap();
        for refused in replies.iter().filter(|r| r.status != 200) {
            assert_eq!(refused.status, 409, "{refused:?}");
        }
        assert!((1..=11).contains(&taken));
        assert_eq!(
            stands(&shop, &id).await,
            ("requires_capture".to_owned(), 1_000 - 90 * taken, 90 * taken, 0)
        );
        let records = suite.sandbox_records(&format!("?reference={id}")).await;
        assert_eq!(records["records"][0]["captures"], json!({ "count": taken, "amount": 90 * taken }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_and_a_cancel_at_once_have_one_winner() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for _ in 0..5 {
            let id = authorized(&shop).await;
            let path = |verb: &str| format!("/v1/payments/{id}/{verb}");
            let (captures, cancels) = (path("capture"), path("cancel"));
            let body = json!({});
            let (captures, cancels) = tokio::join!(
                race(&shop, &captures, &body, Keys::None),
                race(&shop, &cancels, &body, Keys::None)
            );
            let winners = captures.iter().chain(&cancels).filter(|r| r.status == 200).count();
            assert_eq!(winners, 1);
            let captured = captures.iter().any(|r| r.status == 200);
            let (stand, moved) = (stands(&shop, &id).await, at_provider(&suite, &id).await);
            if captured {
                assert_eq!((stand, moved), (("succeeded".to_owned(), 0, 1_000, 0), (1, 1, 0, 0)));
            } else {
                assert_eq!((stand, moved), (("canceled".to_owned(), 0, 0, 0), (1, 0, 0, 1)));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_approved_has_paid_even_if_a_cancel_comes_at_the_same_time() {
    on_each_database(SERVICES, |suite: Suite| async move {
        let shop = suite.client("shop");
        for _ in 0..5 {
            let (id, page) = waiting_for_customer(&shop, json!({})).await;
            let back = suite.authenticate(&page, "approve").await;
            let cancel = format!("/v1/payments/{id}/cancel");
            let stranger = suite.stranger();
            let (_, canceled) = tokio::join!(
                stranger.get(back.strip_prefix("http://florin.test").unwrap()),
                shop.post(&cancel, json!({}))
            );
            assert!(matches!(canceled.status, 402 | 409), "{canceled:?}");
            suite.advance(std::time::Duration::from_secs(60));
            suite.sweep().await;
            assert_eq!(stands(&shop, &id).await, ("succeeded".to_owned(), 0, 1_000, 0));
            assert_eq!(at_provider(&suite, &id).await, (1, 1, 0, 0));
        }
    })
    .await;
}
