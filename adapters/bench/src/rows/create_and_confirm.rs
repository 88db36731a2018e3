//! A payment created and confirmed, durable, beside `pgbench` running every transaction of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Executor, Row as _};

use crate::bench::Bench;
use crate::error::{Outcome, Trouble};
use crate::load::{Connection, Loaded, closed_loop};
use crate::pgbench::{self, Job};
use crate::process::Running;
use crate::row::{Budget, Round, Row};
use crate::servers::{Place, connect};
use crate::site::{Provider, Site, request};
use crate::statement_log::{Transaction, transactions_of};

pub(super) const NAME: &str = "create-and-confirm";

const CLIENTS: usize = 8;

/// How often the payment's script runs for one of the others at weight 1.
const WEIGHT: u32 = 1_000;

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let server = bench.postgres().await?;
    let (ours_at, baseline_at) = (
        server.place(&[&florin_payments::SERVICE]).await?,
        server.place(&[&florin_payments::SERVICE]).await?,
    );
    let provider = Provider::start().await?;
    let site = Site::new(bench.scratch(NAME)?, &ours_at, &provider, &bench.rabbitmq().await?);
    let token = site.token()?;
    let (mut ours, port) = site.serve().await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let seen_for = Duration::from_millis(bench.pick(300, 2_000));
    let (loaded, seen) = transactions_of(server, &ours_at, async {
        let loaded = pay(address, &token, seen_for)?;
        drained(&ours_at).await?;
        Ok(loaded)
    })
    .await?;
    let job = job(&baseline_at, &seen, loaded.latencies.count()).await?;
    let directory = bench.scratch("pgbench")?;
    let lasts = bench.lasts();
    let (a, b) = bench
        .take_turns(
            async || {
                ours.check()?;
                round(&ours, &ours_at, address, &token, lasts).await
            },
            async || pgbench::run(&job, &baseline_at, lasts, &directory).await,
        )
        .await?;
    done(&baseline_at, b.iter().map(|round| round.latencies.count()).sum()).await?;
    let row = Row::compared(
        (NAME, "payments/s"),
        (
            "create + confirm on PostgreSQL, durable, until its events are at RabbitMQ; the provider answers at once",
            "pgbench with every transaction of it, from the log",
        ),
        Some(Budget::AtLeast(0.6)),
        &a,
        &b,
    );
    Ok(vec![row.note(format!("{CLIENTS} clients, two requests each payment")).note(told(&job, &seen))])
}

/// Has clients create and confirm payments.
fn pay(address: SocketAddr, token: &str, lasts: Duration) -> Outcome<Loaded> {
    static KEYS: AtomicU64 = AtomicU64::new(1);
    // As long as an identifier, so that the script of pgbench gives each payment keys of its own.
    let key = || format!("key_{:032x}", KEYS.fetch_add(1, Ordering::Relaxed));
    let new = r#"{"amount": 2590, "currency": "EUR", "payment_method": "pm_card_visa"}"#;
    closed_loop(address, CLIENTS, lasts, async |on: &mut Connection| {
        let created = answer(on, &request("POST", "/v1/payments", token, Some(&key()), new), 201).await?;
        let path = format!("/v1/payments/{}/confirm", created["id"].as_str().unwrap_or_default());
        let confirmed = answer(on, &request("POST", &path, token, Some(&key()), "{}"), 200).await?;
        match confirmed["status"].as_str() {
            Some("succeeded") => Ok(()),
            _ => Err(Trouble::failed(format!("not succeeded: {confirmed}"))),
        }
    })
}

async fn answer(on: &mut Connection, request: &[u8], wanted: u16) -> Outcome<Value> {
    let status = on.send(request).await?;
    if status == wanted {
        Ok(serde_json::from_slice(on.body())?)
    } else {
        Err(Trouble::failed(format!("{status} {}", String::from_utf8_lossy(on.body()))))
    }
}

async fn round(
    ours: &Running,
    place: &Place,
    address: SocketAddr,
    token: &str,
    lasts: Duration,
) -> Outcome<Round> {
    let (cpu, began) = (ours.cpu()?, Instant::now());
    let mut loaded = pay(address, token, lasts)?;
    drained(place).await?;
    // What is not yet published when the last client has its answer belongs to the round.
    loaded.elapsed = began.elapsed();
    Ok(Round::loaded(loaded, ours.cpu()?.saturating_sub(cpu)))
}

