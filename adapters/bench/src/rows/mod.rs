//! The rows: each is one budget of the design, or explains one.

mod all_in_one;
mod authorized_query;
mod create_and_confirm;
mod lambda_cpu;
mod lambda_first_response;
mod outbox_to_inbox;
mod public_query;
mod sqlite_writes;

use futures_util::future::LocalBoxFuture;

use crate::bench::Bench;
use crate::error::Outcome;
use crate::row::Row;
pub(crate) use authorized_query::plot as plot_authorized_query;
pub(crate) use outbox_to_inbox::per_second;
pub(crate) use public_query::plot as plot_public_query;

/// One way to get rows.
pub struct Source {
    /// Its name, as `--rows` takes it.
    pub name: &'static str,
    /// Measures them.
    pub measure: for<'b> fn(&'b Bench) -> LocalBoxFuture<'b, Outcome<Vec<Row>>>,
}

/// All of them, in the order of the design's table.
pub const SOURCES: &[Source] = &[
    Source { name: public_query::NAME, measure: |bench| Box::pin(public_query::measure(bench)) },
    Source { name: authorized_query::NAME, measure: |bench| Box::pin(authorized_query::measure(bench)) },
    Source { name: create_and_confirm::NAME, measure: |bench| Box::pin(create_and_confirm::measure(bench)) },
    Source { name: outbox_to_inbox::NAME, measure: |bench| Box::pin(outbox_to_inbox::measure(bench)) },
    Source {
        name: lambda_first_response::NAME,
        measure: |bench| Box::pin(lambda_first_response::measure(bench)),
    },
    Source { name: lambda_cpu::NAME, measure: |bench| Box::pin(lambda_cpu::measure(bench)) },
    Source { name: all_in_one::NAME, measure: |bench| Box::pin(all_in_one::measure(bench)) },
    Source { name: sqlite_writes::NAME, measure: |bench| Box::pin(sqlite_writes::measure(bench)) },
];
