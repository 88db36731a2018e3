//! Capture a charge: take all or part of what is set aside, `POST /v1/charges/{id}/capture`.

use axum::extract::State;
use axum::response::IntoResponse;
use florin_kernel::db::Tx;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use crate::charge::{Charge, ChargeId, Status};
use crate::door::ChargeOfPath;
use crate::failure::Failure;
use crate::idempotency::{At, Operation, Outcome};
use crate::movement::{self, Capture};
use crate::{Sandbox, door};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    amount: i64,
    /// Whether the rest is let go.
    #[serde(rename = "final", default = "last")]
    last: bool,
}

fn last() -> bool {
    true
}

struct CaptureCharge {
    charge: ChargeId,
    amount: i64,
    last: bool,
}

/// `POST /v1/charges/{id}/capture`.
pub(crate) async fn capture_charge(
    State(sandbox): State<Sandbox>,
    ChargeOfPath(charge): ChargeOfPath,
    headers: HeaderMap,
    body: door::Body,
) -> Result<impl IntoResponse, Failure> {
    let key = door::idempotency_key(&headers)?;
    let Request { amount, last } = door::json(body)?;
    sandbox.once(key, CaptureCharge { charge, amount: door::amount(amount)?, last }).await
}

impl Operation for CaptureCharge {
    fn name(&self) -> String {
        format!("POST /v1/charges/{}/capture", self.charge)
    }

    fn input(&self) -> String {
        json!({ "amount": self.amount, "final": self.last }).to_string()
    }

    fn charge(&self) -> Option<ChargeId> {
        Some(self.charge)
    }

    async fn perform(&self, tx: &mut Tx, at: At<'_>) -> Result<Outcome, Failure> {
        let moved: Option<Charge> = tx
            .sql(
                "UPDATE charges
                 SET amount_captured = amount_captured + $2,
                     status = CASE WHEN $3 OR amount_captured + $2 = amount THEN 'succeeded' ELSE status END
                 WHERE id = $1 AND status = 'authorized' AND amount_captured + $2 <= amount
                 RETURNING *",
            )
            .bind(self.charge)
            .bind(self.amount)
            .bind(self.last)
            .first()
            .await?;
        match moved {
            Some(charge) => {
                movement::record(tx, at.new_id::<Capture>(), charge.id, self.amount, at.now).await?;
                Outcome::done(charge.id, &charge)
            }
            None => Ok(Outcome::Refused(self.why_not(tx).await?)),
        }
    }
}

impl CaptureCharge {
    async fn why_not(&self, tx: &mut Tx) -> Result<Failure, Failure> {
        let charge = Charge::find(tx, self.charge).await?;
        Ok(if charge.status == Status::Authorized {
            let left = charge.amount - charge.amount_captured;
            Failure::conflict("capture_exceeds_remaining", format!("{left} minor units are left to capture."))
        } else {
            charge.state_conflict("captured")
        })
    }
}