/// Waits until every event is published.
async fn drained(place: &Place) -> Outcome<()> {
    let mut on = connect(&place.owner).await?;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        let waiting = on
            .fetch_one("SELECT EXISTS (SELECT FROM payments.florin_outbox WHERE published_at IS NULL)")
            .await?;
        if !waiting.get::<bool, _>(0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(Trouble::failed("events were not published"))
}

/// The baseline must have done what it was counted for: a guarded update that hits nothing is fast.
async fn done(place: &Place, counted: usize) -> Outcome<()> {
    let row = connect(&place.owner)
        .await?
        .fetch_one(
            "SELECT (SELECT count(*) FROM payments.payments WHERE status = 'succeeded'),
                 (SELECT count(*) FROM payments.florin_operations WHERE state = 'closed'),
                 (SELECT count(*) FROM payments.florin_effects WHERE state = 'done')",
        )
        .await?;
    let counted = i64::try_from(counted)?;
    let (payments, operations, effects): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    if payments < counted || operations < 2 * counted || effects < counted {
        return Err(Trouble::failed(format!(
            "pgbench counted {counted} payments and left {payments} succeeded, {operations} closed operations, \
             {effects} effects done"
        )));
    }
    Ok(())
}

/// One payment of those in the log as the first script; what belongs to none beside it, as often as it was seen.
async fn job(place: &Place, seen: &[Transaction], payments: usize) -> Outcome<Job> {
    let (own, others) = one_payment(seen)?;
    let mut scripts = vec![(pgbench::payment(&place.owner, &own).await?, WEIGHT)];
    let claims: Vec<&Transaction> = others.iter().copied().filter(|t| is_claim(t)).collect();
    let mark = others.iter().find(|t| is_mark(t));
    if let (Some(claim), Some(mark)) = (claims.first(), mark) {
        scripts.push((pgbench::relay(&place.owner, claim, mark).await?, weight(claims.len(), payments)));
    }
    let mut rest: BTreeMap<Vec<&str>, Vec<&Transaction>> = BTreeMap::new();
    for transaction in others.into_iter().filter(|t| !is_claim(t) && !is_mark(t)) {
        let texts = transaction.statements.iter().map(|statement| statement.text.as_str()).collect();
        rest.entry(texts).or_default().push(transaction);
    }
    for alike in rest.values() {
        if let Some(transaction) = alike.first() {
            let script = pgbench::rest(&place.owner, transaction).await?;
            scripts.push((script, weight(alike.len(), payments)));
        }
    }
    Ok(Job { scripts, clients: CLIENTS })
}

fn is_claim(transaction: &Transaction) -> bool {
    transaction.says("UPDATE florin_outbox") && transaction.says("RETURNING")
}

fn is_mark(transaction: &Transaction) -> bool {
    transaction.says("UPDATE florin_outbox") && transaction.says("SET published_at")
}

fn weight(times: usize, payments: usize) -> u32 {
    let weight = (times * WEIGHT as usize).div_ceil(payments.max(1));
    u32::try_from(weight).unwrap_or(u32::MAX).max(1)
}

/// The transactions of one payment, and those that belong to no payment at all.
fn one_payment(seen: &[Transaction]) -> Outcome<(Vec<Transaction>, Vec<&Transaction>)> {
    let created: Vec<&str> = seen
        .iter()
        .filter(|transaction| transaction.says("INSERT INTO payments"))
        .filter_map(|transaction| transaction.values().find(|value| value.starts_with("pay_")))
        .collect();
    // Neither the first, whose connection was cold, nor the last, whose end the log may miss.
    let chosen = created.get(created.len() / 2);
    let chosen = *chosen.ok_or_else(|| Trouble::failed("the log shows no payment"))?;
    let mut names = BTreeSet::from([chosen]);
    let mut own: BTreeSet<usize> = BTreeSet::new();
    loop {
        let before = own.len();
        for (index, transaction) in seen.iter().enumerate() {
            if transaction.values().any(|value| names.contains(value)) {
                own.insert(index);
                names.extend(transaction.values().filter(|value| is_id(value)));
            }
        }
        if own.len() == before {
            break;
        }
    }
    let others = seen.iter().filter(|transaction| !transaction.values().any(is_id)).collect();
    Ok((own.into_iter().filter_map(|index| seen.get(index).cloned()).collect(), others))
}

/// A whole value that is an identifier: a list of several names them, and belongs to nobody.
fn is_id(value: &str) -> bool {
    let Some((prefix, digits)) = value.split_once('_') else { return false };
    (2..=4).contains(&prefix.len()) && digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn told(job: &Job, seen: &[Transaction]) -> String {
    let statements = job.scripts.first().map_or(0, |(script, _)| script.matches(";\n").count());
    let weights: Vec<String> = job.scripts.iter().map(|(_, weight)| weight.to_string()).collect();
    format!(
        "read from {} transactions in the log: {statements} statements for each payment; the scripts of the payment, the \
         relay and the sweep run {} times",
        seen.len(),
        weights.join(" : "),
    )
}
