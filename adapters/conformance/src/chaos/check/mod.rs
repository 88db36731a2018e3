//! After a round everything is read through public interfaces and has to agree: the provider's record, the
//! payments, their events, the audit records, and what the clients were answered.

mod chain;
mod lies;
mod told;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;

pub(crate) use self::lies::LIES;
use self::told::{Told, text};
use super::books::{Answer, Books, Known};
use super::door::Door;
use super::sink::Sink;
use crate::client::{Client, Outgoing, Reply};
use crate::tally;

/// How often a request is sent again when all is over.
const AGAIN: u64 = 50;

/// Where a check reads.
pub(crate) struct Check<'a> {
    pub(crate) door: &'a Door,
    /// The round's tenants, and a client of each.
    pub(crate) tenants: &'a [(String, Client)],
    /// What was published.
    pub(crate) sink: Option<&'a Sink>,
    /// The provider itself, without anything awkward before it.
    pub(crate) provider: &'a Client,
    pub(crate) books: &'a Books,
}

/// All that was read, a [`Told`] for each tenant.
pub(crate) struct Read(Vec<Told>);

impl Check<'_> {
    /// Reads everything.
    pub(crate) async fn read(&self) -> Result<Read, String> {
        let tenants = self.tenants.iter().map(|(_, client)| self.read_tenant(client));
        futures_util::future::try_join_all(tenants).await.map(Read)
    }

    async fn read_tenant(&self, client: &Client) -> Result<Told, String> {
        let payments = self.door.list(client, "/v1/payments").await?;
        let refunds = self.door.list(client, "/v1/refunds").await?;
        let records = self.door.list(client, "/v1/audit/records").await?;
        let tallies = self.door.list(client, tally::PATH).await?;
        let mut provider = BTreeMap::new();
        // What was made and is not listed may have been charged all the same.
        let made = records.iter().filter(|record| text(record, "name") == "florin.payment.created.v1");
        let made = made.map(|record| text(record, "resource"));
        let ids: BTreeSet<&str> = payments.iter().map(|payment| text(payment, "id")).chain(made).collect();
        for id in ids {
            let said = self.provider.get(&format!("/v1/records?reference={id}")).await;
            if said.status != 200 {
                return Err(format!("the provider's records of {id}: {said:?}"));
            }
            provider.insert(id.to_owned(), said.body);
        }
        Ok(Told { payments, refunds, records, tallies, provider })
    }

    /// All that is wrong; nothing when all is well.
    pub(crate) fn wrong(&self, read: &Read) -> Vec<String> {
        read.0.iter().enumerate().flat_map(|(place, told)| self.wrong_with(place, told)).collect()
    }

    fn wrong_with(&self, place: usize, told: &Told) -> Vec<String> {
        let (tenant, _) = &self.tenants[place];
        let published = self.sink.map(|sink| sink.against(tenant, &told.events()));
        let mut problems = told.wrong(&self.known(place));
        problems.extend(published.unwrap_or_default());
        problems
    }

    /// The check has to see each of [`LIES`] in what was read, and to say what it is; else it proves nothing. The names
    /// of those that could be told.
    ///
    /// # Errors
    /// The lies that it believes.
    pub(crate) fn doubted(&self, read: &Read) -> Result<BTreeSet<&'static str>, Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut believed = Vec::new();
        for (place, told) in read.0.iter().enumerate() {
            let known = self.known(place);
            for lie in LIES {
                let mut told = told.clone();
                if lie.tell(&mut told).is_none() {
                    continue;
                }
                let problems = told.wrong(&known);
                if !problems.iter().any(|problem| problem.contains(lie.seen_as)) {
                    believed.push(format!("the check believes that {}: {problems:?}", lie.name));
                }
                seen.insert(lie.name);
            }
            believed.extend(self.sink.and_then(|sink| sink.believes(&self.tenants[place].0, &told.events())));
        }
        if believed.is_empty() { Ok(seen) } else { Err(believed) }
    }

    /// What the clients of a tenant know.
    fn known(&self, place: usize) -> Vec<&Known> {
        self.books.known.iter().filter(|known| known.tenant == place).collect()
    }

    /// Every final answer again: the same bytes, and said to be repeated. Every `nth` of them is asked.
    pub(crate) async fn replay(&self, nth: usize) -> Vec<String> {
        let mut problems = Vec::new();
        for (turn, answer) in self.books.answers.iter().enumerate().step_by(nth.max(1)) {
            let (_, client) = &self.tenants[answer.tenant];
            let turn = u64::try_from(turn).unwrap_or(0);
            let Some(reply) = self.again(client, turn, answer).await else {
                problems.push(format!("POST {} again under {}: no answer", answer.path, answer.key));
                continue;
            };
            let same = reply.status == answer.status && reply.bytes == answer.bytes;
            if !same || reply.header("idempotency-replayed") != Some("true") {
                let first = String::from_utf8_lossy(&answer.bytes);
                problems.push(format!(
                    "POST {} again under {}: first {} {first}, now {reply:?}",
                    answer.path, answer.key, answer.status
                ));
            }
        }
        problems
    }

    /// A request again, until somebody answers: one that was told to end may still be at it.
    async fn again(&self, client: &Client, turn: u64, answer: &Answer) -> Option<Reply> {
        for attempt in 0..AGAIN {
            let outgoing = Outgoing::json(&answer.body, Some(&answer.key));
            let said = self.door.send(client, turn + attempt, Method::POST, &answer.path, outgoing).await;
            match said {
                Some(reply) if reply.status < 500 => return Some(reply),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        None
    }
}
