//! The noun: a refund of a payment.

use std::sync::Arc;

use florin_kernel::cx::{Cx, View};
use florin_kernel::id::{Id, Kind};
use florin_kernel::money::Currency;
use florin_kernel::previous::Previous;
use florin_kernel::stop::Stop;
use florin_kernel::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::events::RefundChanged;
use crate::metadata::Metadata;
use crate::payment::PaymentId;
use crate::refusals::REFUND_NOT_FOUND;

/// `ref_...`
pub(crate) enum RefundKind {}
impl Kind for RefundKind {
    const PREFIX: &'static str = "ref";
}
/// A refund's identifier; also the provider's idempotency key.
pub(crate) type RefundId = Id<RefundKind>;

florin_kernel::text::text_enum! {
    /// Where a refund stands.
    pub(crate) enum RefundStatus: "a refund's status" {
        Pending = "pending",
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

/// A refund.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) payment: PaymentId,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) reason: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) status: RefundStatus,
    /// The provider's answer stayed away: a person must look.
    pub(crate) needs_review: bool,
    pub(crate) metadata: Metadata,
    pub(crate) created_at: Timestamp,
    pub(crate) version: i64,
    /// As it was found: against this an event says what changed.
    #[sqlx(skip)]
    pub(crate) found: Option<Arc<RefundView>>,
}

/// A refund as callers and events see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
pub(crate) struct RefundView {
    /// `ref_...`
    pub(crate) id: RefundId,
    /// The payment it pays back.
    pub(crate) payment: PaymentId,
    /// How much, in minor units.
    pub(crate) amount: i64,
    /// ISO 4217.
    pub(crate) currency: Currency,
    /// Why.
    pub(crate) reason: Option<String>,
    /// The merchant's own name for it.
    pub(crate) reference: Option<String>,
    /// Where it stands.
    pub(crate) status: RefundStatus,
    /// The merchant's own entries.
    pub(crate) metadata: Metadata,
    /// RFC 3339.
    pub(crate) created_at: Timestamp,
}

impl Refund {
    /// The refund with this id in the caller's tenant.
    pub(crate) async fn find(cx: &mut View, id: RefundId) -> Result<Self, Stop> {
        let tenant = cx.tenant();
        let found: Option<Self> = cx
            .sql(
                "SELECT id, payment, amount, currency, reason, reference, status, needs_review, metadata, created_at,
                        version
                 FROM refunds
                 WHERE tenant = $1 AND id = $2",
            )
            .bind(tenant)
            .bind(id)
            .first()
            .await?;
        let refund = found.ok_or_else(|| REFUND_NOT_FOUND.because(format!("there is no refund {id}")))?;
        Ok(Self { found: Some(Arc::new(refund.view())), ..refund })
    }

    /// Writes a new refund; false when its reference is taken.
    pub(crate) async fn insert(&self, cx: &mut Cx) -> Result<bool, Stop> {
        let tenant = cx.tenant();
        let rows = cx
            .sql(
                "INSERT INTO refunds
                     (id, tenant, payment, amount, currency, reason, reference, status, metadata, created_at, version)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)
                 ON CONFLICT (tenant, reference) DO NOTHING",
            )
            .bind(self.id)
            .bind(tenant)
            .bind(self.payment)
            .bind(self.amount)
            .bind(self.currency)
            .bind(self.reason.clone())
            .bind(self.reference.clone())
            .bind(self.status)
            .bind(self.metadata.clone())
            .bind(self.created_at)
            .run()
            .await?;
        Ok(rows == 1)
    }

    /// pending -> succeeded or failed; nothing when it is not pending.
    pub(crate) async fn settle(self, status: RefundStatus, cx: &mut Cx) -> Result<Option<Self>, Stop> {
        let tenant = cx.tenant();
        let next = Self { status, needs_review: false, version: self.version + 1, ..self };
        let rows = cx
            .sql(
                "UPDATE refunds
                 SET status = $3, version = $4, needs_review = false
                 WHERE tenant = $1 AND id = $2 AND status = 'pending'",
            )
            .bind(tenant)
            .bind(next.id)
            .bind(next.status)
            .bind(next.version)
            .run()
            .await?;
        Ok((rows == 1).then_some(next))
    }

    /// Says that a person must look at it.
    pub(crate) async fn flag(&self, cx: &mut Cx) -> Result<(), Stop> {
        let tenant = cx.tenant();
        cx.sql(
            "UPDATE refunds
             SET needs_review = true
             WHERE tenant = $1 AND id = $2 AND status = 'pending'",
        )
        .bind(tenant)
        .bind(self.id)
        .run()
        .await?;
        Ok(())
    }

    /// Whether a refund of this payment is still pending.
    pub(crate) async fn any_pending(cx: &mut Cx, payment: PaymentId) -> Result<bool, Stop> {
        let tenant = cx.tenant();
        let pending: Option<(RefundId,)> = cx
            .sql(
                "SELECT id
                 FROM refunds
                 WHERE tenant = $1 AND payment = $2 AND status = 'pending'
                 LIMIT 1",
            )
            .bind(tenant)
            .bind(payment)
            .first()
            .await?;
        Ok(pending.is_some())
    }

    /// As callers see it.
    pub(crate) fn view(&self) -> RefundView {
        let this = self.clone();
        RefundView {
            id: this.id,
            payment: this.payment,
            amount: this.amount,
            currency: this.currency,
            reason: this.reason,
            reference: this.reference,
            status: this.status,
            metadata: this.metadata,
            created_at: this.created_at,
        }
    }

    /// As the data of an event.
    pub(crate) fn changed(&self) -> RefundChanged {
        let refund = self.view();
        RefundChanged { previous: Previous::between(self.found.as_deref().cloned(), refund.clone()), refund }
    }
}
