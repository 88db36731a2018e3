//! How requests reach the processes: by HTTP to containers, or through a front to functions.

use std::sync::Arc;
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

/// The doors of a deployment.
#[derive(Clone)]
pub(crate) enum Door {
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

impl Door {
    /// Sends a request through the door of this turn; nothing when there was no answer.
    pub(crate) async fn send(
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
