//! A public query that reads nothing, beside bare axum with the same answer: what the corridor itself costs.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use florin_servers::free_port;

use crate::bench::{Bench, Pinned, SERVER};
use crate::error::{Outcome, Trouble};
use crate::load::{Connection, Loaded, closed_loop};
use crate::plot::{self, Line, Panel};
use crate::process::{Running, Start};
use crate::room::{PING, PONG};
use crate::row::{Budget, Round, Row};
use crate::{bare, ping};

pub(super) const NAME: &str = "public-query";

const CLIENTS: usize = 32;

/// Both servers, each with a processor of its own: the load generator has the other.
struct Both {
    ours: (Running, u16),
    baseline: (Running, u16),
    _pinned: Pinned,
}

async fn start(bench: &Bench) -> Outcome<Both> {
    let directory = bench.scratch(NAME)?;
    let pinned = bench.pinned();
    let (ours, port) = (Start::with(&["ping"]).on(SERVER), free_port());
    let mut ours = Running::start("florin-bench-suite", &ours.env(ping::PORT, port.to_string()), &directory)?;
    ours.answers(port, PING).await?;
    let (baseline, bare_port) = (Start::default().on(SERVER), free_port());
    let baseline = baseline.env(bare::PORT, bare_port.to_string());
    let mut baseline = Running::start("florin-bench-axum", &baseline, &directory)?;
    baseline.answers(bare_port, PING).await?;
    Ok(Both { ours: (ours, port), baseline: (baseline, bare_port), _pinned: pinned })
}

pub(super) async fn measure(bench: &Bench) -> Outcome<Vec<Row>> {
    let both = start(bench).await?;
    let (a, b) =
        bench.take_turns(async || round(bench, &both.ours), async || round(bench, &both.baseline)).await?;
    let row = Row::compared(
        (NAME, "requests/s"),
        ("public query without database, container adapter", "bare axum, same answer"),
        Some(Budget::AtLeast(0.9)),
        &a,
        &b,
    );
    let where_it_runs =
        format!("{CLIENTS} keep-alive clients; the server alone on processor 0, the load generator on 1");
    Ok(vec![row.note(where_it_runs)])
}

pub(crate) async fn plot(bench: &Bench) -> Outcome<Panel> {
    let both = start(bench).await?;
    let mut lines = vec![
        Line { name: "Florin", colour: plot::OURS, points: Vec::new() },
        Line { name: "bare axum", colour: plot::BASELINE, points: Vec::new() },
    ];
    for clients in plot::CLIENTS {
        for (line, (_, port)) in lines.iter_mut().zip([&both.ours, &both.baseline]) {
            line.points.push(plot::point(&load(*port, clients, bench.lasts() / 2)?));
        }
    }
    Ok(Panel { title: "Public query without database, one processor".to_owned(), unit: "requests/s", lines })
}

fn round(bench: &Bench, (server, port): &(Running, u16)) -> Outcome<Round> {
    let before = server.cpu()?;
    let loaded = load(*port, CLIENTS, bench.lasts())?;
    Ok(Round::loaded(loaded, server.cpu()?.saturating_sub(before)))
}

fn load(port: u16, clients: usize, lasts: Duration) -> Outcome<Loaded> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let request = format!("GET {PING} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    closed_loop(address, clients, lasts, async |on: &mut Connection| {
        match on.send(request.as_bytes()).await? {
            200 if on.body() == PONG.as_bytes() => Ok(()),
            status => Err(Trouble::failed(format!("{status} {}", String::from_utf8_lossy(on.body())))),
        }
    })
}
