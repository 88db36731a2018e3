//! Capture a charge at the provider.

use std::time::Duration;

use florin_kernel::function::Effect;
use florin_kernel::id::{Id, Kind};
use florin_kernel::network::{Parsed, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::payment::PaymentId;
use crate::provider::{CARD, Change, ChangeOutcome, change_outcome, post};

/// `cap_...`
pub(crate) enum CaptureKind {}
impl Kind for CaptureKind {
    const PREFIX: &'static str = "cap";
}

/// One capture.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CaptureCharge {
    pub(crate) payment: PaymentId,
    pub(crate) capture: Id<CaptureKind>,
    pub(crate) charge: String,
    pub(crate) amount: i64,
    pub(crate) last: bool,
}

impl Effect for CaptureCharge {
    const NAME: &'static str = "payments.capture_charge";
    const PEER: &'static str = CARD;
    const PEER_HONOURS_KEY: bool = true;
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    type Outcome = ChangeOutcome;

    fn key(&self) -> String {
        self.capture.to_string()
    }

    fn build(&self) -> Request {
        post(
            format!("/v1/charges/{}/capture", self.charge),
            json!({ "amount": self.amount, "final": self.last }),
        )
    }

    fn parse(&self, _: u32, response: &Response) -> Parsed<ChangeOutcome> {
        change_outcome(
            response,
            Change::Capture { charge: &self.charge, amount: self.amount, last: self.last },
        )
    }
}
