//! When the issuer's keys are asked for, and what happens while they do not come.

use std::sync::Arc;
use std::time::Duration;

use florin_http::token::{KeySource, TokenRefusal, TokenRulesError, Verifier};
use florin_kernel::time::{Clock, Timestamp};
use futures_util::future::{FutureExt, join_all};
use http::StatusCode;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use url::Url;

use crate::issuer::{NOW, Signer, claims, jwks, rules, verify, with};
use crate::jwks_server::JwksServer;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A running issuer, a verifier that asks it, and a clock.
struct Scene {
    server: JwksServer,
    verifier: Arc<Verifier>,
    clock: Clock,
    one: Signer,
    two: Signer,
}

impl Scene {
    /// The issuer publishes the first of its two keys.
    async fn start() -> Self {
        let (one, two) = (Signer::new(Algorithm::EdDSA, "one"), Signer::new(Algorithm::EdDSA, "two"));
        let server = JwksServer::start(jwks(&[&one.jwk])).await;
        let source = KeySource::Remote { url: server.url.clone(), plain_http: false };
        let verifier = Arc::new(Verifier::new(rules(source)).unwrap());
        Self { server, verifier, clock: Clock::standing_at(NOW), one, two }
    }

    /// Whether a token of this key is taken now; the token itself never grows old here.
    async fn verify(&self, signer: &Signer) -> Result<(), TokenRefusal> {
        verify(&self.verifier, &lasting(signer), self.clock.now()).await.map(drop)
    }

    fn publish(&self, keys: &[&Value]) {
        self.server.answer(|answer| answer.body = jwks(keys));
    }
}

fn lasting(signer: &Signer) -> String {
    signer.sign(&with(claims(), "exp", json!(u64::MAX)))
}

fn invented(signer: &Signer, number: usize) -> String {
    signer.sign_with_header(&with(signer.header(), "kid", json!(format!("invented-{number}"))))
}

fn keys_away(answer: Result<(), TokenRefusal>) -> bool {
    matches!(answer, Err(TokenRefusal::KeysAway { .. }))
}

#[tokio::test]
async fn a_key_the_issuer_has_just_published_is_fetched_once() {
    let scene = Scene::start().await;
    scene.verify(&scene.one).await.unwrap();
    scene.verify(&scene.one).await.unwrap();
    assert_eq!(scene.server.fetches(), 1);
    scene.publish(&[&scene.one.jwk, &scene.two.jwk]);
    scene.clock.advance(30 * SECOND);
    for _ in 0..3 {
        scene.verify(&scene.two).await.unwrap();
        scene.verify(&scene.one).await.unwrap();
    }
    assert_eq!(scene.server.fetches(), 2);
}

#[tokio::test]
async fn a_flood_of_invented_kids_makes_one_fetch_in_thirty_seconds() {
    let scene = Scene::start().await;
    scene.verify(&scene.one).await.unwrap();
    let flood = async |fetches: usize| {
        let tokens: Vec<String> = (0..200).map(|number| invented(&scene.two, number)).collect();
        let now = scene.clock.now();
        let (first, rest) = tokens.split_at(100);
        for answer in join_all(first.iter().map(|token| verify(&scene.verifier, token, now))).await {
            assert_eq!(answer, Err(TokenRefusal::Key));
        }
        for token in rest {
            assert_eq!(verify(&scene.verifier, token, now).await, Err(TokenRefusal::Key));
        }
        assert_eq!(scene.server.fetches(), fetches);
    };
    flood(1).await;
    scene.clock.advance(30 * SECOND - Duration::from_micros(1));
    flood(1).await;
    scene.clock.advance(Duration::from_micros(1));
    flood(2).await;
    scene.clock.advance(29 * SECOND);
    flood(2).await;
    scene.clock.advance(SECOND);
    flood(3).await;
    scene.verify(&scene.one).await.unwrap();
    assert_eq!(scene.server.counts().most_under_way, 1);
}

#[tokio::test]
async fn a_flood_does_not_keep_old_keys_from_being_renewed_for_long() {
    let scene = Scene::start().await;
    scene.verify(&scene.one).await.unwrap();
    scene.clock.advance(5 * MINUTE);
    assert!(verify(&scene.verifier, &invented(&scene.two, 1), scene.clock.now()).await.is_err());
    assert_eq!(scene.server.fetches(), 2);
    scene.verify(&scene.one).await.unwrap();
    assert_eq!(scene.server.fetches(), 2, "what the flood fetched is fresh for everybody");
}

