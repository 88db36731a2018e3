//! Pay back at the provider.

use std::time::Duration;

use florin_kernel::function::Effect;
use florin_kernel::network::{Parsed, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::provider::{CARD, Change, ChangeOutcome, change_outcome, post};
use crate::refund::RefundId;

/// One refund.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefundCharge {
    pub(crate) refund: RefundId,
    pub(crate) charge: String,
    pub(crate) amount: i64,
}

impl Effect for RefundCharge {
    const NAME: &'static str = "payments.refund_charge";
    const PEER: &'static str = CARD;
    const PEER_HONOURS_KEY: bool = true;
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    type Outcome = ChangeOutcome;

    fn key(&self) -> String {
        self.refund.to_string()
    }

    fn build(&self) -> Request {
        post("/v1/refunds".to_owned(), json!({ "charge": self.charge, "amount": self.amount }))
    }

    fn parse(&self, _: u32, response: &Response) -> Parsed<ChangeOutcome> {
        change_outcome(response, Change::Refund { charge: &self.charge, amount: self.amount })
    }
}
