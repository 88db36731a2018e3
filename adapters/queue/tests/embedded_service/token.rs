//! A sink that wants a token: what cannot bear one waits in the outbox, and is published when the token is there.

use std::time::Duration;

use axum::Router;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use florin_kernel::corridor::Disposition;
use florin_kernel::rows::outbox;
use florin_kernel::service::Settings;
use florin_queue::http_publisher::{HttpPublisher, HttpPublishing};
use florin_queue::relay::relay_batch;
use tokio::net::TcpListener;

use crate::shop::{clock, ordered, shop};

#[tokio::test]
async fn while_the_token_is_missing_an_event_waits_in_the_outbox() {
    let answer = |headers: HeaderMap| async move {
        let borne = headers.get(AUTHORIZATION).is_some_and(|value| value == "Bearer the-token");
        if borne { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sink = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let directory = tempfile::tempdir().unwrap();
    let clock = clock();
    let service = shop(directory.path(), &clock, Settings::default()).await;
    assert_eq!(
        service.deliver("shop.count_order", ordered("order_1", "completed"), None).await,
        Disposition::Done
    );

    let file = directory.path().join("token");
    let publisher = HttpPublisher::new(&sink, HttpPublishing::default()).unwrap();
    let publisher = publisher.with_token_file(file.clone());
    assert_eq!(relay_batch(&service, &publisher).await.unwrap(), (0, false));
    assert_eq!(outbox::backlog(&service).await.unwrap().0, 1);

    std::fs::write(&file, "the-token").unwrap();
    // As long as an event waits for a sink that is not there.
    clock.advance(Duration::from_secs(1));
    assert_eq!(relay_batch(&service, &publisher).await.unwrap(), (1, false));
    assert_eq!(outbox::backlog(&service).await.unwrap().0, 0);
}