#[tokio::test]
async fn keys_held_stay_in_use_while_the_issuer_fails() {
    let scene = Scene::start().await;
    scene.verify(&scene.one).await.unwrap();
    let failures: [fn(&mut crate::jwks_server::Answer); 5] = [
        |answer| answer.status = StatusCode::INTERNAL_SERVER_ERROR,
        |answer| answer.body = "<html>".to_owned(),
        |answer| answer.body = r#"{"keys":[]}"#.to_owned(),
        |answer| answer.body.push_str(&" ".repeat(150_000)),
        |answer| (answer.status, answer.location) = (StatusCode::FOUND, "/jwks.json"),
    ];
    let good = scene.server.answer_now();
    scene.clock.advance(5 * MINUTE);
    for (number, fail) in failures.into_iter().enumerate() {
        scene.server.answer(|answer| *answer = good.clone());
        scene.server.answer(fail);
        for _ in 0..3 {
            scene.verify(&scene.one).await.unwrap();
        }
        assert_eq!(scene.server.fetches(), number + 2, "failure {number}");
        scene.clock.advance(30 * SECOND);
    }
    // A key taken out of the set is not believed for ever because the answer can be kept from us.
    scene.clock.advance(DAY);
    assert!(keys_away(scene.verify(&scene.one).await));
    scene.server.answer(|answer| *answer = good);
    scene.clock.advance(5 * SECOND);
    scene.verify(&scene.one).await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_the_next_fetch() {
    let scene = Scene::start().await;
    scene.verify(&scene.one).await.unwrap();
    scene.publish(&[&scene.two.jwk]);
    scene.clock.advance(5 * MINUTE);
    assert_eq!(scene.verify(&scene.one).await, Err(TokenRefusal::Key));
    scene.verify(&scene.two).await.unwrap();
    assert_eq!(scene.server.fetches(), 2);
}

#[tokio::test]
async fn one_fetch_is_under_way_however_many_wait() {
    let scene = Scene::start().await;
    scene.server.hold_up();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (verifier, token) = (scene.verifier.clone(), lasting(&scene.one));
            tokio::spawn(async move { verify(&verifier, &token, NOW).await })
        })
        .collect();
    scene.server.arrival().await;
    assert_eq!(scene.server.fetches(), 1);
    scene.server.let_go();
    for answer in waiting {
        answer.await.unwrap().unwrap();
    }
    assert_eq!((scene.server.fetches(), scene.server.counts().most_under_way), (1, 1));
}

