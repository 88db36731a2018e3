//! Ticks of a schedule.

use axum::Router;
use serde_json::json;

use crate::{Environment, batch};

#[tokio::test]
async fn a_job_runs_once_for_its_slot_however_often_the_tick_comes() {
    let environment = Environment::new(Router::new()).await;
    environment.handle(&batch("parcels-note_parcel", &[("1", "note")])).await.unwrap();
    let tick = json!({"florin": {"job": "parcels.count_parcels"}, "time": "2026-01-31T12:00:00Z"});
    let first = environment.handle(&tick).await.unwrap();
    assert_eq!(first, json!({"job": "parcels.count_parcels", "disposition": "done"}));
    let second = environment.handle(&tick).await.unwrap();
    assert_eq!(second, json!({"job": "parcels.count_parcels", "disposition": "duplicate"}));
    assert_eq!(environment.published(), ["1", "1"]);

    environment.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(environment.handle(&tick).await.unwrap()["disposition"], "done");
}

#[tokio::test]
async fn a_job_that_is_not_served_here_fails_and_says_so() {
    let environment = Environment::new(Router::new()).await;
    for (job, name) in [
        ("ledger.close_day", "florin.no_such_job"),
        ("nonsense", "florin.no_such_job"),
        ("parcels.unheard_of", "florin.job_not_run"),
    ] {
        let failed = environment.handle(&json!({"florin": {"job": job}})).await.unwrap_err();
        assert_eq!(failed.name(), name, "{job}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_fails_the_tick() {
    let environment = Environment::new(Router::new()).await;
    environment.service.db.close().await;
    for job in ["parcels.count_parcels", "parcels.sweep", "parcels.purge"] {
        let failed = environment.handle(&json!({"florin": {"job": job}})).await.unwrap_err();
        assert_eq!(failed.name(), "florin.job_not_run", "{job}");
    }
}
