//! What goes wrong in a round beside the points: kills and orders to end at random, wires cut and held, a clock
//! that runs and jumps, and in one round of twenty a server that crashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::points::Point;
use super::world::World;

/// In one round of so many a server crashes.
pub(crate) const CRASH_EVERY: u64 = 20;

/// How often the clock is moved, and by how much: ten seconds in one, so that leases run out within a round.
const STEP: Duration = Duration::from_millis(50);
const STEP_OF_CLOCK: Duration = Duration::from_millis(500);

/// How long a queue service is away that keeps its queues.
const AWAY: Duration = Duration::from_secs(2);

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Tell,
    Cut,
    Hold,
    Jump(Duration),
    CrashDatabase,
    CrashBroker,
}

/// What went wrong in the whole run.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) cuts: AtomicU64,
    pub(crate) database_restarts: AtomicU64,
    pub(crate) broker_restarts: AtomicU64,
    /// What was planned for when the clients were done already.
    pub(crate) late: AtomicU64,
    /// The orders to die at a point that nobody passed often enough.
    pub(crate) not_reached: AtomicU64,
}

/// The faults of a round, by when.
fn plan(world: &World, seed: u64, armed: &[(Point, u64)]) -> Vec<(Duration, Fault)> {
    let mut dice = Dice::of(seed, "faults");
    let when = |dice: &mut Dice| Duration::from_millis(100 + dice.below(1_800));
    // A drain's points are passed only where somebody is told to end, and lives until then.
    let drains = armed.iter().any(|(point, _)| point.is_of_drain());
    let after_drains = if drains { Duration::from_secs(2) } else { Duration::ZERO };
    let mut plan = vec![(after_drains + when(&mut dice), Fault::Kill)];
    if dice.percent(40) {
        plan.push((after_drains + when(&mut dice), Fault::Kill));
    }
    let told = if drains { 2 } else { u64::from(dice.percent(30)) };
    for _ in 0..told {
        plan.push((when(&mut dice), Fault::Tell));
    }
    if dice.percent(50) {
        plan.push((when(&mut dice), Fault::Jump(Duration::from_secs(10 + dice.below(60)))));
    }
    if !world.wires.is_empty() {
        plan.push((when(&mut dice), Fault::Cut));
        plan.push((when(&mut dice), if dice.percent(50) { Fault::Cut } else { Fault::Hold }));
    }
    if seed % CRASH_EVERY == 7 {
        let broker = (seed / CRASH_EVERY) % 2 == 1;
        if broker && (world.servers.rabbitmq.is_some() || world.servers.queues.is_some()) {
            plan.push((Duration::from_millis(300), Fault::CrashBroker));
        } else if world.servers.postgres.is_some() {
            plan.push((Duration::from_millis(300), Fault::CrashDatabase));
        }
    }
    plan.sort_by_key(|(when, _)| *when);
    plan
}

/// Lets things go wrong until the clients are done, and returns when every server is back.
pub(crate) async fn run(
    world: &World,
    seed: u64,
    armed: &[(Point, u64)],
    done: &Done,
    clients_done: CancellationToken,
) -> Result<(), String> {
    let mut plan = plan(world, seed, armed).into_iter().peekable();
    let mut dice = Dice::of(seed, "victims");
    let began = Instant::now();
    let mut crashed = tokio::task::JoinSet::new();
    let mut back = None;
    let kills = world.ended.kills.load(Ordering::SeqCst);
    while !clients_done.is_cancelled() || !crashed.is_empty() || back.is_some() {
        if let (Some(queues), Some(when)) = (&world.servers.queues, back)
            && when <= began.elapsed()
        {
            queues.set_away(false);
            back = None;
        }
        world.control.advance(STEP_OF_CLOCK);
        while let Some((_, fault)) = plan.next_if(|(when, _)| *when <= began.elapsed()) {
            let victim = dice.place(world.crew.len());
            match fault {
                Fault::Kill => {
                    world.crew.kill(victim);
                }
                Fault::Tell => world.crew.tell(victim),
                Fault::Cut => {
                    done.cuts.fetch_add(1, Ordering::SeqCst);
                    world.wires[dice.place(world.wires.len())].cut();
                }
                Fault::Hold => {
                    done.cuts.fetch_add(1, Ordering::SeqCst);
                    let wire = &world.wires[dice.place(world.wires.len())];
                    wire.hold(true);
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    wire.hold(false);
                }
                Fault::Jump(by) => world.control.advance(by),
                Fault::CrashDatabase => {
                    if let Some(server) = world.servers.postgres.clone() {
                        done.database_restarts.fetch_add(1, Ordering::SeqCst);
                        crashed.spawn_blocking(move || {
                            let mut server = server.lock().expect("nobody panics here");
                            server.crash();
                            server.resume()
                        });
                    }
                }
                Fault::CrashBroker => {
                    if let Some(queues) = &world.servers.queues {
                        done.broker_restarts.fetch_add(1, Ordering::SeqCst);
                        queues.set_away(true);
                        back = Some(began.elapsed() + AWAY);
                    } else if let Some(server) = world.servers.rabbitmq.clone() {
                        done.broker_restarts.fetch_add(1, Ordering::SeqCst);
                        crashed.spawn_blocking(move || {
                            let mut server = server.lock().expect("nobody panics here");
                            server.crash();
                            server.resume()
                        });
                    }
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(STEP) => {}
            Some(resumed) = crashed.join_next() => {
                let resumed = resumed.map_err(|error| error.to_string())?;
                resumed.map_err(|error| format!("a server did not come back: {error}"))?;
            }
        }
    }
    let late = plan.fold(0, |late, _| late + 1);
    done.late.fetch_add(late, Ordering::SeqCst);
    // No round without a kill: effects and events of the last requests are still under way.
    if world.ended.kills.load(Ordering::SeqCst) == kills {
        world.crew.kill(dice.place(world.crew.len()));
    }
    Ok(())
}

/// Shared by the rounds of a run.
pub(crate) fn counter() -> Arc<Done> {
    Arc::default()
}
