//! The table on every way.

use florin_testkit::suite::Engine;

use crate::cases::{self, Answer};
use crate::request::Request;
use crate::stage::Stage;
use crate::way::{self, Way};

/// Which of the two databases a way writes to.
fn database(way: Way) -> usize {
    usize::from(matches!(way, Way::KnativeH1 | Way::KnativeH2c))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_request_gets_its_answer_on_every_front_and_the_next_one_is_served() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_on_postgresql() {
    check(Engine::Postgres).await;
}

async fn check(engine: Engine) {
    let Some(mut stage) = Stage::on(engine, &[]).await else { return };
    let cases = cases::all(&stage);
    let mut wrong = Vec::new();
    let mut created = [0; 2];
    for way in way::ALL {
        for case in &cases {
            let heard = stage.send(way, &case.request).await;
            let answer = case.answer(way);
            if let Some(why) = answer.wrong(heard.as_ref()) {
                wrong.push(format!("{way:?}: {}: {why}", case.name));
            }
            created[database(way)] += i64::from(matches!(answer, Answer::Taken(201)));
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(stage.payments().await, created, "what is refused creates nothing");
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_another_tenants_on_no_front() {
    let stage = Stage::start().await;
    let other = stage.issuer.token("other");
    for way in way::ALL {
        let body = r#"{"amount": 100, "currency": "EUR", "reference": null}"#;
        let created = stage.send(way, &Request::pay(body)).await.expect("an answer");
        let id = created.body["id"].as_str().unwrap_or_else(|| panic!("{way:?}: {created:?}"));
        let read = Request::get(format!("/v1/payments/{id}"));
        assert_eq!(stage.send(way, &read).await.expect("an answer").status, 200, "{way:?}");
        for request in [
            read.clone(),
            read.clone().header("x-auth-tenant", "acme"),
            Request::post(&format!("/v1/payments/{id}/cancel"), "{}"),
            Request::post(&format!("/v1/payments/{id}/confirm"), r#"{"payment_method": "pm_card_visa"}"#),
        ] {
            let heard = stage.send(way, &request.bearing(&other)).await.expect("an answer");
            assert_eq!((heard.status, heard.code()), (404, "payment_not_found"), "{way:?}: {heard:?}");
        }
    }
}
