//! The way to peers, with faults that a test orders.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use florin_http::network::HttpNetwork;
use florin_kernel::network::{Network, Outgoing, Response, SendError};
use futures_util::future::BoxFuture;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not leave.
    NotSent,
    /// It arrives and is answered, and the answer is lost.
    AnswerLost,
    /// It arrives and is answered, and the runner dies before it can tell: the task never goes on.
    Stuck,
    /// It does not arrive at the peer: something else says this status with this body.
    Says(u16, &'static str),
}

/// Peers over real HTTP.
pub struct Peers {
    network: HttpNetwork,
    plan: Mutex<VecDeque<Fault>>,
    seen: Mutex<Vec<Outgoing>>,
}

impl Peers {
    pub(super) fn new(network: HttpNetwork) -> Self {
        Self { network, plan: Mutex::default(), seen: Mutex::default() }
    }

    /// Orders faults for the next requests, one each.
    pub fn fail_next(&self, faults: &[Fault]) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Outgoing> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Network for Peers {
    fn send(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Response, SendError>> {
        let fault = self.plan.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(outgoing.clone());
        Box::pin(async move {
            match fault {
                None => self.network.send(outgoing).await,
                Some(Fault::NotSent) => Err(SendError::NotSent("ordered by the test".to_owned())),
                Some(Fault::AnswerLost) => {
                    let _ = self.network.send(outgoing).await;
                    Err(SendError::Unknown("ordered by the test".to_owned()))
                }
                Some(Fault::Stuck) => {
                    let _ = self.network.send(outgoing).await;
                    std::future::pending().await
                }
                Some(Fault::Says(status, body)) => Ok(Response { status, body: body.into() }),
            }
        })
    }
}
