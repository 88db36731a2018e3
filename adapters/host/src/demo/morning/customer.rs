//! The customer at the bank's page: decides there, and the browser follows the way back.

use super::play::Broken;
use crate::demo::answer::Payment;
use crate::demo::api::{Api, Ask, Body, To};

/// Where the shop wants its customers back; nobody goes there.
pub(super) const SHOP: &str = "https://shop.example/thanks";

/// What the customer decides.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    Approve,
    Refuse,
}

/// Sends the customer through the page of a payment that requires action, and gives the payment afterwards.
pub(super) async fn authenticate(api: &Api, payment: Payment, decision: Decision) -> Result<Payment, Broken> {
    let Some(action) = &payment.next_action else {
        return Err(format!("{} is {} and has no next_action", payment.id, payment.status).into());
    };
    let decided = match decision {
        Decision::Approve => "approve",
        Decision::Refuse => "refuse",
    };
    let back = browse(api, "authenticate (page)", &action.url, Body::Form(&[("decision", decided)])).await?;
    let shop = browse(api, "return (browser)", &back, Body::None).await?;
    if !shop.starts_with(SHOP) {
        return Err(format!("the browser was sent to {shop} and not to the shop").into());
    }
    // The way back is a browser's and says nothing; the shop asks.
    let mut looks = 0;
    loop {
        looks += 1;
        let payment = api.get("get", &format!("/v1/payments/{}", payment.id)).await?.payment()?;
        if !matches!(payment.status.as_str(), "processing" | "requires_action") || looks > LOOKS {
            return Ok(payment);
        }
        tokio::time::sleep(api.patience.pause(looks, None)).await;
    }
}

/// How often the shop looks before it takes the status as the last one.
const LOOKS: u32 = 40;

/// One step of the browser: where it is sent next.
async fn browse(api: &Api, operation: &'static str, address: &str, body: Body<'_>) -> Result<String, Broken> {
    let reply = api.ask(&Ask { operation, to: To::Browser(address), key: None, body }).await?;
    match (reply.status, reply.location) {
        (303, Some(location)) => Ok(location),
        (status, _) => Err(format!("{operation} was answered {status} and not a redirect").into()),
    }
}
