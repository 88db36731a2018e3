//! Paths and what answers on them.

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use florin_kernel::db::Wall;
use http::StatusCode;

use crate::authenticate::{decide, show};
use crate::capture_charge::capture_charge;
use crate::charge::Charge;
use crate::create_charge::create_charge;
use crate::door::ChargeOfPath;
use crate::failure::Failure;
use crate::records::records;
use crate::refund_charge::refund_charge;
use crate::summary::summary;
use crate::void_charge::void_charge;
use crate::{Sandbox, door};

/// In bytes.
const LARGEST_BODY: usize = 64 * 1024;

pub(crate) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/v1/charges", post(create_charge))
        .route("/v1/charges/{id}", get(get_charge))
        .route("/v1/charges/{id}/capture", post(capture_charge))
        .route("/v1/charges/{id}/void", post(void_charge))
        .route("/v1/refunds", post(refund_charge))
        .route("/v1/records", get(records))
        .route("/v1/records/summary", get(summary))
        .route_layer(from_fn_with_state(sandbox.clone(), door::credential))
        // A browser has no credential; whoever knows the charge may decide, as with a bank's page.
        .route("/authenticate/{id}", get(show).post(decide))
        .fallback(async || Failure::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path."))
        .method_not_allowed_fallback(async || {
            Failure::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path knows other methods.",
            )
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(sandbox)
}

/// `GET /v1/charges/{id}`.
async fn get_charge(
    State(sandbox): State<Sandbox>,
    ChargeOfPath(id): ChargeOfPath,
) -> Result<Json<Charge>, Failure> {
    let mut tx = sandbox.0.db.read(Wall::System).await?;
    Ok(Json(Charge::find(&mut tx, id).await?))
}
