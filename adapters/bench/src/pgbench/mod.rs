//! PostgreSQL's own load generator, fed with what the log says that an operation does.

mod run;
mod script;

pub use run::{Job, run};
pub use script::{next_id, payment, relay, rest};
