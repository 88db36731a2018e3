//! A payment as somebody would read it by hand, with the statements that our own query was seen to run.

use florin_kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow, PgPool};

use crate::error::{Outcome, Trouble};
use crate::statement_log::Transaction;

/// What one reading asks of the database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// How its transaction begins, the tenant's wall included.
    pub begin: String,
    /// The one statement: `$1` is the tenant and `$2` the payment.
    pub select: String,
}

impl Reading {
    /// Of the transaction that the log showed.
    pub fn of(seen: &Transaction, tenant: &str, payment: &str) -> Outcome<Self> {
        let [begin, select, end] = seen.statements.as_slice() else {
            return Err(Trouble::failed(format!("a reading is not three statements: {seen:?}")));
        };
        let values = [Some(tenant.to_owned()), Some(payment.to_owned())];
        if select.values != values || end.text != "ROLLBACK" {
            return Err(Trouble::failed(format!("a reading is not what it was: {seen:?}")));
        }
        Ok(Self { begin: begin.text.clone(), select: select.text.clone() })
    }
}

/// The columns that a caller is told of.
#[derive(Debug, FromRow, Serialize)]
pub struct Payment {
    id: String,
    status: String,
    amount: i64,
    amount_capturable: i64,
    amount_received: i64,
    amount_refunded: i64,
    currency: String,
    capture_method: String,
    payment_method: Option<String>,
    reference: Option<String>,
    description: Option<String>,
    metadata: String,
    return_url: Option<String>,
    action_url: Option<String>,
    error_code: Option<String>,
    needs_review: bool,
    refunds_in_review: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
}

/// The payment of this identifier.
pub async fn find(pool: &PgPool, by: &Reading, tenant: &str, id: &str) -> sqlx::Result<Option<Payment>> {
    let mut tx = pool.begin_with(AssertSqlSafe(by.begin.clone())).await?;
    let found = sqlx::query_as(AssertSqlSafe(by.select.clone()))
        .bind(tenant)
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
    tx.rollback().await?;
    Ok(found)
}
