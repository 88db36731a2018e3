//! One row for every change asked for over HTTP: what an idempotency key means, and what a lost COMMIT came to.

use bytes::Bytes;

use crate::answer::Answered;
use crate::caller::TenantId;
use crate::db::{DbResult, Tx};
use crate::id::Kind;
use crate::time::Timestamp;

/// The kind of an operation's identifier: `opr_...`.
pub(crate) enum OperationKind {}
impl Kind for OperationKind {
    const PREFIX: &'static str = "opr";
}

/// A change that was asked for.
pub(crate) struct Opening<'a> {
    pub(crate) id: &'a str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) client: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) fingerprint: &'a str,
    pub(crate) function: &'static str,
    pub(crate) now: Timestamp,
}

/// A row as it was found.
#[derive(sqlx::FromRow)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) function: String,
    pub(crate) subject: Option<String>,
    state: String,
    status: Option<i64>,
    content_type: Option<String>,
    location: Option<String>,
    headers: Option<String>,
    body: Option<Vec<u8>>,
}

impl Operation {
    /// The stored answer, once there is one.
    pub(crate) fn answer(&self) -> Option<Answered> {
        if self.state != "closed" {
            return None;
        }
        Some(Answered {
            status: u16::try_from(self.status?).ok()?,
            content_type: self.content_type.clone()?,
            location: self.location.clone(),
            headers: self
                .headers
                .as_deref()
                .map_or(Some(Vec::new()), |said| serde_json::from_str(said).ok())?,
            challenge: None,
            body: Bytes::from(self.body.clone()?),
            retry_after: None,
            replayed: true,
        })
    }
}

/// Opens an operation; false when its identifier or its key is taken. It waits for a transaction that holds
/// the key, up to the lock time-out.
pub(crate) async fn open(tx: &mut Tx, of: &Opening<'_>) -> DbResult<bool> {
    tx.sql(
        "INSERT INTO florin_operations
             (id, tenant, client, idempotency_key, fingerprint, function, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'open', $7)
         ON CONFLICT DO NOTHING",
    )
    .bind(of.id.to_owned())
    .bind(of.tenant.clone())
    .bind(of.client.to_owned())
    .bind(of.key.map(str::to_owned))
    .bind(of.fingerprint.to_owned())
    .bind(of.function)
    .bind(of.now)
    .run()
    .await
    .map(|rows| rows == 1)
}

/// Says whom an open operation waits for.
pub(crate) async fn wait_for(tx: &mut Tx, tenant: &TenantId, id: &str, subject: &str) -> DbResult<()> {
    tx.sql(
        "UPDATE florin_operations
         SET subject = $3
         WHERE tenant = $1 AND id = $2",
    )
    .bind(tenant.clone())
    .bind(id.to_owned())
    .bind(subject.to_owned())
    .later()
    .await
}

/// Closes an operation with its final answer; the first one stays.
pub(crate) async fn close(tx: &mut Tx, tenant: &TenantId, id: &str, answer: &Answered) -> DbResult<()> {
    let headers = (!answer.headers.is_empty())
        .then(|| serde_json::to_string(&answer.headers).expect("pairs of text are JSON"));
    tx.sql(
        "UPDATE florin_operations
         SET state = 'closed', status = $3, content_type = $4, location = $5, body = $6, headers = $7
         WHERE tenant = $1 AND id = $2 AND state = 'open'",
    )
    .bind(tenant.clone())
    .bind(id.to_owned())
    .bind(i64::from(answer.status))
    .bind(answer.content_type.clone())
    .bind(answer.location.clone())
    .bind(answer.body.to_vec())
    .bind(headers)
    .later()
    .await
}

const FIELDS_BY: (&str, &str) = (
    "SELECT id, fingerprint, function, subject, state, status, content_type, location, headers, body
     FROM florin_operations
     WHERE tenant = $1 AND id = $2",
    "SELECT id, fingerprint, function, subject, state, status, content_type, location, headers, body
     FROM florin_operations
     WHERE tenant = $1 AND client = $2 AND idempotency_key = $3",
);

/// The operation with this identifier.
pub(crate) async fn by_id(tx: &mut Tx, tenant: &TenantId, id: &str) -> DbResult<Option<Operation>> {
    tx.sql(FIELDS_BY.0).bind(tenant.clone()).bind(id.to_owned()).first().await
}

/// The operation with this client's key.
pub(crate) async fn by_key(
    tx: &mut Tx,
    tenant: &TenantId,
    client: &str,
    key: &str,
) -> DbResult<Option<Operation>> {
    tx.sql(FIELDS_BY.1).bind(tenant.clone()).bind(client.to_owned()).bind(key.to_owned()).first().await
}
