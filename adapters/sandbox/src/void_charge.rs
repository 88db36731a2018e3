//! Void a charge: let go what is set aside and not captured, `POST /v1/charges/{id}/void`.

use axum::extract::State;
use axum::response::IntoResponse;
use florin_kernel::db::Tx;
use http::HeaderMap;
use serde::Deserialize;

use crate::charge::{Charge, ChargeId};
use crate::door::ChargeOfPath;
use crate::failure::Failure;
use crate::idempotency::{At, Operation, Outcome};
use crate::movement::{self, Void};
use crate::{Sandbox, door};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {}

struct VoidCharge {
    charge: ChargeId,
}

/// `POST /v1/charges/{id}/void`, with an empty object or no body.
pub(crate) async fn void_charge(
    State(sandbox): State<Sandbox>,
    ChargeOfPath(charge): ChargeOfPath,
    headers: HeaderMap,
    body: door::Body,
) -> Result<impl IntoResponse, Failure> {
    let key = door::idempotency_key(&headers)?;
    let Request {} = door::json(body)?;
    sandbox.once(key, VoidCharge { charge }).await
}

impl Operation for VoidCharge {
    fn name(&self) -> String {
        format!("POST /v1/charges/{}/void", self.charge)
    }

    fn input(&self) -> String {
        "{}".to_owned()
    }

    fn charge(&self) -> Option<ChargeId> {
        Some(self.charge)
    }

    async fn perform(&self, tx: &mut Tx, at: At<'_>) -> Result<Outcome, Failure> {
        // One that waits for the cardholder is voided too: a late approval must not take money.
        let moved: Option<Charge> = tx
            .sql(
                "UPDATE charges
                 SET status = 'voided'
                 WHERE id = $1 AND status IN ('authorized', 'requires_action')
                 RETURNING *",
            )
            .bind(self.charge)
            .first()
            .await?;
        match moved {
            Some(charge) => {
                let left = charge.amount - charge.amount_captured;
                movement::record(tx, at.new_id::<Void>(), charge.id, left, at.now).await?;
                Outcome::done(charge.id, &charge)
            }
            None => Ok(Outcome::Refused(Charge::find(tx, self.charge).await?.state_conflict("voided"))),
        }
    }
}
