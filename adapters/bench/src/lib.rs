//! What the guarantees cost: every budget of the design beside its baseline, measured in one run.
//!
//! Each row runs our side and its baseline in turns (A B A B ...), so that whatever else the machine does falls
//! on both, and reports the ratio with the spread of the rounds. The baselines are what somebody would write who
//! needs none of the guarantees; what they do that depends on our statements is read from the database's log of
//! the running operation, so that it cannot drift.

// The futures of the front nest deeper than 128 when the compiler lays them out for release.
#![recursion_limit = "256"]

pub mod bare;
pub mod bench;
pub mod error;
pub mod latencies;
pub mod load;
pub mod payment_row;
pub mod pgbench;
pub mod ping;
pub mod plot;
pub mod process;
pub mod program;
pub mod raw_queue;
pub mod replay;
pub mod report;
pub mod room;
pub mod row;
pub mod rows;
pub mod servers;
pub mod site;
pub mod statement_log;
