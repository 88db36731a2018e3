//! One round: clients at work while things go wrong; then what is under way comes to its end; then the check.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use florin_host::services::SERVICES;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::books::Books;
use super::check::Check;
use super::dice::Dice;
use super::faults::{self, Done};
use super::points;
use super::shopper::Shopper;
use super::world::{On, World};
use crate::client::Client;
use crate::tally;

/// The least that a round has to be, or it shows nothing.
pub const REQUESTS: u64 = 200;
const KILLS: u64 = 1;

/// Clients and tenants of a round.
const CLIENTS: usize = 30;
const TENANTS: usize = 3;

/// How long everything that was accepted may take to come to its end.
const SETTLED: Duration = Duration::from_secs(90);

/// What customers who never come back are asked about after: the first look-up of the payments.
const LOOK_UP: Duration = Duration::from_secs(6 * 60);

/// What a round is given.
pub(crate) struct Round<'w> {
    pub(crate) world: &'w World,
    pub(crate) seed: u64,
    /// How many requests all clients send, at least.
    pub(crate) requests: u64,
    pub(crate) done: &'w Done,
    /// The identifiers of the events that are dead letters by now.
    pub(crate) dead: &'w mut BTreeSet<String>,
}

/// What a round came to: requests and those without an answer.
#[derive(Debug, Default)]
pub(crate) struct Came {
    pub(crate) requests: u64,
    pub(crate) unanswered: u64,
    /// How long the clients were at work, and how long it took until all was well.
    pub(crate) shopping: Duration,
    pub(crate) settling: Duration,
    /// The defects that its check was seen to see.
    pub(crate) doubted: BTreeSet<&'static str>,
}

