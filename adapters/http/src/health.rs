//! `/livez`: the process lives. `/readyz`: it wants requests and its databases answer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::app::App;

/// How long a database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let mut databases = Map::new();
    let mut status = StatusCode::OK;
    for service in app.services() {
        let answers = matches!(tokio::time::timeout(PATIENCE, service.db.ping()).await, Ok(Ok(())));
        if !answers {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        databases.insert(service.name().to_owned(), json!(if answers { "there" } else { "away" }));
    }
    let word = if status == StatusCode::OK { "ready" } else { "waiting" };
    (status, Json(json!({ "status": word, "databases": databases })))
}
