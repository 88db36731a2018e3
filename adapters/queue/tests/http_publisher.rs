//! The CloudEvents-over-HTTP publisher against a sink on the loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::post;
use florin_kernel::event::{Data, Event};
use florin_queue::cloudevents::{Limits, Mode, decode_http, mode};
use florin_queue::http_publisher::{HttpPublisher, HttpPublishing};
use florin_queue::port::{PublishError, Publisher};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

fn event(id: &str) -> Event {
    Event {
        id: id.into(),
        source: "/florin/payments".into(),
        kind: "florin.payment.captured.v1".into(),
        subject: Some("Zoë \"100%\"".into()),
        time: None,
        dataschema: None,
        extensions: BTreeMap::from([("sequence".into(), "3".into())]),
        data: Data::Json {
            content_type: "application/json".into(),
            value: json!({ "amount_received": 1250 }),
        },
    }
}

/// Serves until the test's runtime ends, on a port of its own.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sink = format!("http://{}/sink", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    sink
}

/// A sink that answers with the status that is the event's id.
async fn status_sink() -> String {
    let answer = |headers: HeaderMap| async move {
        headers["ce-id"]
            .to_str()
            .unwrap()
            .parse::<u16>()
            .map(|code| StatusCode::from_u16(code).unwrap())
            .unwrap()
    };
    serve(Router::new().route("/sink", post(answer))).await
}

/// A sink that takes what bears this token and nothing else, as Knative's Brokers do; how many requests came.
async fn guarded_sink(token: Arc<Mutex<&'static str>>) -> (String, Arc<AtomicUsize>) {
    let come = Arc::new(AtomicUsize::new(0));
    let answer = {
        let come = come.clone();
        move |headers: HeaderMap| async move {
            come.fetch_add(1, Ordering::SeqCst);
            let borne: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
            let wanted = format!("Bearer {}", token.lock().unwrap());
            if borne == [wanted.as_str()] { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
        }
    };
    (serve(Router::new().route("/sink", post(answer))).await, come)
}

fn publisher(sink: &str, timeout: Duration, parallelism: usize) -> HttpPublisher {
    HttpPublisher::new(sink, HttpPublishing { timeout, parallelism }).unwrap()
}

/// Far longer than a loopback takes: no test waits for it.
const AMPLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_event_arrives_in_binary_mode_as_it_was_and_2xx_is_the_confirm() {
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let take = {
        let arrived = arrived.clone();
        move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(mode(&headers), Mode::Binary);
            arrived.lock().unwrap().extend(decode_http(&headers, &body, &Limits::default()).unwrap());
            StatusCode::ACCEPTED
        }
    };
    let sink = serve(Router::new().route("/sink", post(take))).await;
    let results = publisher(&sink, AMPLE, 1).publish(&[event("1"), event("2")]).await;
    assert_eq!(results, [Ok(()), Ok(())]);
    assert_eq!(*arrived.lock().unwrap(), [event("1"), event("2")]);
}

#[tokio::test]
async fn each_status_is_a_confirm_or_worth_a_repeat_or_a_refusal() {
    let sink = status_sink().await;
    let statuses = |codes: &[u16]| codes.iter().map(|code| event(&code.to_string())).collect::<Vec<_>>();
    let publisher = publisher(&sink, AMPLE, 8);
    for result in publisher.publish(&statuses(&[200, 201, 202, 204])).await {
        assert_eq!(result, Ok(()));
    }
    for result in
        publisher.publish(&statuses(&[300, 304, 404, 408, 409, 429, 500, 501, 502, 503, 504, 599])).await
    {
        assert!(matches!(result, Err(PublishError::NotConfirmed(_))), "{result:?}");
    }
    for result in publisher.publish(&statuses(&[400, 401, 403, 405, 410, 413, 415, 422, 431, 499])).await {
        assert!(matches!(result, Err(PublishError::Refused(_))), "{result:?}");
    }
}

