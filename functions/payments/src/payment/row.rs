//! A payment's row: found, locked, written for the first time and saved as its next version.

use std::sync::Arc;

use florin_kernel::cx::{Cx, View};
use florin_kernel::db::{DbError, Sql, Trouble};
use florin_kernel::stop::Stop;

use super::{Payment, PaymentId};
use crate::refusals::PAYMENT_NOT_FOUND;

/// The columns of a [`Payment`]. A macro, because `concat!` takes no constant.
macro_rules! payment_columns {
    () => {
        "id, status, amount, amount_capturable, amount_received, amount_refunded, currency, capture_method, \
         payment_method, reference, description, metadata, return_url, action_url, error_code, decline_code, \
         error_message, needs_review, cancel_reason, attempt, charge, capture_before, action_since, look_up_at, \
         created_at, updated_at, version, \
         (SELECT count(*) FROM refunds \
          WHERE refunds.payment = payments.id AND refunds.tenant = payments.tenant \
            AND refunds.status = 'pending' AND refunds.needs_review) AS refunds_in_review"
    };
}
pub(crate) use payment_columns;

/// The one payment of a tenant.
macro_rules! payment_by_id {
    () => {
        concat!("SELECT ", payment_columns!(), " FROM payments WHERE tenant = $1 AND id = $2")
    };
}

impl Payment {
    /// The payment with this id in the caller's tenant, whose row nobody else may change meanwhile.
    pub(crate) async fn lock(cx: &mut Cx, id: PaymentId) -> Result<Self, Stop> {
        // SQLite has one writer, and no words for this.
        let sql = Sql::each(payment_by_id!(), concat!(payment_by_id!(), " FOR UPDATE"));
        let payment = Self::by_id(cx, id, sql).await?;
        Ok(Self { found: Some(Arc::new(payment.view())), ..payment })
    }

    /// The payment with this id in the caller's tenant.
    pub(crate) async fn find(cx: &mut View, id: PaymentId) -> Result<Self, Stop> {
        Self::by_id(cx, id, payment_by_id!().into()).await
    }

    async fn by_id(cx: &mut View, id: PaymentId, sql: Sql) -> Result<Self, Stop> {
        let tenant = cx.tenant();
        let found = cx.sql(sql).bind(tenant).bind(id).first().await?;
        found.ok_or_else(|| Self::not_found(id))
    }

    /// The refusal of a payment that is not there, or of which the caller may not know that it is.
    pub(crate) fn not_found(id: PaymentId) -> Stop {
        PAYMENT_NOT_FOUND.because(format!("there is no payment {id}")).into()
    }

    /// The payment that an operation is about.
    pub(crate) async fn of_subject(cx: &mut View, subject: &str) -> Result<Self, Stop> {
        let id = subject.parse().map_err(|error| Stop::fault(format!("{subject}: {error}")))?;
        Self::find(cx, id).await
    }

    /// Writes a new payment; false when its reference is taken.
    pub(crate) async fn insert(&self, cx: &mut Cx) -> Result<bool, Stop> {
        let tenant = cx.tenant();
        let rows = cx
            .sql(
                "INSERT INTO payments
                     (id, tenant, status, amount, amount_capturable, amount_received, amount_refunded, currency,
                      capture_method, payment_method, reference, description, metadata, return_url,
                      needs_review, attempt, created_at, updated_at, version)
                 VALUES ($1, $2, $3, $4, 0, 0, 0, $5, $6, $7, $8, $9, $10, $11, false, $12, $13, $13, 1)
                 ON CONFLICT (tenant, reference) DO NOTHING",
            )
            .bind(self.id)
            .bind(tenant)
            .bind(self.status)
            .bind(self.amount)
            .bind(self.currency)
            .bind(self.capture_method)
            .bind(self.payment_method.clone())
            .bind(self.reference.clone())
            .bind(self.description.clone())
            .bind(self.metadata.clone())
            .bind(self.return_url.clone())
            .bind(self.attempt)
            .bind(self.created_at)
            .run()
            .await?;
        Ok(rows == 1)
    }

    /// Writes the next version, if the one it came from still stands.
    pub(crate) async fn save(mut self, cx: &mut Cx) -> Result<Self, Stop> {
        let (tenant, before) = (cx.tenant(), self.version);
        self.version += 1;
        self.updated_at = cx.now();
        let rows = cx
            .sql(
                "UPDATE payments
                 SET status = $4, amount_capturable = $5, amount_received = $6, amount_refunded = $7,
                     payment_method = $8, return_url = $9, action_url = $10, error_code = $11,
                     decline_code = $12, error_message = $13, needs_review = $14, cancel_reason = $15,
                     attempt = $16, charge = $17, capture_before = $18, action_since = $19, look_up_at = $20,
                     updated_at = $21, version = $22
                 WHERE tenant = $1 AND id = $2 AND version = $3",
            )
            .bind(tenant)
            .bind(self.id)
            .bind(before)
            .bind(self.status)
            .bind(self.amount_capturable)
            .bind(self.amount_received)
            .bind(self.amount_refunded)
            .bind(self.payment_method.clone())
            .bind(self.return_url.clone())
            .bind(self.action_url.clone())
            .bind(self.error_code.clone())
            .bind(self.decline_code.clone())
            .bind(self.error_message.clone())
            .bind(self.needs_review)
            .bind(self.cancel_reason.clone())
            .bind(self.attempt)
            .bind(self.charge.clone())
            .bind(self.capture_before)
            .bind(self.action_since)
            .bind(self.look_up_at)
            .bind(self.updated_at)
            .bind(self.version)
            .run()
            .await?;
        if rows == 1 {
            Ok(self)
        } else {
            Err(DbError::said(Trouble::Contended, "another change of this payment came between").into())
        }
    }
}