#[tokio::test]
async fn nobody_waits_for_new_keys_who_can_be_served_with_the_old() {
    let scene = Scene::start().await;
    scene.verify(&scene.one).await.unwrap();
    scene.clock.advance(5 * MINUTE);
    scene.server.hold_up();
    let (verifier, token, now) = (scene.verifier.clone(), lasting(&scene.one), scene.clock.now());
    let first = tokio::spawn(async move { verify(&verifier, &token, now).await });
    scene.server.arrival().await;
    scene.server.arrival().await;
    // The server holds the fetch, and this is answered all the same, without waiting for anything.
    assert_eq!(scene.verify(&scene.one).now_or_never(), Some(Ok(())));
    assert_eq!(scene.server.counts().under_way, 1);
    scene.server.let_go();
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_undo_the_fetch() {
    let scene = Scene::start().await;
    scene.server.hold_up();
    {
        let token = lasting(&scene.one);
        let asking = verify(&scene.verifier, &token, NOW);
        tokio::select! {
            _ = asking => panic!("answered without keys"),
            () = scene.server.arrival() => {}
        }
    }
    scene.server.let_go();
    scene.verify(&scene.one).await.unwrap();
    assert_eq!(scene.server.fetches(), 1);
}

#[tokio::test]
async fn without_keys_it_is_not_the_token_that_is_at_fault() {
    let scene = Scene::start().await;
    scene.server.answer(|answer| answer.status = StatusCode::SERVICE_UNAVAILABLE);
    let refused = scene.verify(&scene.one).await;
    assert_eq!(refused, Err(TokenRefusal::KeysAway { retry_after: 5 * SECOND }));
    assert_eq!(refused.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
    scene.server.answer(|answer| answer.status = StatusCode::OK);
    scene.clock.advance(3 * SECOND);
    let refused = scene.verify(&scene.one).await;
    assert_eq!(refused, Err(TokenRefusal::KeysAway { retry_after: 2 * SECOND }));
    assert_eq!(scene.server.fetches(), 1);
    scene.clock.advance(2 * SECOND);
    scene.verify(&scene.one).await.unwrap();
    assert_eq!(scene.server.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_not_there_is_keys_away() {
    let scene = Scene::start().await;
    // A port that was free a moment ago and has no listener.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{free}/jwks.json")).unwrap();
    let verifier = Verifier::new(rules(KeySource::Remote { url, plain_http: false })).unwrap();
    assert!(keys_away(verify(&verifier, &lasting(&scene.one), NOW).await.map(drop)));
    assert!(keys_away(verifier.warm(NOW).await));
}

#[tokio::test]
async fn max_age_is_kept_between_five_minutes_and_an_hour() {
    let cases = [
        ("", 5 * MINUTE),
        ("no-store", 5 * MINUTE),
        ("max-age=0", 5 * MINUTE),
        ("public, max-age=600", 10 * MINUTE),
        ("Max-Age=\"600\", must-revalidate", 10 * MINUTE),
        ("max-age=86400", 60 * MINUTE),
        ("max-age=-1", 5 * MINUTE),
        ("max-age=99999999999999999999", 5 * MINUTE),
    ];
    for (cache_control, fresh) in cases {
        let scene = Scene::start().await;
        scene.server.answer(|answer| answer.cache_control = cache_control);
        scene.verifier.warm(scene.clock.now()).await.unwrap();
        scene.clock.advance(fresh - Duration::from_micros(1));
        scene.verify(&scene.one).await.unwrap();
        assert_eq!(scene.server.fetches(), 1, "{cache_control:?}");
        scene.clock.advance(Duration::from_micros(1));
        scene.verify(&scene.one).await.unwrap();
        assert_eq!(scene.server.fetches(), 2, "{cache_control:?}");
    }
}

#[tokio::test]
async fn a_clock_set_back_does_not_keep_the_keys_away() {
    let scene = Scene::start().await;
    scene.server.answer(|answer| answer.status = StatusCode::BAD_GATEWAY);
    let later: Timestamp = NOW.plus(DAY);
    assert!(keys_away(verify(&scene.verifier, &lasting(&scene.one), later).await.map(drop)));
    scene.server.answer(|answer| answer.status = StatusCode::OK);
    scene.verify(&scene.one).await.unwrap();
}

#[tokio::test]
async fn keys_can_be_found_by_the_issuers_metadata() {
    let scene = Scene::start().await;
    let metadata = JwksServer::start(String::new()).await;
    let issuer = metadata.url.origin().ascii_serialization();
    let mut found = rules(KeySource::Discovery { plain_http: false });
    found.issuer.clone_from(&issuer);
    let verifier = Verifier::new(found).unwrap();
    let token = scene.one.sign(&with(claims(), "iss", json!(issuer)));
    let jwks_uri = scene.server.url.as_str();
    // It would answer; that it holds a password is reason enough not to ask.
    let with_password = jwks_uri.replace("http://", "http://user:password@");
    let mut now = NOW;
    let cases = [
        (json!({ "issuer": "https://mallory.example", "jwks_uri": jwks_uri }), false),
        (json!({ "issuer": format!("{issuer}/"), "jwks_uri": jwks_uri }), false),
        (json!({ "jwks_uri": jwks_uri }), false),
        (json!({ "issuer": issuer }), false),
        (json!({ "issuer": issuer, "jwks_uri": "http://mallory.example/jwks.json" }), false),
        (json!({ "issuer": issuer, "jwks_uri": "file:///etc/passwd" }), false),
        (json!({ "issuer": issuer, "jwks_uri": with_password }), false),
        (json!({ "issuer": issuer, "jwks_uri": jwks_uri }), true),
    ];
    for (document, taken) in cases {
        metadata.answer(|answer| answer.body = document.to_string());
        let answer = verify(&verifier, &token, now).await.map(drop);
        assert!(if taken { answer.is_ok() } else { keys_away(answer) }, "{document}");
        now = now.plus(5 * SECOND);
    }
    assert_eq!(scene.server.fetches(), 1);
}

#[test]
fn keys_come_by_https_or_from_this_machine() {
    let verifier = |url: &str, plain_http| {
        Verifier::new(rules(KeySource::Remote { url: Url::parse(url).unwrap(), plain_http }))
    };
    for url in ["https://issuer.example/jwks", "http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost/"]
    {
        assert!(verifier(url, false).is_ok(), "{url}");
    }
    assert!(verifier("http://issuer.example/jwks", true).is_ok());
    for url in [
        "http://issuer.example/jwks",
        "http://10.0.0.1/jwks",
        "http://localhost.mallory.example/",
        "http://127.0.0.1.mallory.example/",
        "ftp://127.0.0.1/jwks",
        "file:///jwks.json",
        "https://user:password@issuer.example/jwks",
    ] {
        let refused = verifier(url, false).unwrap_err();
        assert!(matches!(refused, TokenRulesError::Address(_)), "{url}");
        assert!(!refused.to_string().contains("password"));
    }
    assert!(matches!(verifier("ftp://issuer.example/", true), Err(TokenRulesError::Address(_))));
}
