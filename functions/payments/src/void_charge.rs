//! Release at the provider what a charge reserves.

use std::time::Duration;

use florin_kernel::cx::Cx;
use florin_kernel::function::Effect;
use florin_kernel::id::{Id, Kind};
use florin_kernel::network::{Parsed, Request, Response};
use florin_kernel::stop::Stop;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::payment::{Payment, PaymentId};
use crate::provider::{CARD, Change, ChangeOutcome, change_outcome, post};

/// `voi_...`
pub(crate) enum VoidKind {}
impl Kind for VoidKind {
    const PREFIX: &'static str = "voi";
}

/// Why what a charge reserves is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Because {
    /// The merchant canceled the payment.
    Canceled,
    /// It was not captured in time.
    Expired,
    /// The customer did not authenticate in time.
    Abandoned,
}

/// One release.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VoidCharge {
    pub(crate) payment: PaymentId,
    void: Id<VoidKind>,
    charge: String,
    pub(crate) because: Because,
}

impl VoidCharge {
    /// Asks for the release of this payment's charge.
    pub(crate) fn ask(payment: &Payment, charge: String, because: Because, cx: &mut Cx) -> Result<(), Stop> {
        cx.ask(&Self { payment: payment.id, void: cx.new_id(), charge, because }, payment.id)
    }
}

impl Effect for VoidCharge {
    const NAME: &'static str = "payments.void_charge";
    const PEER: &'static str = CARD;
    const PEER_HONOURS_KEY: bool = true;
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    type Outcome = ChangeOutcome;

    fn key(&self) -> String {
        self.void.to_string()
    }

    fn build(&self) -> Request {
        post(format!("/v1/charges/{}/void", self.charge), json!({}))
    }

    fn parse(&self, _: u32, response: &Response) -> Parsed<ChangeOutcome> {
        change_outcome(response, Change::Void { charge: &self.charge })
    }
}
