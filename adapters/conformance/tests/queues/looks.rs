//! What the desk's database holds after all.

use std::collections::BTreeMap;

use florin_kernel::db::Wall;
use florin_kernel::service::Service;

/// How often each event was counted by a function.
pub(crate) async fn tallied(desk: &Service, function: &str) -> BTreeMap<String, i64> {
    let mut tx = desk.db.read(Wall::System).await.expect("the database answers");
    let rows: Vec<(String, i64)> = tx
        .sql("SELECT id, times FROM tallies WHERE function = $1")
        .bind(function.to_owned())
        .all()
        .await
        .expect("the tallies are read");
    rows.into_iter().collect()
}

/// The trace that each event brought.
pub(crate) async fn traces(desk: &Service) -> Vec<String> {
    let mut tx = desk.db.read(Wall::System).await.expect("the database answers");
    let rows: Vec<(String,)> = tx.sql("SELECT trace FROM tallies").all().await.expect("the tallies are read");
    rows.into_iter().map(|(trace,)| trace).collect()
}

/// The newest version and state of each thing.
pub(crate) async fn things(desk: &Service) -> BTreeMap<String, (i64, String)> {
    let mut tx = desk.db.read(Wall::System).await.expect("the database answers");
    let rows: Vec<(String, i64, String)> =
        tx.sql("SELECT id, sequence, state FROM things").all().await.expect("the things are read");
    rows.into_iter().map(|(id, sequence, state)| (id, (sequence, state))).collect()
}

/// How often each delivery to a function was attempted, by the inbox.
pub(crate) async fn attempts(desk: &Service, function: &str) -> Vec<i64> {
    let mut tx = desk.db.read(Wall::System).await.expect("the database answers");
    let rows: Vec<(i64,)> = tx
        .sql("SELECT attempts FROM florin_inbox WHERE function = $1")
        .bind(function.to_owned())
        .all()
        .await
        .expect("the inbox is read");
    rows.into_iter().map(|(attempts,)| attempts).collect()
}
