//! What payments tell the world: the aggregate after each change, as its callers see it, and what the change was.

use florin_kernel::function::{EventEntry, EventType};
use florin_kernel::previous::Previous;
use schemars::JsonSchema;
use serde::Serialize;

use crate::payment_view::PaymentView;
use crate::refund::RefundView;

/// A payment after a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PaymentChanged {
    /// The payment as it is now.
    pub(crate) payment: PaymentView,
    /// What the change touched, with the values before it; null when the payment was created.
    pub(crate) previous: Previous<PaymentView>,
}

/// A refund after a change.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RefundChanged {
    /// The refund as it is now.
    pub(crate) refund: RefundView,
    /// What the change touched, with the values before it; null when the refund was created.
    pub(crate) previous: Previous<RefundView>,
}

macro_rules! events {
    ($($name:ident $data:ty, $kind:literal, $summary:literal;)*) => {
        $(pub(crate) const $name: EventType<$data> = EventType::new(
            $kind,
            $summary,
            include_str!(concat!("../../../events/", $kind, ".example.json")),
        );)*
        pub(crate) const EVENTS: &[EventEntry] = &[$($name.entry()),*];
    };
}

// A macro, so that no type can be emitted that the catalog does not list.
events! {
    CREATED PaymentChanged, "florin.payment.created.v1", "A payment was created.";
    ACTION_REQUIRED PaymentChanged, "florin.payment.action_required.v1", "The customer must authenticate.";
    AUTHORIZED PaymentChanged, "florin.payment.authorized.v1", "The amount is reserved and can be captured.";
    CAPTURED PaymentChanged, "florin.payment.captured.v1", "An authorized amount was captured, in whole or in part.";
    SUCCEEDED PaymentChanged, "florin.payment.succeeded.v1", "The payment is paid.";
    DECLINED PaymentChanged, "florin.payment.declined.v1", "An attempt to pay was declined.";
    CANCELED PaymentChanged, "florin.payment.canceled.v1", "The payment was canceled.";
    CAPTURE_REFUSED PaymentChanged, "florin.payment.capture_failed.v1", "The provider refused a capture; what was authorized still is.";
    CANCEL_REFUSED PaymentChanged, "florin.payment.cancel_failed.v1", "The provider refused to release what it holds.";
    REFUNDED PaymentChanged, "florin.payment.refunded.v1", "An amount was paid back.";
    REFUND_REFUSED PaymentChanged, "florin.payment.refund_failed.v1", "What was set aside for a refund is free again.";
    NEEDS_REVIEW PaymentChanged, "florin.payment.needs_review.v1", "The provider's answer is missing or contradicts ours; a person must look.";
    REFUND_CREATED RefundChanged, "florin.refund.created.v1", "A refund was asked for.";
    REFUND_SUCCEEDED RefundChanged, "florin.refund.succeeded.v1", "A refund was made.";
    REFUND_FAILED RefundChanged, "florin.refund.failed.v1", "The provider refused a refund.";
}
