//! What an operator wants again: never what may happen twice, unless he says that it may.

use serde::Serialize;

use super::EffectRow;
use crate::corridor::Act;
use crate::db::{CommitError, DbResult, Wall};
use crate::function::Room;
use crate::service::Service;

/// What an operator says of a request that its peer may take for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twice {
    /// It must not be sent.
    Never,
    /// It is sent all the same: somebody looked at the peer first.
    MayHappen,
}

/// What came of wanting an effect again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is wanted again, from now.
    Wanted,
    /// There is no such effect, or it is done.
    NotOpen,
    /// It is as it was: sent again it may happen twice, and nobody said that it may.
    MayHappenTwice(Remembered),
}

/// Where to look for what an effect came to, before it is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remembered {
    /// The peer; none when this release does not know the effect.
    pub peer: Option<&'static str>,
    /// The key it was sent under.
    pub key: Option<String>,
    /// The aggregate it is about.
    pub subject: String,
}

/// Whether an effect may happen twice when it is sent again now, and where to look first: it is no look-up, and its peer
/// may have forgotten the key, or honours none. Of an effect that this release does not know nobody can say that it may
/// not.
pub fn may_happen_twice(service: &Service, row: &EffectRow) -> Option<Remembered> {
    let subject = row.subject.clone();
    let Some(Room::Effect(room)) = service.function(&row.function).map(|of| of.room) else {
        return Some(Remembered { peer: None, key: None, subject });
    };
    let protected = room.peer_honours_key && service.clock.now().since(row.created_at) < room.max_age;
    if protected || is_look_up(service, row) {
        return None;
    }
    let input = serde_json::from_str(&row.input).unwrap_or_default();
    Some(Remembered { peer: Some(room.peer), key: (room.key)(&input).ok(), subject })
}

/// Whether an effect changes nothing at its peer, because its method is safe (RFC 9110, section 9.2.1).
fn is_look_up(service: &Service, row: &EffectRow) -> bool {
    let Some(Room::Effect(room)) = service.function(&row.function).map(|of| of.room) else { return false };
    let input = serde_json::from_str(&row.input).unwrap_or_default();
    (room.build)(&input).is_ok_and(|request| matches!(request.method, "GET" | "HEAD"))
}

/// Wants an effect again that a person has looked at, from now; the operator's act is recorded with it. Its attempts
/// are counted on: by its number a run knows whether it still holds the lease. Its life begins anew, unless the key it
/// was sent under still protects it: then it must end while the peer still knows that key.
pub async fn retry(service: &Service, id: &str, twice: Twice) -> DbResult<Retried> {
    let mut tx = service.db.begin(Wall::System).await?;
    let row: Option<EffectRow> = tx
        .sql(
            "SELECT id, tenant, function, input, subject, operation_id, operation_function, traceparent,
                 state, attempts, due_at, last_error, created_at
             FROM florin_effects
             WHERE id = $1 AND state <> 'done'",
        )
        .bind(id.to_owned())
        .first()
        .await?;
    let Some(row) = row else { return Ok(Retried::NotOpen) };
    let now = service.clock.now();
    let lives_since = match (may_happen_twice(service, &row), twice) {
        (Some(remembered), Twice::Never) => return Ok(Retried::MayHappenTwice(remembered)),
        (Some(_), Twice::MayHappen) => now,
        (None, _) if is_look_up(service, &row) => now,
        (None, _) => row.created_at,
    };
    let rows = tx
        .sql(
            "UPDATE florin_effects
             SET state = 'wanted', due_at = $2, created_at = $3
             WHERE id = $1 AND state <> 'done'",
        )
        .bind(row.id.clone())
        .bind(now)
        .bind(lives_since)
        .run()
        .await?;
    if rows == 0 {
        return Ok(Retried::NotOpen);
    }
    let act = Act { verb: "retry_effect", tenant: row.tenant.as_str(), resource: &row.subject };
    let tx = service.record_act(tx, act).await?;
    tx.commit().await.map_err(CommitError::into_error)?;
    Ok(Retried::Wanted)
}
