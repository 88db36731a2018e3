//! The idempotency key: an operation happens once, and its answer is repeated byte for byte.

use std::future::Future;

use axum::response::{IntoResponse, Response};
use florin_kernel::db::Tx;
use florin_kernel::id::{Id, Ids, Kind};
use florin_kernel::time::Timestamp;
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::Sandbox;
use crate::charge::ChargeId;
use crate::failure::Failure;
use crate::group_commit::{Given, Said, Work};

/// Something that is done once per key.
pub(crate) trait Operation: Send + Sync + 'static {
    /// Method and path.
    fn name(&self) -> String;
    /// What was asked, in one spelling, so that white space and member order make no other request.
    fn input(&self) -> String;
    /// The caller's reference, when the request carries one.
    fn reference(&self) -> Option<String> {
        None
    }
    /// The charge it is about, when that is known before.
    fn charge(&self) -> Option<ChargeId> {
        None
    }
    /// Does it. An error rolls everything back, the key too.
    fn perform(&self, tx: &mut Tx, at: At<'_>) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// What an operation is given.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) now: Timestamp,
    ids: &'a Ids,
    /// How often the key was seen, this time included.
    pub(crate) seen: i64,
}

impl At<'_> {
    pub(crate) fn new_id<K: Kind>(&self) -> Id<K> {
        self.ids.new_id()
    }
}

/// What an operation came to.
pub(crate) enum Outcome {
    /// Done, with the answer that is kept.
    Done { charge: ChargeId, body: String },
    /// Refused, and the refusal is the answer that is kept.
    Refused(Failure),
    /// Not even tried: the key is remembered as seen, and its repeat starts anew.
    NotTried(Failure),
}

impl Outcome {
    pub(crate) fn done(charge: ChargeId, answer: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self::Done { charge, body: serde_json::to_string(answer)? })
    }
}

/// An answer on its way out.
pub(crate) struct Answer {
    status: StatusCode,
    body: String,
    /// How often the key was seen, this time included.
    pub(crate) seen: i64,
    replayed: bool,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        if self.replayed {
            response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    operation: String,
    input: String,
    seen: i64,
    status: Option<i64>,
    body: Option<String>,
}

struct Once<O> {
    key: String,
    operation: O,
}

impl Sandbox {
    /// Does the operation, or repeats its answer.
    pub(crate) async fn once<O: Operation>(&self, key: String, operation: O) -> Result<Answer, Failure> {
        self.0.line.make(Once { key, operation }).await
    }
}

impl<O: Operation> Work for Once<O> {
    fn run<'a>(&'a self, tx: &'a mut Tx, given: &'a Given) -> BoxFuture<'a, Result<Said, Failure>> {
        Box::pin(once(tx, &self.key, &self.operation, given))
    }
}

async fn once<O: Operation>(tx: &mut Tx, key: &str, operation: &O, given: &Given) -> Result<Said, Failure> {
    let now = given.clock.now();
    let row = count(tx, key, operation, now).await?;
    if (row.operation, row.input) != (operation.name(), operation.input()) {
        tx.sql("UPDATE requests SET mismatched = mismatched + 1 WHERE idempotency_key = $1")
            .bind(key.to_owned())
            .run()
            .await?;
        return Ok(Err(Failure::conflict(
            "idempotency_mismatch",
            "Another request was made with this Idempotency-Key.",
        )));
    }
    if let (Some(status), Some(body)) = (row.status, row.body) {
        return Ok(Ok(Answer { status: code(status)?, body, seen: row.seen, replayed: true }));
    }
    let at = At { now, ids: &given.ids, seen: row.seen };
    let (status, charge, body) = match operation.perform(tx, at).await? {
        Outcome::Done { charge, body } => (StatusCode::OK, Some(charge), body),
        Outcome::Refused(failure) => (failure.status, operation.charge(), failure.body()),
        Outcome::NotTried(failure) => return Ok(Err(failure)),
    };
    tx.sql(
        "UPDATE requests
         SET charge = $2, status = $3, body = $4
         WHERE idempotency_key = $1",
    )
    .bind(key.to_owned())
    .bind(charge)
    .bind(i64::from(status.as_u16()))
    .bind(body.clone())
    .run()
    .await?;
    Ok(Ok(Answer { status, body, seen: row.seen, replayed: false }))
}

/// Counts the request under its key, and says what the key means by now.
async fn count<O: Operation>(tx: &mut Tx, key: &str, operation: &O, now: Timestamp) -> Result<Row, Failure> {
    Ok(tx
        .sql(
            "INSERT INTO requests (idempotency_key, operation, input, reference, charge, seen, created_at)
             VALUES ($1, $2, $3, $4, $5, 1, $6)
             ON CONFLICT (idempotency_key) DO UPDATE
             SET seen = requests.seen + 1
             RETURNING operation, input, seen, status, body",
        )
        .bind(key.to_owned())
        .bind(operation.name())
        .bind(operation.input())
        .bind(operation.reference())
        .bind(operation.charge())
        .bind(now)
        .one()
        .await?)
}

fn code(stored: i64) -> Result<StatusCode, Failure> {
    u16::try_from(stored)
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| Failure::fault(&format!("{stored} is no status")))
}
