//! `/livez`: the process lives. `/readyz`: it wants requests and its databases answer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::app::App;

/// How long a database may take to say that it is there. Kubernetes listens for a second unless told otherwise, and
/// would not hear which one is away.
const PATIENCE: Duration = Duration::from_millis(800);

pub(crate) fn routes(app: &Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(|| async { Json(json!({ "status": "alive" })) }))
        .route("/readyz", get(ready))
        .with_state(Arc::clone(app))
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Value>) {
    if !app.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "draining" })));
    }
    let pings = app.services().iter().map(|service| async {
        let there = matches!(tokio::time::timeout(PATIENCE, service.db.ping()).await, Ok(Ok(())));
        let said = match (there, service.doubts_schema()) {
            (false, _) => "away",
            // It came late, and whether its schema fits is being looked at.
            (true, true) => "unchecked",
            (true, false) => "there",
        };
        (service.name().to_owned(), json!(said))
    });
    let databases: Map<String, Value> = join_all(pings).await.into_iter().collect();
    let all_there = databases.values().all(|said| said == "there");
    let status = if all_there { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = if status == StatusCode::OK { "ready" } else { "waiting" };
    (status, Json(json!({ "status": word, "databases": databases })))
}
