//! The way to peers, with faults that a test orders.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use florin_http::network::HttpNetwork;
use florin_kernel::network::{Network, Outgoing, Response, SendError};
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, watch};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not leave.
    NotSent,
    /// It arrives and is answered, and the answer is lost.
    AnswerLost,
    /// It arrives and is answered, and the runner dies before it can tell: the task never goes on.
    Stuck,
    /// It arrives and is answered, and the runner sleeps until [`Peers::wake`].
    Asleep,
    /// It does not arrive at the peer: something else says this status with this body.
    Says(u16, &'static str),
}

/// Peers over real HTTP.
pub struct Peers {
    network: HttpNetwork,
    plan: Mutex<VecDeque<Fault>>,
    seen: Mutex<Vec<Outgoing>>,
    answered: watch::Sender<usize>,
    woken: Notify,
}

impl Peers {
    pub(super) fn new(network: HttpNetwork) -> Self {
        Self {
            network,
            plan: Mutex::default(),
            seen: Mutex::default(),
            answered: watch::Sender::new(0),
            woken: Notify::new(),
        }
    }

    /// Orders faults for the next requests, one each.
    pub fn fail_next(&self, faults: &[Fault]) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// How many requests the peers have answered, whether the answer was lost or not.
    pub fn answered(&self) -> usize {
        *self.answered.borrow()
    }

    /// Waits until the peers have answered so many requests.
    pub async fn until_answered(&self, requests: usize) {
        let reached = self.answered.subscribe().wait_for(|answered| *answered >= requests).await.is_ok();
        assert!(reached, "the sender lives as long as this");
    }

    /// Wakes one runner that sleeps with its answer.
    pub fn wake(&self) {
        self.woken.notify_one();
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
                Some(Fault::NotSent) => return Err(SendError::NotSent("ordered by the test".to_owned())),
                Some(Fault::Says(status, body)) => return Ok(Response { status, body: body.into() }),
                Some(Fault::AnswerLost | Fault::Stuck | Fault::Asleep) | None => {}
            }
            let response = self.network.send(outgoing).await;
            self.answered.send_modify(|answered| *answered += 1);
            match fault {
                Some(Fault::AnswerLost) => Err(SendError::Unknown("ordered by the test".to_owned())),
                Some(Fault::Stuck) => std::future::pending().await,
                Some(Fault::Asleep) => {
                    self.woken.notified().await;
                    response
                }
                _ => response,
            }
        })
    }
}
