//! The record of money taken, given back or let go: one row each time.

use florin_kernel::db::{DbResult, Tx};
use florin_kernel::id::{Id, Kind};
use florin_kernel::time::Timestamp;

use crate::charge::ChargeId;

/// What can be recorded: a kind of identifier with the word that stands in the `kind` column.
pub(crate) trait Movement: Kind {
    const NAME: &'static str;
}

/// `cap_...`: money was taken.
pub(crate) enum Capture {}
/// `re_...`: money was given back.
pub(crate) enum Refund {}
/// `void_...`: an authorization, or what was left of it, was let go.
pub(crate) enum Void {}

impl Kind for Capture {
    const PREFIX: &'static str = "cap";
}
impl Movement for Capture {
    const NAME: &'static str = "capture";
}
impl Kind for Refund {
    const PREFIX: &'static str = "re";
}
impl Movement for Refund {
    const NAME: &'static str = "refund";
}
impl Kind for Void {
    const PREFIX: &'static str = "void";
}
impl Movement for Void {
    const NAME: &'static str = "void";
}

/// Records it, in the transaction that moved the charge. The amount is in minor units.
pub(crate) async fn record<M: Movement>(
    tx: &mut Tx,
    id: Id<M>,
    charge: ChargeId,
    amount: i64,
    now: Timestamp,
) -> DbResult<()> {
    tx.sql(
        "INSERT INTO movements (id, charge, kind, amount, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(charge)
    .bind(M::NAME)
    .bind(amount)
    .bind(now)
    .run()
    .await
    .map(|_| ())
}
