//! How requests reach the processes: by HTTP to containers, or through a front to functions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;

use super::functions::Functions;
use crate::client::{Client, Outgoing, Reply};
use crate::tally;

/// A client does not wait longer for an answer. Whoever is killed says nothing, and is noticed at once.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whose a path is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Serves {
    Payments,
    Audit,
    Tally,
}

impl Serves {
    pub(super) fn of(path: &str) -> Self {
        match path {
            _ if path.starts_with("/v1/audit/") => Self::Audit,
            _ if path.starts_with(tally::PATH) => Self::Tally,
            _ => Self::Payments,
        }
    }
}

/// The doors of a deployment, and what came out of them that no kill and no server that is away excuses.
#[derive(Clone)]
pub(crate) struct Door {
    way: Way,
    faults: Arc<Mutex<Vec<String>>>,
    out_of_time: Arc<AtomicU64>,
}

/// How a request gets in.
#[derive(Clone)]
pub(crate) enum Way {
    /// Containers.
    Http {
        /// The base addresses of who serves payments.
        payments: Vec<String>,
        /// The base address of who serves audit.
        audit: String,
        /// The base address of who serves the tally.
        tally: String,
    },
    /// Functions behind a front.
    Lambda(Arc<Functions>),
}

impl Way {
    async fn send(
        &self,
        client: &Client,
        turn: u64,
        method: Method,
        path: &str,
        outgoing: Outgoing,
    ) -> Option<Reply> {
        match self {
            Self::Http { payments, audit, tally } => {
                let base = match Serves::of(path) {
                    Serves::Payments => &payments[usize::try_from(turn).unwrap_or(0) % payments.len()],
                    Serves::Audit => audit,
                    Serves::Tally => tally,
                };
                let caller = client.at(base);
                let sending = caller.send(method, path, outgoing);
                tokio::time::timeout(PATIENCE, sending).await.ok()?.ok()
            }
            Self::Lambda(functions) => functions.request(client.token(), turn, &method, path, outgoing).await,
        }
    }
}

impl Door {
    pub(crate) fn by(way: Way) -> Self {
        Self { way, faults: Arc::default(), out_of_time: Arc::default() }
    }

    /// Sends a request through the door of this turn; nothing when there was no answer. That something is away (503)
    /// may be; any other answer of 500 or more is a fault, whoever asked and whatever is done about it.
    pub(crate) async fn send(
        &self,
        client: &Client,
        turn: u64,
        method: Method,
        path: &str,
        outgoing: Outgoing,
    ) -> Option<Reply> {
        let reply = self.way.send(client, turn, method.clone(), path, outgoing).await?;
        if matches!(self.way, Way::Lambda(_)) && is_out_of_time(&reply) {
            self.out_of_time.fetch_add(1, Ordering::SeqCst);
        } else if is_fault(reply.status) {
            self.faults().push(format!("{method} {path}: a fault: {reply:?}"));
        }
        Some(reply)
    }

    /// How often a function's time was up before its work was done.
    pub(crate) fn out_of_time(&self) -> u64 {
        self.out_of_time.load(Ordering::SeqCst)
    }

    /// The faults since they were last taken.
    pub(crate) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults())
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.faults.lock().expect("nobody panics here")
    }

    /// GET of a page, asked again until somebody answers it with 200.
    pub(crate) async fn page(&self, client: &Client, path: &str) -> Result<serde_json::Value, String> {
        let mut last = None;
        for turn in 0..200 {
            last = self.send(client, turn, Method::GET, path, Outgoing::default()).await;
            match last {
                Some(reply) if reply.status == 200 => return Ok(reply.body),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        Err(format!("GET {path}: {last:?}"))
    }

    /// All members of a list.
    pub(crate) async fn list(&self, client: &Client, path: &str) -> Result<Vec<serde_json::Value>, String> {
        let mut members = Vec::new();
        let mut next = format!("{path}?limit=100");
        loop {
            let page = self.page(client, &next).await?;
            members.extend(page["data"].as_array().cloned().ok_or("a page without data")?);
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{path}?limit=100&cursor={cursor}"),
                None => return Ok(members),
            }
        }
    }
}

/// Whether nothing that chaos does excuses an answer. Whoever is killed answers nothing, and what a front would say then
/// (502, 504) is no answer here.
fn is_fault(status: u16) -> bool {
    status >= 500 && status != 503
}

/// Whether a function says that its time was up. Its platform's clock and its own are moved one after the other, so an
/// invocation may begin with its deadline behind it.
fn is_out_of_time(reply: &Reply) -> bool {
    (reply.status, reply.code()) == (504, "timeout")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_away_may_be_said_instead_of_an_answer() {
        assert!([500, 501, 502, 504].into_iter().all(is_fault));
        assert!(![200, 202, 402, 409, 503].into_iter().any(is_fault));
    }
}
