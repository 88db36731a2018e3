//! What happened and how often: `GET /v1/records?reference=&charge=`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use florin_kernel::db::{DbResult, Tx, Wall};
use serde::{Deserialize, Serialize};

use crate::charge::{Charge, ChargeId};
use crate::failure::Failure;
use crate::{Sandbox, door};

/// Whose records.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    reference: Option<String>,
    charge: Option<String>,
}

/// The counts over all that was found; amounts stand with each charge, because currencies do not add up.
#[derive(Default, Serialize)]
pub(crate) struct Records {
    charges: usize,
    captures: i64,
    refunds: i64,
    voids: i64,
    records: Vec<RecordOfCharge>,
    requests: Vec<Asked>,
}

#[derive(Serialize)]
struct RecordOfCharge {
    charge: Charge,
    captures: Moved,
    refunds: Moved,
    voids: Moved,
}

/// How often, and how much altogether in minor units.
#[derive(Default, Serialize)]
pub(crate) struct Moved {
    pub(crate) count: i64,
    pub(crate) amount: i64,
}

/// How often a key was seen, and how many of these were another request than the first.
#[derive(Serialize, sqlx::FromRow)]
struct Asked {
    idempotency_key: String,
    operation: String,
    charge: Option<String>,
    requests: i64,
    mismatched: i64,
    /// The status of the kept answer; null while nothing came of it.
    status: Option<i64>,
}

/// `GET /v1/records`.
pub(crate) async fn records(
    State(sandbox): State<Sandbox>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<Records>, Failure> {
    let Query(filter) = filter.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let mut tx = sandbox.0.db.read(Wall::System).await?;
    let (charges, requests) = match (filter.reference, filter.charge) {
        (Some(reference), None) => of_reference(&mut tx, reference).await?,
        (None, Some(charge)) => of_charge(&mut tx, door::charge_id(&charge)?).await?,
        _ => return Err(Failure::invalid("Either reference or charge is needed.")),
    };
    let mut found = Records { charges: charges.len(), requests, ..Records::default() };
    for charge in charges {
        let record = record_of(&mut tx, charge).await?;
        found.captures += record.captures.count;
        found.refunds += record.refunds.count;
        found.voids += record.voids.count;
        found.records.push(record);
    }
    Ok(Json(found))
}

// By rowid, which is the order of arrival: within one millisecond identifiers are in no order. The store is
// always SQLite.
async fn of_reference(tx: &mut Tx, reference: String) -> DbResult<(Vec<Charge>, Vec<Asked>)> {
    let charges = tx
        .sql("SELECT * FROM charges WHERE reference = $1 ORDER BY rowid")
        .bind(reference.clone())
        .all()
        .await?;
    let requests = tx
        .sql(
            "SELECT idempotency_key, operation, charge, seen AS requests, mismatched, status
             FROM requests
             WHERE reference = $1 OR charge IN (SELECT id FROM charges WHERE reference = $1)
             ORDER BY rowid",
        )
        .bind(reference)
        .all()
        .await?;
    Ok((charges, requests))
}

async fn of_charge(tx: &mut Tx, id: ChargeId) -> Result<(Vec<Charge>, Vec<Asked>), Failure> {
    let charge = Charge::find(tx, id).await?;
    let requests = tx
        .sql(
            "SELECT idempotency_key, operation, charge, seen AS requests, mismatched, status
             FROM requests
             WHERE charge = $1
             ORDER BY rowid",
        )
        .bind(id)
        .all()
        .await?;
    Ok((vec![charge], requests))
}

async fn record_of(tx: &mut Tx, charge: Charge) -> Result<RecordOfCharge, Failure> {
    let moved: Vec<(String, i64, i64)> = tx
        .sql(
            "SELECT kind, COUNT(*), SUM(amount)
             FROM movements
             WHERE charge = $1
             GROUP BY kind",
        )
        .bind(charge.id)
        .all()
        .await?;
    let mut record = RecordOfCharge {
        charge,
        captures: Moved::default(),
        refunds: Moved::default(),
        voids: Moved::default(),
    };
    for (kind, count, amount) in moved {
        let of_kind = match kind.as_str() {
            "capture" => &mut record.captures,
            "refund" => &mut record.refunds,
            "void" => &mut record.voids,
            other => return Err(Failure::fault(&format!("{other} is no movement"))),
        };
        *of_kind = Moved { count, amount };
    }
    Ok(record)
}
