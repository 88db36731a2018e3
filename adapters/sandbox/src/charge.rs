//! A charge: its states, how it is shown, how it is found.

use std::fmt;
use std::str::FromStr;

use florin_kernel::db::Tx;
use florin_kernel::id::{Id, Kind};
use florin_kernel::money::Currency;
use florin_kernel::text::text_column;
use florin_kernel::time::Timestamp;
use serde::Serialize;

use crate::failure::Failure;
use crate::payment_method::PaymentMethod;

/// `ch_...`.
pub(crate) enum ChargeKind {}
impl Kind for ChargeKind {
    const PREFIX: &'static str = "ch";
}

pub(crate) type ChargeId = Id<ChargeKind>;

/// Where a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Waits for the cardholder.
    RequiresAction,
    /// Money is set aside; some of it may be captured already.
    Authorized,
    /// Captured; what was not captured is let go.
    Succeeded,
    Declined,
    /// What was set aside and not captured is let go.
    Voided,
}

impl Status {
    const ALL: [Self; 5] =
        [Self::RequiresAction, Self::Authorized, Self::Succeeded, Self::Declined, Self::Voided];

    const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresAction => "requires_action",
            Self::Authorized => "authorized",
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
            Self::Voided => "voided",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("{text} is no status of a charge"))
    }
}

text_column!(Status);

/// A row of `charges`. Amounts are in the currency's minor unit.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Charge {
    pub(crate) id: ChargeId,
    pub(crate) status: Status,
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: Currency,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) decline_code: Option<String>,
    pub(crate) action_url: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) created_at: Timestamp,
}

/// A charge as the API shows it.
#[derive(Serialize)]
struct Shown<'a> {
    id: ChargeId,
    status: &'static str,
    amount: i64,
    amount_captured: i64,
    amount_refunded: i64,
    currency: Currency,
    payment_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    created_at: Timestamp,
}

impl Serialize for Charge {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let waiting = self.status == Status::RequiresAction;
        Shown {
            id: self.id,
            status: self.status.as_str(),
            amount: self.amount,
            amount_captured: self.amount_captured,
            amount_refunded: self.amount_refunded,
            currency: self.currency,
            payment_method: self.payment_method.as_str(),
            decline_code: self.decline_code.as_deref(),
            // Once decided there is nothing left to do on the page.
            action_url: self.action_url.as_deref().filter(|_| waiting),
            reference: self.reference.as_deref(),
            created_at: self.created_at,
        }
        .serialize(to)
    }
}

impl Charge {
    /// The charge with this identifier; 404 when there is none.
    pub(crate) async fn find(tx: &mut Tx, id: ChargeId) -> Result<Self, Failure> {
        tx.sql("SELECT * FROM charges WHERE id = $1")
            .bind(id)
            .first()
            .await?
            .ok_or_else(Failure::no_such_charge)
    }

    /// 409: its state does not allow to be `done`.
    pub(crate) fn state_conflict(&self, done: &str) -> Failure {
        Failure::conflict(
            "charge_state_conflict",
            format!("A charge that is {} cannot be {done}.", self.status),
        )
    }
}
