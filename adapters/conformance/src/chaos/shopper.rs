//! One client of a round: it asks, asks again where it was not answered, and keeps books.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::books::{Answer, Books};
use super::dice::Dice;
use super::door::Door;
use crate::client::{Client, Outgoing, Reply};

/// How long a key may stay without its final answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a client goes by.
pub(crate) struct Shopper {
    pub(crate) door: Door,
    pub(crate) client: Client,
    /// Somebody without a token: a customer's browser.
    pub(crate) browser: Client,
    /// Its place among the tenants of the round.
    pub(crate) tenant: usize,
    /// Its own name, which no other client of any round has.
    pub(crate) name: String,
    pub(crate) dice: Dice,
    pub(crate) books: Books,
}

/// How a request that cannot be repeated ended.
#[derive(Debug)]
pub(crate) enum Told {
    /// With an answer that stays.
    Final(Reply),
    /// It is accepted and under way.
    Accepted,
    /// Nobody knows.
    Nothing,
}

impl Shopper {
    /// POST, once.
    async fn post(&mut self, path: &str, body: &Value, key: Option<&str>) -> Option<Reply> {
        self.books.requests += 1;
        let turn = self.dice.next();
        let outgoing = Outgoing::json(body, key);
        let reply = self.door.send(&self.client, turn, Method::POST, path, outgoing).await;
        self.books.unanswered += u64::from(reply.is_none());
        reply
    }

    /// POST under a key, once.
    pub(crate) async fn once_under(&mut self, path: &str, body: &Value, key: &str) -> Option<Reply> {
        self.post(path, body, Some(key)).await
    }

    pub(crate) fn wrong(&mut self, problem: String) {
        self.books.problems.push(format!("{}: {problem}", self.name));
    }

    /// POST without a key, once.
    pub(crate) async fn once(&mut self, path: &str, body: &Value) -> Told {
        match self.post(path, body, None).await {
            Some(reply) if reply.status == 202 => Told::Accepted,
            Some(reply) if reply.status < 500 => Told::Final(reply),
            Some(_) | None => Told::Nothing,
        }
    }

    /// POST under a key until its final answer; nothing, and a problem, when there is none in time.
    pub(crate) async fn keyed(&mut self, path: &str, body: &Value, key: &str) -> Option<Reply> {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        while Instant::now() < end {
            match self.post(path, body, Some(key)).await {
                Some(reply) if reply.status == 202 || reply.status >= 500 => last = Some(reply),
                Some(reply) if reply.code() == "idempotency_key_in_use" => last = Some(reply),
                Some(reply) => {
                    self.keep(path, body, key, &reply);
                    return Some(reply);
                }
                None => last = None,
            }
            // Whoever was killed is not back at once.
            let pause = if last.is_none() { 150 + self.dice.below(200) } else { 30 + self.dice.below(120) };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.wrong(format!("POST {path} under {key}: no final answer, at last {last:?}"));
        None
    }

    /// The final answer of a key is the same for ever.
    fn keep(&mut self, path: &str, body: &Value, key: &str, reply: &Reply) {
        let before = self.books.answers.iter().find(|answer| answer.key == key && answer.path == path);
        match before {
            Some(before) if before.bytes != reply.bytes || before.status != reply.status => {
                let before = String::from_utf8_lossy(&before.bytes).into_owned();
                self.wrong(format!("POST {path} under {key}: first {before}, then {reply:?}"));
            }
            Some(_) => {}
            None => self.books.answers.push(Answer {
                tenant: self.tenant,
                path: path.to_owned(),
                key: key.to_owned(),
                body: body.clone(),
                status: reply.status,
                bytes: reply.bytes.clone(),
            }),
        }
    }

    /// The same request under the same key from two places at once: one answer.
    pub(crate) async fn twins(&mut self, path: &str, body: &Value, key: &str) -> Option<Reply> {
        let mut other = Self {
            door: self.door.clone(),
            client: self.client.clone(),
            browser: self.browser.clone(),
            tenant: self.tenant,
            name: self.name.clone(),
            dice: Dice::new(self.dice.next()),
            books: Books::default(),
        };
        let (one, two) = tokio::join!(self.keyed(path, body, key), other.keyed(path, body, key));
        // Kept once, by us.
        other.books.answers.clear();
        self.books.take(other.books);
        let (one, two) = (one?, two?);
        if (one.status, &one.bytes) != (two.status, &two.bytes) {
            self.wrong(format!("POST {path} under {key} twice at once: {one:?} and {two:?}"));
        }
        Some(one)
    }

    /// GET until somebody answers it.
    pub(crate) async fn get(&mut self, path: &str) -> Option<Reply> {
        for _ in 0..300 {
            self.books.requests += 1;
            let turn = self.dice.next();
            match self.door.send(&self.client, turn, Method::GET, path, Outgoing::default()).await {
                Some(reply) if reply.status < 500 => return Some(reply),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        self.wrong(format!("GET {path}: no answer"));
        None
    }

    /// Says so when an answer is not one of these.
    pub(crate) fn expect(&mut self, what: &str, reply: &Reply, allowed: &[u16]) -> bool {
        let fits = allowed.contains(&reply.status);
        if !fits {
            self.wrong(format!("{what}: not {allowed:?} but {reply:?}"));
        }
        fits
    }

    /// The browser at the provider's page and on its way back; whether the decision reached the provider.
    pub(crate) async fn decide(&mut self, page: &str, decision: &str) -> bool {
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let form = Outgoing { headers, body: format!("decision={decision}").into_bytes() };
        let Ok(back) = self.browser.send(Method::POST, page, form).await else { return false };
        if back.status >= 500 {
            self.wrong(format!("POST {page}: the provider itself failed: {back:?}"));
        }
        if let Some(address) = back.header("location").map(str::to_owned)
            && let Some((_, path)) = address.split_once("://").and_then(|(_, rest)| rest.split_once('/'))
        {
            self.books.requests += 1;
            let turn = self.dice.next();
            // Lost or not: the job asks the provider.
            let path = format!("/{path}");
            let _ = self.door.send(&self.browser, turn, Method::GET, &path, Outgoing::default()).await;
        }
        back.status == 303
    }

    /// The body of a new payment.
    pub(crate) fn payment(&mut self, reference: &str, method: &str, more: Value) -> (i64, Value) {
        let amount = 100 + i64::try_from(self.dice.below(9_900)).unwrap_or(0);
        let currency = ["EUR", "USD", "JPY"][self.dice.place(3)];
        let mut body = json!({
            "amount": amount, "currency": currency, "payment_method": method, "reference": reference,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        (amount, body)
    }
}
