//! Refund a charge: give back all or part of what was captured, `POST /v1/refunds`.

use axum::extract::State;
use axum::response::IntoResponse;
use florin_kernel::db::Tx;
use florin_kernel::id::Id;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use crate::charge::{Charge, ChargeId};
use crate::failure::Failure;
use crate::idempotency::{At, Operation, Outcome};
use crate::movement::{self, Refund};
use crate::{Sandbox, door};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    charge: String,
    amount: i64,
}

struct RefundCharge {
    charge: ChargeId,
    amount: i64,
}

/// `POST /v1/refunds`.
pub(crate) async fn refund_charge(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: door::Body,
) -> Result<impl IntoResponse, Failure> {
    let key = door::idempotency_key(&headers)?;
    let Request { charge, amount } = door::json(body)?;
    let refund = RefundCharge { charge: door::charge_id(&charge)?, amount: door::amount(amount)? };
    sandbox.once(key, refund).await
}

impl Operation for RefundCharge {
    fn name(&self) -> String {
        "POST /v1/refunds".to_owned()
    }

    fn input(&self) -> String {
        json!({ "charge": self.charge, "amount": self.amount }).to_string()
    }

    fn charge(&self) -> Option<ChargeId> {
        Some(self.charge)
    }

    async fn perform(&self, tx: &mut Tx, at: At<'_>) -> Result<Outcome, Failure> {
        let moved: Option<Charge> = tx
            .sql(
                "UPDATE charges
                 SET amount_refunded = amount_refunded + $2
                 WHERE id = $1 AND amount_refunded + $2 <= amount_captured
                 RETURNING *",
            )
            .bind(self.charge)
            .bind(self.amount)
            .first()
            .await?;
        let Some(charge) = moved else { return Ok(Outcome::Refused(self.why_not(tx).await?)) };
        let id: Id<Refund> = at.new_id();
        movement::record(tx, id, charge.id, self.amount, at.now).await?;
        let refund = json!({
            "id": id,
            "status": "succeeded",
            "charge": charge.id,
            "amount": self.amount,
            "currency": charge.currency,
            "created_at": at.now,
        });
        Outcome::done(charge.id, &refund)
    }
}

impl RefundCharge {
    async fn why_not(&self, tx: &mut Tx) -> Result<Failure, Failure> {
        let charge = Charge::find(tx, self.charge).await?;
        Ok(if charge.amount_captured > 0 {
            let left = charge.amount_captured - charge.amount_refunded;
            Failure::conflict("refund_exceeds_remaining", format!("{left} minor units are left to refund."))
        } else {
            charge.state_conflict("refunded")
        })
    }
}
