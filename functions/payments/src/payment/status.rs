//! Where a payment stands, and how it is taken.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a payment stands (the states of a Stripe PaymentIntent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

const STATUSES: [(Status, &str); 7] = [
    (Status::RequiresPaymentMethod, "requires_payment_method"),
    (Status::RequiresConfirmation, "requires_confirmation"),
    (Status::RequiresAction, "requires_action"),
    (Status::Processing, "processing"),
    (Status::RequiresCapture, "requires_capture"),
    (Status::Succeeded, "succeeded"),
    (Status::Canceled, "canceled"),
];

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STATUSES[*self as usize].1)
    }
}

impl FromStr for Status {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = STATUSES.iter().find(|(_, name)| *name == text);
        found.map(|(status, _)| *status).ok_or_else(|| format!("{text} is not a payment's status"))
    }
}

/// Whether a confirmed payment is taken at once or only authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum CaptureMethod {
    /// Taken at once.
    #[default]
    Automatic,
    /// Authorized, and captured by another call.
    Manual,
}

impl fmt::Display for CaptureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        })
    }
}

impl FromStr for CaptureMethod {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "automatic" => Ok(Self::Automatic),
            "manual" => Ok(Self::Manual),
            _ => Err(format!("{text} is not a capture method")),
        }
    }
}

florin_kernel::text::text_column!(Status);
florin_kernel::text::text_column!(CaptureMethod);
