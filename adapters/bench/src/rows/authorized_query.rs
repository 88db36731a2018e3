//! One payment read by a bearer of a token, beside axum with the same token verification and the same SQL.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use florin_servers::free_port;
use serde_json::Value;
use sqlx::Executor;

use crate::bare::{self, Plan};
use crate::bench::Bench;
use crate::error::{Outcome, Trouble};
use crate::load::{Connection, Loaded, closed_loop};
use crate::payment_row::Reading;
use crate::plot::{self, Line, Panel};
use crate::process::{Running, Start};
use crate::row::{Budget, Round, Row};
use crate::servers::connect;
use crate::site::{Provider, Site, TENANT, request};
use crate::statement_log::transactions_of;

pub(super) const NAME: &str = "authorized-query";

const CLIENTS: usize = 16;

/// Payments with one payment in them, and how one reads it.
pub(super) struct Read {
    pub(super) site: Site,
    pub(super) url: String,
    pub(super) token: String,
    pub(super) payment: String,
    pub(super) reading: Reading,
    _provider: Provider,
}

/// Makes a payment and looks at what reading it asks of the database.
pub(super) async fn prepare(bench: &Bench, name: &str) -> Outcome<(Read, Running, u16)> {
    let server = bench.postgres().await?;
    let place = server.place(&[&florin_payments::SERVICE]).await?;
    let provider = Provider::start().await?;
    let site = Site::new(bench.scratch(name)?, &place, &provider, "http://127.0.0.1:1/");
    let token = site.token()?;
    let (ours, port) = site.serve().await?;
    let mut on = Connection::open(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let body = r#"{"amount": 2590, "currency": "EUR", "payment_method": "pm_card_visa"}"#;
    let status = on.send(&request("POST", "/v1/payments", &token, None, body)).await?;
    let made: Value = serde_json::from_slice(on.body())?;
    let Some(payment) = made["id"].as_str().map(str::to_owned) else {
        return Err(Trouble::failed(format!("no payment was made: {status} {made}")));
    };
    // Nobody is at the sink: what waits there would be tried again every second.
    let published = "UPDATE payments.florin_outbox SET published_at = created_at";
    connect(&place.owner).await?.execute(published).await?;
    let get = request("GET", &format!("/v1/payments/{payment}"), &token, None, "");
    let ((), seen) = transactions_of(server, &place, async {
        match on.send(&get).await? {
            200 => Ok(()),
            status => Err(Trouble::failed(format!("the payment was not read: {status}"))),
        }
    })
    .await?;
    let seen = seen.iter().find(|transaction| transaction.names(&payment));
    let seen = seen.ok_or_else(|| Trouble::failed("the log does not show the reading"))?;
    let reading = Reading::of(seen, TENANT, &payment)?;
    Ok((Read { site, url: place.login, token, payment, reading, _provider: provider }, ours, port))
}

/// Both servers on one database, and the request.
struct Both {
    ours: (Running, u16),
    baseline: (Running, u16),
    get: Vec<u8>,
    _read: Read,
}

async fn start(bench: &Bench, name: &str) -> Outcome<Both> {
    let (read, ours, port) = prepare(bench, name).await?;
    let key = read.site.development_key()?;
    let rules = key.rules();
    let plan = Plan {
        url: read.url.clone(),
        reading: read.reading.clone(),
        issuer: rules.issuer,
        audience: rules.audience.into_iter().next().unwrap_or_default(),
        jwks: key.jwks().to_owned(),
    };
    let bare_port = free_port();
    let start = Start::default()
        .env(bare::PORT, bare_port.to_string())
        .env(bare::PLAN, serde_json::to_string(&plan)?);
    let mut baseline = Running::start("florin-bench-axum", &start, read.site.directory())?;
    baseline.answers(bare_port, "/readyz").await?;
    let get = request("GET", &format!("/v1/payments/{}", read.payment), &read.token, None, "");
    Ok(Both { ours: (ours, port), baseline: (baseline, bare_port), get, _read: read })
}

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let both = start(bench, NAME).await?;
    let (a, b) = bench
        .take_turns(
            async || round(bench, &both.ours, &both.get),
            async || round(bench, &both.baseline, &both.get),
        )
        .await?;
    let row = Row::compared(
        (NAME, "requests/s"),
        ("authorized query of one row, PostgreSQL", "axum + the same token verification + the same SQL"),
        Some(Budget::AtLeast(0.85)),
        &a,
        &b,
    );
    let note = format!(
        "{CLIENTS} keep-alive clients, 8 connections; server, PostgreSQL and load share both processors, so the CPU \
         of the server process alone is the strict number"
    );
    Ok(vec![row.note(note)])
}

pub(crate) async fn plot(bench: &Bench) -> Outcome<Panel> {
    let both = start(bench, "authorized-query-plot").await?;
    let mut lines = vec![
        Line { name: "Florin", colour: plot::OURS, points: Vec::new() },
        Line { name: "axum, token and SQL", colour: plot::BASELINE, points: Vec::new() },
    ];
    for clients in plot::CLIENTS {
        for (line, (_, port)) in lines.iter_mut().zip([&both.ours, &both.baseline]) {
            line.points.push(plot::point(&load(*port, &both.get, clients, bench.lasts() / 2)?));
        }
    }
    Ok(Panel { title: "Authorized query of one row on PostgreSQL".to_owned(), unit: "requests/s", lines })
}

fn round(bench: &Bench, (server, port): &(Running, u16), get: &[u8]) -> Outcome<Round> {
    let before = server.cpu()?;
    let loaded = load(*port, get, CLIENTS, bench.lasts())?;
    Ok(Round::loaded(loaded, server.cpu()?.saturating_sub(before)))
}

fn load(port: u16, get: &[u8], clients: usize, lasts: Duration) -> Outcome<Loaded> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    closed_loop(address, clients, lasts, async |on: &mut Connection| match on.send(get).await? {
        200 => Ok(()),
        status => Err(Trouble::failed(format!("{status} {}", String::from_utf8_lossy(on.body())))),
    })
}