#[tokio::test]
async fn the_results_stand_in_the_order_of_the_events_whatever_order_they_end_in() {
    let both = Arc::new(Barrier::new(2));
    let answer = move |headers: HeaderMap| {
        let both = both.clone();
        async move {
            // The first is answered only once the second has come, and so may end after it.
            both.wait().await;
            if headers["ce-id"] == "first" { StatusCode::BAD_REQUEST } else { StatusCode::ACCEPTED }
        }
    };
    let sink = serve(Router::new().route("/sink", post(answer))).await;
    let results = publisher(&sink, AMPLE, 2).publish(&[event("first"), event("second")]).await;
    assert!(matches!(results[..], [Err(PublishError::Refused(_)), Ok(())]), "{results:?}");
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed_and_no_fewer() {
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let four = Arc::new(Barrier::new(4));
    let answer = {
        let most = most.clone();
        move || {
            let (under_way, most, four) = (under_way.clone(), most.clone(), four.clone());
            async move {
                most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Opens only when four have come: with fewer at a time this would never end.
                four.wait().await;
                under_way.fetch_sub(1, Ordering::SeqCst);
                StatusCode::OK
            }
        }
    };
    let sink = serve(Router::new().route("/sink", post(answer))).await;
    let events: Vec<_> = (0..20).map(|n| event(&n.to_string())).collect();
    assert!(publisher(&sink, AMPLE, 4).publish(&events).await.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let followed = Arc::new(AtomicUsize::new(0));
    let count = {
        let followed = followed.clone();
        move || async move {
            followed.fetch_add(1, Ordering::SeqCst);
            StatusCode::OK
        }
    };
    let router = Router::new()
        .route("/sink", post(|| async { Redirect::temporary("/elsewhere").into_response() }))
        .route("/elsewhere", post(count));
    let sink = serve(router).await;
    let results = publisher(&sink, AMPLE, 1).publish(&[event("1")]).await;
    assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
    assert_eq!(followed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_sink_that_is_not_there_is_no_confirm_and_its_secrets_are_not_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let sink = format!("http://user:secret@127.0.0.1:{port}/sink?key=secret");
    let results = publisher(&sink, AMPLE, 2).publish(&[event("1"), event("2")]).await;
    for result in results {
        let Err(PublishError::NotConfirmed(why)) = result else { panic!("{result:?}") };
        assert!(why.contains("refused") && !why.contains("secret"), "{why}");
    }
}

#[tokio::test]
async fn the_token_in_the_file_opens_the_sink_and_a_renewed_one_is_seen() {
    let wanted = Arc::new(Mutex::new("the-first"));
    let (sink, _) = guarded_sink(wanted.clone()).await;
    let results = publisher(&sink, AMPLE, 2).publish(&[event("1")]).await;
    assert!(matches!(results[..], [Err(PublishError::Refused(_))]), "without a token: {results:?}");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "the-first\n").unwrap();
    let publisher = publisher(&sink, AMPLE, 2).with_token_file(file.clone());
    assert_eq!(publisher.publish(&[event("1"), event("2")]).await, [Ok(()), Ok(())]);
    *wanted.lock().unwrap() = "the-second";
    // Another token may be there a moment later, so it is no refusal of the event.
    let results = publisher.publish(&[event("3")]).await;
    assert!(matches!(results[..], [Err(PublishError::NotConfirmed(_))]), "{results:?}");
    std::fs::write(&file, "the-second").unwrap();
    assert_eq!(publisher.publish(&[event("3")]).await, [Ok(())]);
}

#[tokio::test]
async fn a_token_takes_the_place_of_credentials_in_the_address() {
    let (sink, _) = guarded_sink(Arc::new(Mutex::new("the-token"))).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "the-token").unwrap();
    let sink = sink.replace("http://", "http://user:secret@");
    let results = publisher(&sink, AMPLE, 1).with_token_file(file).publish(&[event("1")]).await;
    assert_eq!(results, [Ok(())]);
}

#[tokio::test]
async fn without_a_token_to_send_nothing_is_sent_and_what_the_file_holds_is_not_told() {
    let (sink, come) = guarded_sink(Arc::new(Mutex::new("secret"))).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let publisher = publisher(&sink, AMPLE, 2).with_token_file(file.clone());
    for holds in [None, Some(""), Some(" \n"), Some("secret\nsecret"), Some("secret\u{7f}")] {
        if let Some(holds) = holds {
            std::fs::write(&file, holds).unwrap();
        }
        for result in publisher.publish(&[event("1"), event("2")]).await {
            let Err(PublishError::NotConfirmed(why)) = result else { panic!("{holds:?}: {result:?}") };
            assert!(why.contains(file.to_str().unwrap()) && !why.contains("secret"), "{why}");
        }
    }
    assert_eq!(come.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_sink_that_never_answers_ends_the_batch_after_its_time_and_not_after_a_time_for_each_event() {
    let come = Arc::new(AtomicUsize::new(0));
    let hang = {
        let come = come.clone();
        move || async move {
            come.fetch_add(1, Ordering::SeqCst);
            pending::<StatusCode>().await
        }
    };
    let sink = serve(Router::new().route("/sink", post(hang))).await;
    let events: Vec<_> = (0..100).map(|n| event(&n.to_string())).collect();
    let results = publisher(&sink, Duration::from_millis(100), 2).publish(&events).await;
    assert_eq!(results.len(), 100);
    assert!(results.iter().all(|result| matches!(result, Err(PublishError::NotConfirmed(_)))), "{results:?}");
    assert!(come.load(Ordering::SeqCst) <= 4, "each of two places begins at most twice");
}

#[tokio::test]
async fn an_event_that_is_no_cloudevent_is_refused_and_the_others_are_sent() {
    let sink = status_sink().await;
    let results = publisher(&sink, AMPLE, 2).publish(&[event("202"), event(""), event("200")]).await;
    assert!(matches!(results[..], [Ok(()), Err(PublishError::Refused(_)), Ok(())]), "{results:?}");
}

#[test]
fn an_address_that_is_not_http_is_refused() {
    for address in ["", "broker", "amqp://localhost", "http://", "file:///tmp/x"] {
        assert!(HttpPublisher::new(address, HttpPublishing::default()).is_err(), "{address}");
    }
}
