//! Payment methods: each decides alone how its charges go.

use std::fmt;
use std::str::FromStr;

use florin_kernel::text::text_column;

/// A test payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMethod {
    /// Succeeds.
    Visa,
    /// Declined with `generic_decline`.
    Declined,
    /// Declined with `insufficient_funds`.
    InsufficientFunds,
    /// Declined with `expired_card`.
    Expired,
    /// Waits for the cardholder to approve or refuse on a page.
    AuthenticationRequired,
    /// Succeeds, but the first request of a key is never answered; its repeat is.
    TimeoutAfterCharge,
    /// The first request of a key is a 503 and charges nothing; its repeat succeeds.
    ErrorBeforeCharge,
    /// Succeeds at once, but the first request of a key is answered late.
    Slow,
}

/// How a charge begins.
pub(crate) enum Verdict {
    Approved,
    Declined(&'static str),
    Authenticate,
}

impl PaymentMethod {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Visa,
        Self::Declined,
        Self::InsufficientFunds,
        Self::Expired,
        Self::AuthenticationRequired,
        Self::TimeoutAfterCharge,
        Self::ErrorBeforeCharge,
        Self::Slow,
    ];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "pm_card_visa",
            Self::Declined => "pm_card_declined",
            Self::InsufficientFunds => "pm_card_insufficient_funds",
            Self::Expired => "pm_card_expired",
            Self::AuthenticationRequired => "pm_card_authentication_required",
            Self::TimeoutAfterCharge => "pm_card_timeout_after_charge",
            Self::ErrorBeforeCharge => "pm_card_error_before_charge",
            Self::Slow => "pm_card_slow",
        }
    }

    pub(crate) const fn verdict(self) -> Verdict {
        match self {
            Self::Visa | Self::TimeoutAfterCharge | Self::ErrorBeforeCharge | Self::Slow => Verdict::Approved,
            Self::Declined => Verdict::Declined("generic_decline"),
            Self::InsufficientFunds => Verdict::Declined("insufficient_funds"),
            Self::Expired => Verdict::Declined("expired_card"),
            Self::AuthenticationRequired => Verdict::Authenticate,
        }
    }
}

impl fmt::Display for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no payment method.
#[derive(Debug)]
pub struct UnknownPaymentMethod;

impl fmt::Display for UnknownPaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = PaymentMethod::ALL.map(PaymentMethod::as_str).join(", ");
        write!(f, "the sandbox knows these payment methods: {known}")
    }
}

impl std::error::Error for UnknownPaymentMethod {}

impl FromStr for PaymentMethod {
    type Err = UnknownPaymentMethod;
    fn from_str(text: &str) -> Result<Self, UnknownPaymentMethod> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(UnknownPaymentMethod)
    }
}

text_column!(PaymentMethod);
