//! The cardholder approves or refuses: `GET` and `POST /authenticate/{id}`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use florin_kernel::db::{Tx, Wall};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::charge::{Charge, ChargeId, Status};
use crate::door::ChargeOfPath;
use crate::failure::Failure;
use crate::movement::{self, Capture};
use crate::page::page;
use crate::{Sandbox, door};

/// `GET /authenticate/{id}`: the page.
pub(crate) async fn show(
    State(sandbox): State<Sandbox>,
    ChargeOfPath(id): ChargeOfPath,
) -> Result<Response, Failure> {
    let mut tx = sandbox.0.db.read(Wall::System).await?;
    Ok(page(&Charge::find(&mut tx, id).await?))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Approve,
    Refuse,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    decision: Decision,
}

/// `POST /authenticate/{id}`: the first decision stands; whoever comes again is sent back as well.
pub(crate) async fn decide(
    State(sandbox): State<Sandbox>,
    ChargeOfPath(id): ChargeOfPath,
    headers: HeaderMap,
    body: door::Body,
) -> Result<Response, Failure> {
    let decision = decision(&headers, body)?;
    let mut tx = sandbox.0.db.begin(Wall::System).await?;
    let charge = match decision {
        Decision::Approve => approve(&mut tx, id, &sandbox).await?,
        Decision::Refuse => refuse(&mut tx, id).await?,
    };
    let charge = match charge {
        Some(moved) => moved,
        None => Charge::find(&mut tx, id).await?,
    };
    tx.commit().await?;
    Ok(match &charge.return_url {
        Some(url) => (StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response(),
        None => page(&charge),
    })
}

/// A form's field, as the page posts it, or the same as JSON.
fn decision(headers: &HeaderMap, body: door::Body) -> Result<Decision, Failure> {
    let json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"application/json"));
    if json {
        return door::json(body).map(|Request { decision }| decision);
    }
    let body = door::bytes(body)?;
    let mut fields = form_urlencoded::parse(&body);
    match (fields.next(), fields.next()) {
        (Some((name, value)), None) if name == "decision" && value == "approve" => Ok(Decision::Approve),
        (Some((name, value)), None) if name == "decision" && value == "refuse" => Ok(Decision::Refuse),
        _ => Err(Failure::invalid("/decision: must be approve or refuse")),
    }
}

async fn approve(tx: &mut Tx, id: ChargeId, sandbox: &Sandbox) -> Result<Option<Charge>, Failure> {
    let moved: Option<Charge> = tx
        .sql(
            "UPDATE charges
             SET status = CASE WHEN capture THEN 'succeeded' ELSE 'authorized' END,
                 amount_captured = CASE WHEN capture THEN amount ELSE 0 END
             WHERE id = $1 AND status = 'requires_action'
             RETURNING *",
        )
        .bind(id)
        .first()
        .await?;
    if let Some(charge) = moved.as_ref().filter(|charge| charge.status == Status::Succeeded) {
        let now = sandbox.0.clock.now();
        movement::record(tx, sandbox.0.ids.new_id::<Capture>(), id, charge.amount, now).await?;
    }
    Ok(moved)
}

async fn refuse(tx: &mut Tx, id: ChargeId) -> Result<Option<Charge>, Failure> {
    Ok(tx
        .sql(
            "UPDATE charges
             SET status = 'declined', decline_code = 'authentication_failed'
             WHERE id = $1 AND status = 'requires_action'
             RETURNING *",
        )
        .bind(id)
        .first()
        .await?)
}
