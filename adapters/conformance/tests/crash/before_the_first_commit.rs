//! Killed before tx1 commits: nothing happened; the caller sees a connection error and the repeat starts anew.

use florin_conformance::commit_proxy::Fate;
use florin_conformance::wait::{until, within};
use florin_testkit::suite::Engine;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::on_each_database;
use crate::scene::Scene;

/// Nothing of the confirm is there, and the repeat does it all.
async fn assert_nothing_happened(scene: &Scene) {
    assert_eq!(scene.status().await, "requires_confirmation");
    assert_eq!(scene.card.seen(), 0);
    let rows = scene.site.rows("payments");
    assert_eq!(rows.number("SELECT count(*) FROM florin_effects").await, 0);
    assert_eq!(rows.number("SELECT count(*) FROM payment_attempts").await, 0);
    let first = scene.repeated().await;
    assert_eq!(first.header("idempotency-replayed"), None, "{first:?}");
    scene.assert_confirmed_once().await;
}

async fn while_the_body_arrives(engine: Engine) {
    let Some(scene) = Scene::on(engine).await else { return };
    let address = scene.florin.base().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&address).await.expect("it listens");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nidempotency-key: confirm-1\r\n\
         content-type: application/json\r\ncontent-length: 20\r\nexpect: 100-continue\r\n\r\n",
        scene.confirm_path(),
        scene.client.token().expect("a token")
    );
    connection.write_all(head.as_bytes()).await.expect("the head is sent");
    // The server asks for the body when the request has passed its door.
    let mut asked = vec![0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    within("100 Continue", connection.read_exact(&mut asked)).await.expect("an interim answer");
    assert!(asked.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&asked));
    connection.write_all(b"{\"payment_").await.expect("half a body is sent");
    let scene = scene.killed().await;
    let mut rest = Vec::new();
    // Nothing, or a reset: no answer in either case.
    let _ = connection.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    assert_nothing_happened(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_body_arrives_nothing_happened() {
    on_each_database(while_the_body_arrives).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_room_waits_for_the_payments_row_nothing_happened() {
    let Some(mut scene) = Scene::on(Engine::Postgres).await else { return };
    let rows = scene.site.rows("payments");
    let mut holder = rows.postgres().await;
    holder.execute("BEGIN").await.expect("a transaction");
    let lock = format!("SELECT id FROM payments WHERE id = '{}' FOR UPDATE", scene.payment);
    holder.execute(AssertSqlSafe(lock)).await.expect("the row is locked");
    let confirming = scene.confirm();
    until("the room waits for the row", || async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        (rows.number(waiting).await > 0).then_some(())
    })
    .await;
    scene.florin.kill();
    assert!(confirming.await.expect("a task").is_err());
    holder.execute("ROLLBACK").await.expect("the row is free");
    holder.close().await.expect("the connection closes");
    assert_nothing_happened(&scene.again().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_the_commit_on_its_way_nothing_happened() {
    let Some(mut scene) = Scene::on(Engine::Postgres).await else { return };
    let commits = scene.commits.as_ref().expect("this is PostgreSQL");
    let held = commits.next_commit_of("payments.confirm_payment", Fate::HeldBefore);
    let confirming = scene.confirm();
    held.met().await;
    scene.florin.kill();
    assert!(confirming.await.expect("a task").is_err());
    assert_nothing_happened(&scene.again().await).await;
}