impl Round<'_> {
    /// Runs it; what is wrong, where something is.
    pub(crate) async fn run(&mut self) -> Result<Came, Vec<String>> {
        let Self { world, seed, .. } = *self;
        world.crew.ready(&world.stranger).await.map_err(|why| vec![why])?;
        world.provider.reseed(seed);
        if let Some(queues) = &world.servers.queues {
            queues.reseed(seed);
        }
        world.control.deliveries(15, 40);
        let armed = points::of_round(world.on, seed);
        for (point, k) in &armed {
            world.control.arm(point.name, *k);
        }
        if let Some(sink) = &world.sink {
            sink.forget();
        }
        let tenants: Vec<(String, Client)> = (0..TENANTS)
            .map(|place| {
                let tenant = format!("chaos-{seed}-{place}");
                let client = world.client(&tenant, place);
                (tenant, client)
            })
            .collect();
        let clients_done = CancellationToken::new();
        let kills = world.ended.kills.load(Ordering::SeqCst);
        let began = Instant::now();
        let poison = format!("poison-{seed}-{}", world.control.ahead().as_micros());
        let (books, faults, poisoned) = tokio::join!(
            async {
                let books = self.clients(&tenants).await;
                clients_done.cancel();
                books
            },
            faults::run(world, seed, &armed, self.done, clients_done.clone()),
            world.poison(&poison),
        );
        let books = books?;
        let shopping = began.elapsed();
        let mut problems = books.problems.clone();
        problems.extend(faults.err());
        problems.extend(poisoned.err());
        self.dead.insert(poison);
        let mut doubted = BTreeSet::new();
        if problems.is_empty() {
            match self.settle(&tenants, &books).await {
                Ok(seen) => doubted = seen,
                Err(wrong) => problems = wrong,
            }
        }
        let kills = world.ended.kills.load(Ordering::SeqCst) - kills;
        if books.requests < REQUESTS || kills < KILLS {
            problems.push(format!("a round of {} requests and {kills} kills shows nothing", books.requests));
        }
        problems.append(&mut world.ended.wrong.lock().expect("nobody panics here"));
        problems.extend(world.door.take_faults());
        problems.extend(world.logs.lock().expect("nobody panics here").faults());
        if problems.is_empty() {
            let settling = began.elapsed() - shopping;
            let Books { requests, unanswered, .. } = books;
            Ok(Came { requests, unanswered, shopping, settling, doubted })
        } else {
            Err(problems)
        }
    }

    async fn clients(&self, tenants: &[(String, Client)]) -> Result<Books, Vec<String>> {
        let mut clients = JoinSet::new();
        let each = self.requests.div_ceil(u64::try_from(CLIENTS).unwrap_or(1));
        for number in 0..CLIENTS {
            let shopper = Shopper {
                door: self.world.door.clone(),
                client: tenants[number % TENANTS].1.clone(),
                browser: self.world.stranger.clone(),
                tenant: number % TENANTS,
                name: format!("{}-{number}", self.seed),
                dice: Dice::of(self.seed, &format!("client {number}")),
                books: Books::default(),
            };
            clients.spawn(shopper.shop(each));
        }
        let mut books = Books::default();
        while let Some(client) = clients.join_next().await {
            books.take(client.map_err(|error| vec![error.to_string()])?);
        }
        Ok(books)
    }

    /// Lets what is under way come to its end, and checks until all is well or the patience is over. The defects that
    /// the check was seen to see.
    async fn settle(
        &self,
        tenants: &[(String, Client)],
        books: &Books,
    ) -> Result<BTreeSet<&'static str>, Vec<String>> {
        let Self { world, .. } = *self;
        let check = Check {
            door: &world.door,
            tenants,
            sink: world.sink.as_ref(),
            provider: &world.stranger.at(world.site.sandbox.base()),
            books,
        };
        world.control.advance(LOOK_UP);
        // The points of jobs are passed now.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let not_reached = u64::try_from(world.control.disarm()).unwrap_or(0);
        self.done.not_reached.fetch_add(not_reached, Ordering::SeqCst);
        world.control.deliveries(0, 0);
        let end = Instant::now() + SETTLED;
        loop {
            let read = match world.crew.ready(&world.stranger).await {
                Ok(()) => check.read().await,
                Err(why) => Err(why),
            };
            let problems = match &read {
                Ok(read) => {
                    let wrong = check.wrong(read);
                    if wrong.is_empty() { self.nothing_is_stuck().await } else { wrong }
                }
                Err(why) => vec![why.clone()],
            };
            if let (Ok(read), true) = (&read, problems.is_empty()) {
                let doubted = check.doubted(read)?;
                // What the keys say, when all is over.
                let wrong = check.replay(3).await;
                return if wrong.is_empty() { Ok(doubted) } else { Err(wrong) };
            }
            if Instant::now() > end {
                return Err(problems);
            }
            world.control.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// No row of a service or of the embedded queue is stuck, and by the operator's commands nothing waits, nobody is
    /// needed, and the dead letters are those that have to be.
    async fn nothing_is_stuck(&self) -> Vec<String> {
        let site = &self.world.site;
        let mut problems = Vec::new();
        let outbox = site.command(&["outbox"]);
        if outbox.lines().any(|line| line.split_whitespace().nth(1) != Some("0")) {
            problems.push(format!("florin outbox: {outbox}"));
        }
        let effects = site.command(&["effects", "list"]);
        if !effects.trim().is_empty() {
            problems.push(format!("florin effects list: {effects}"));
        }
        let letters = site.command(&["dead-letters", "list", "--most", "100000"]);
        let letters: Vec<Value> =
            letters.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let dead: Vec<&str> =
            letters.iter().map(|letter| letter["event_id"].as_str().unwrap_or("?")).collect();
        let is_right = dead.len() == self.dead.len() && dead.iter().all(|id| self.dead.contains(*id));
        if !is_right {
            problems.push(format!("florin dead-letters list: {letters:?} instead of {:?}", self.dead));
        }
        for service in SERVICES.iter().chain(&[&tally::SERVICE]) {
            problems.extend(site.rows(service.name).unfinished().await);
        }
        if self.world.on == On::SqliteEmbedded {
            let waiting = site.waiting().await;
            if waiting != 0 {
                problems.push(format!("the embedded queue holds {waiting} messages"));
            }
        }
        problems
    }
}
