//! What a run came to, as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::check::LIES;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The set-up.
    pub on: String,
    /// Rounds that were run to their end.
    pub rounds: u64,
    /// Requests that clients sent, repeats included.
    pub requests: u64,
    /// Of these, those without an answer.
    pub unanswered: u64,
    /// Those whose function said that its time was up.
    pub out_of_time: u64,
    /// Processes that SIGKILL ended.
    pub kills: u64,
    /// Of these, by the point at which they died.
    pub kills_by_point: BTreeMap<String, u64>,
    /// How often each point was passed.
    pub hits: BTreeMap<String, u64>,
    /// Processes that were told to end and ended in order.
    pub drained: u64,
    /// Restarts of the database's server.
    pub database_restarts: u64,
    /// Restarts of the broker.
    pub broker_restarts: u64,
    /// How often all connections of a wire were cut or held.
    pub cuts: u64,
    /// Faults that were planned for when the clients were done already.
    pub late_faults: u64,
    /// Points that were armed, and at which nobody died.
    pub points_not_reached: u64,
    /// Requests and answers that the provider's wire lost.
    pub provider_faults: u64,
    /// By how much the clock was moved.
    pub clock_moved: Duration,
    /// How long clients were at work.
    pub shopping: Duration,
    /// How long it took until all was well after them, the checks included.
    pub settling: Duration,
    /// Defects that were told to the check, and that it saw.
    pub doubted: BTreeSet<&'static str>,
    /// How long the run took.
    pub took: Duration,
}

impl Summary {
    /// The defects that the check was never told.
    pub(crate) fn untold(&self) -> Vec<&'static str> {
        LIES.iter().map(|lie| lie.name).filter(|name| !self.doubted.contains(name)).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by_point: u64 = self.kills_by_point.values().sum();
        writeln!(f, "{}", self.on)?;
        writeln!(f, "  rounds                    {:>9}", self.rounds)?;
        writeln!(
            f,
            "  requests                  {:>9}  without an answer {}, out of time {}",
            self.requests, self.unanswered, self.out_of_time
        )?;
        writeln!(f, "  kills                     {:>9}  at a point {by_point}", self.kills)?;
        writeln!(f, "  ended in order            {:>9}", self.drained)?;
        writeln!(f, "  database restarts         {:>9}", self.database_restarts)?;
        writeln!(f, "  broker restarts           {:>9}", self.broker_restarts)?;
        writeln!(f, "  connections cut or held   {:>9}", self.cuts)?;
        writeln!(f, "  faults that came too late {:>9}", self.late_faults)?;
        writeln!(f, "  points armed in vain      {:>9}", self.points_not_reached)?;
        writeln!(f, "  calls the provider lost   {:>9}", self.provider_faults)?;
        writeln!(f, "  the clock was moved       {:>9} h", self.clock_moved.as_secs() / 3600)?;
        let (shopping, settling) = (self.shopping.as_secs(), self.settling.as_secs());
        writeln!(
            f,
            "  duration                  {:>9} s  clients at work {shopping} s, until all was well {settling} s",
            self.took.as_secs()
        )?;
        writeln!(f, "  defects told and seen     {:>9}  of {}", self.doubted.len(), LIES.len())?;
        writeln!(f, "  {:<32} {:>9} {:>6}", "point", "passed", "kills")?;
        for (point, hits) in &self.hits {
            let kills = self.kills_by_point.get(point).copied().unwrap_or(0);
            writeln!(f, "  {point:<32} {hits:>9} {kills:>6}")?;
        }
        Ok(())
    }
}
