//! Payments: create, confirm, capture, cancel and refund. This file is the table of contents.

mod events;
mod metadata;
mod payment;
mod payment_method;
mod payment_view;
mod provider;
mod reference;
mod refund;
mod refusals;
mod return_url;

mod cancel_payment;
mod capture_charge;
mod capture_payment;
mod charge_card;
mod confirm_payment;
mod create_payment;
mod create_refund;
mod expire_authorizations;
mod get_payment;
mod get_refund;
mod list_payments;
mod list_refunds;
mod look_up_actions;
mod look_up_charge;
mod record_capture;
mod record_charge;
mod record_look_up;
mod record_refund;
mod record_void;
mod refund_charge;
mod return_from_authentication;
mod void_charge;

use florin_kernel::db::Migration;
use florin_kernel::function::Function;
use florin_kernel::service::Definition;

/// Every operation of this service.
pub const FUNCTIONS: &[Function] = &[
    Function::command::<create_payment::CreatePayment>(),
    Function::query::<get_payment::GetPayment>(),
    Function::query::<list_payments::ListPayments>(),
    Function::command::<confirm_payment::ConfirmPayment>(),
    Function::command::<capture_payment::CapturePayment>(),
    Function::command::<cancel_payment::CancelPayment>(),
    Function::command::<create_refund::CreateRefund>(),
    Function::query::<get_refund::GetRefund>(),
    Function::query::<list_refunds::ListRefunds>(),
    Function::command::<return_from_authentication::ReturnFromAuthentication>(),
    Function::job::<expire_authorizations::ExpireAuthorizations>(),
    Function::job::<look_up_actions::LookUpActions>(),
    Function::effect::<record_charge::RecordCharge>(),
    Function::effect::<record_look_up::RecordLookUp>(),
    Function::effect::<record_capture::RecordCapture>(),
    Function::effect::<record_void::RecordVoid>(),
    Function::effect::<record_refund::RecordRefund>(),
];

/// The payments service.
pub const SERVICE: Definition = Definition {
    name: "payments",
    summary: "Payments and refunds: create, confirm, capture, cancel, refund.",
    functions: FUNCTIONS,
    events: events::EVENTS,
    migrations: &[
        Migration::expanding(1, "payments", include_str!("../migrations/0001_payments.sql")),
        Migration::expanding(2, "index_order", include_str!("../migrations/0002_index_order.sql")),
        Migration::expanding(3, "refund_review", include_str!("../migrations/0003_refund_review.sql")),
    ],
    audited: true,
};
