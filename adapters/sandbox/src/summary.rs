//! The totals of everything: `GET /v1/records/summary`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use florin_kernel::db::{Tx, Wall};
use serde::Serialize;

use crate::Sandbox;
use crate::failure::Failure;
use crate::records::Moved;

/// How many charges there are in each status, what moved in each currency, how much was asked, and what was
/// taken more than once.
#[derive(Serialize)]
pub(crate) struct Summary {
    charges: BTreeMap<String, i64>,
    currencies: BTreeMap<String, Totals>,
    requests: Requests,
    /// How many references there are with more than one charge that took or holds money.
    duplicates: i64,
    /// The first hundred of them.
    duplicate_references: Vec<Duplicate>,
}

#[derive(Default, Serialize)]
struct Totals {
    captured: Moved,
    refunded: Moved,
}

#[derive(Serialize, sqlx::FromRow)]
struct Requests {
    keys: i64,
    requests: i64,
    mismatched: i64,
}

#[derive(Serialize, sqlx::FromRow)]
struct Duplicate {
    reference: String,
    charges: i64,
    amount_captured: i64,
}

/// `GET /v1/records/summary`.
pub(crate) async fn summary(State(sandbox): State<Sandbox>) -> Result<Json<Summary>, Failure> {
    let mut tx = sandbox.0.db.read(Wall::System).await?;
    let by_status: Vec<(String, i64)> =
        tx.sql("SELECT status, COUNT(*) FROM charges GROUP BY status").all().await?;
    let requests = tx
        .sql(
            "SELECT COUNT(*) AS keys, COALESCE(SUM(seen), 0) AS requests,
                 COALESCE(SUM(mismatched), 0) AS mismatched
             FROM requests",
        )
        .one()
        .await?;
    let (duplicates, duplicate_references) = duplicates(&mut tx).await?;
    Ok(Json(Summary {
        charges: by_status.into_iter().collect(),
        currencies: currencies(&mut tx).await?,
        requests,
        duplicates,
        duplicate_references,
    }))
}

async fn currencies(tx: &mut Tx) -> Result<BTreeMap<String, Totals>, Failure> {
    let moved: Vec<(String, String, i64, i64)> = tx
        .sql(
            "SELECT c.currency, m.kind, COUNT(*), SUM(m.amount)
             FROM movements m
             JOIN charges c ON c.id = m.charge
             WHERE m.kind IN ('capture', 'refund')
             GROUP BY c.currency, m.kind",
        )
        .all()
        .await?;
    let mut totals: BTreeMap<String, Totals> = BTreeMap::new();
    for (currency, kind, count, amount) in moved {
        let of_currency = totals.entry(currency).or_default();
        if kind == "capture" {
            of_currency.captured = Moved { count, amount };
        } else {
            of_currency.refunded = Moved { count, amount };
        }
    }
    Ok(totals)
}

/// A declined charge and a later one that succeeded are no duplicates: the money was taken once.
async fn duplicates(tx: &mut Tx) -> Result<(i64, Vec<Duplicate>), Failure> {
    let (count,): (i64,) = tx
        .sql(
            "SELECT COUNT(*)
             FROM (SELECT reference
                   FROM charges
                   WHERE reference IS NOT NULL AND (amount_captured > 0 OR status = 'authorized')
                   GROUP BY reference
                   HAVING COUNT(*) > 1) AS d",
        )
        .one()
        .await?;
    let first = tx
        .sql(
            "SELECT reference, COUNT(*) AS charges, SUM(amount_captured) AS amount_captured
             FROM charges
             WHERE reference IS NOT NULL AND (amount_captured > 0 OR status = 'authorized')
             GROUP BY reference
             HAVING COUNT(*) > 1
             ORDER BY reference
             LIMIT 100",
        )
        .all()
        .await?;
    Ok((count, first))
}
