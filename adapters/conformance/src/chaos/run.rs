//! A run: one deployment, one round after the other, and what all of them came to.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::faults;
use super::points;
use super::round::Round;
use super::summary::Summary;
use super::world::{On, World};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The set-up.
    pub on: On,
    /// How many rounds. The round after that of seed S has the seed S + 1.
    pub rounds: u64,
    /// The seed of the first round.
    pub seed: u64,
    /// How many requests the clients of a round send, at least.
    pub requests: u64,
    /// Whether to start servers that rounds may crash, instead of using those that the environment names.
    pub own_servers: bool,
}

/// The command that does the same again.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without `..`: an option that is added has to be named. A command always has servers of its own.
        let Self { on, rounds, seed, requests, own_servers: _ } = self;
        write!(f, "cargo xtask chaos --on {on} --rounds {rounds} --seed {seed} --requests {requests}")
    }
}

/// A run of so many rounds has to have killed at every point [`OFTEN`] times.
const LONG: u64 = 300;
const OFTEN: u64 = 20;

/// In so many rounds everything happens that the check can be told lies about.
const ENOUGH: u64 = 2;

/// A round that takes longer than this hangs.
const HANGS: Duration = Duration::from_secs(300);

/// Runs; `progress` hears of every round that is over.
///
/// # Errors
/// What was lost, doubled or stuck, with the command that repeats it.
pub async fn run(options: &Options, progress: impl FnMut(&Summary)) -> Result<Summary, String> {
    run_rounds(options, progress).await.map_err(|why| format!("{why}\nthe run again: {options}"))
}

async fn run_rounds(options: &Options, mut progress: impl FnMut(&Summary)) -> Result<Summary, String> {
    let began = Instant::now();
    let world = World::start(options.on, options.own_servers).await?;
    let done = faults::counter();
    let mut dead = BTreeSet::new();
    let mut summary = Summary { on: options.on.to_string(), ..Summary::default() };
    for seed in (options.seed..).take(usize::try_from(options.rounds).unwrap_or(usize::MAX)) {
        let requests = options.requests;
        let mut round = Round { world: &world, seed, requests, done: &done, dead: &mut dead };
        let guarded = AssertUnwindSafe(tokio::time::timeout(HANGS, round.run())).catch_unwind();
        let came = match guarded.await {
            Ok(Ok(came)) => came,
            Err(_) => Err(vec!["the round panicked (see above)".to_owned()]),
            Ok(Err(_)) => Err(vec![format!("the round was not over within {HANGS:?}")]),
        };
        match came {
            Ok(came) => {
                summary.rounds += 1;
                summary.requests += came.requests;
                summary.unanswered += came.unanswered;
                summary.shopping += came.shopping;
                summary.settling += came.settling;
                summary.doubted.extend(came.doubted);
            }
            Err(problems) => {
                let kept = world.keep(seed);
                let all = problems.len();
                let problems = problems.iter().take(20).map(|line| format!("  {line}\n")).collect::<String>();
                let alone = Options { rounds: 1, seed, ..options.clone() };
                return Err(format!(
                    "the round of seed {seed} failed, {all} things are wrong (its files: {}):\n{problems}\
                     the round again: {alone}",
                    kept.display()
                ));
            }
        }
        summary.kills = world.ended.kills.load(Ordering::SeqCst);
        summary.drained = world.ended.drained.load(Ordering::SeqCst);
        summary.cuts = done.cuts.load(Ordering::SeqCst);
        summary.database_restarts = done.database_restarts.load(Ordering::SeqCst);
        summary.broker_restarts = done.broker_restarts.load(Ordering::SeqCst);
        summary.out_of_time = world.door.out_of_time();
        summary.late_faults = done.late.load(Ordering::SeqCst);
        summary.points_not_reached = done.not_reached.load(Ordering::SeqCst);
        summary.provider_faults = world.provider.faults();
        summary.clock_moved = world.control.ahead();
        summary.took = began.elapsed();
        progress(&summary);
    }
    summary.hits = world.control.hits();
    summary.kills_by_point = world.control.kills();
    summary.took = began.elapsed();
    let untold = summary.untold();
    if options.rounds >= ENOUGH && !untold.is_empty() {
        return Err(format!("{summary}\nthe check was never told that {}", untold.join(", nor that ")));
    }
    if summary.out_of_time > 2 + summary.requests / 1_000 {
        return Err(format!("{summary}\nmore than one request of a thousand ran out of time"));
    }
    let restarts = summary.database_restarts + summary.broker_restarts;
    if world.servers.can_crash() && restarts < options.rounds / faults::CRASH_EVERY {
        return Err(format!("{summary}\na server was to crash in one of {} rounds", faults::CRASH_EVERY));
    }
    if options.rounds >= LONG {
        let seldom: Vec<&str> = points::of(options.on)
            .iter()
            .map(|point| point.name)
            .filter(|name| summary.kills_by_point.get(*name).copied().unwrap_or(0) < OFTEN)
            .collect();
        if !seldom.is_empty() {
            return Err(format!("{summary}\nkilled fewer than {OFTEN} times at {}", seldom.join(", ")));
        }
    }
    Ok(summary)
}
