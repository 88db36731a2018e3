//! What payments refuse, by code.

use florin_kernel::problem::{Class, Code};

pub(crate) const PAYMENT_NOT_FOUND: Code =
    Code::new("payment_not_found", Class::NotFound, "There is no such payment.");
pub(crate) const REFUND_NOT_FOUND: Code =
    Code::new("refund_not_found", Class::NotFound, "There is no such refund.");
pub(crate) const PAYMENT_STATE_CONFLICT: Code =
    Code::new("payment_state_conflict", Class::Conflict, "The payment's status does not allow this.");
pub(crate) const PAYMENT_METHOD_MISSING: Code =
    Code::new("payment_method_missing", Class::Unprocessable, "A payment method is needed to confirm.");
pub(crate) const REFERENCE_TAKEN: Code =
    Code::new("reference_taken", Class::Conflict, "This reference was used before.");
pub(crate) const CAPTURE_EXCEEDS_REMAINING: Code =
    Code::new("capture_exceeds_remaining", Class::Conflict, "The capture is more than is left to capture.");
pub(crate) const REFUND_EXCEEDS_REMAINING: Code =
    Code::new("refund_exceeds_remaining", Class::Conflict, "The refund is more than is left to refund.");
pub(crate) const CARD_DECLINED: Code = Code::new("card_declined", Class::Declined, "The card was declined.");
pub(crate) const CAPTURE_FAILED: Code =
    Code::new("capture_failed", Class::Declined, "The provider refused the capture.");
pub(crate) const CANCEL_FAILED: Code =
    Code::new("cancel_failed", Class::Declined, "The provider refused to release the authorization.");
pub(crate) const REFUND_FAILED: Code =
    Code::new("refund_failed", Class::Declined, "The provider refused the refund.");
