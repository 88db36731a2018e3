//! DESIGN 5's table, row by row: a process is killed, or a connection lost, exactly there. Afterwards the repeat
//! of the key gives everybody the same final answer, the provider charged once, and the records stand once.

mod after_the_first_commit;
mod answer_lost;
mod before_the_first_commit;
mod client_gone;
mod commit_unknown;
mod deliveries;
mod never_resolved;
mod scene;
mod two_runners;

use florin_testkit::suite::Engine;

/// Both databases at the same time: most of a crash test is waiting.
async fn on_each_database<F: Future<Output = ()>>(check: impl Fn(Engine) -> F) {
    futures_util::future::join(check(Engine::Sqlite), check(Engine::Postgres)).await;
}
