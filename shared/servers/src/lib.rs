//! The real parts the tests need: finds them, starts private instances of them and leaves nothing running.
//!
//! `cargo xtask test` starts one server of each kind for the whole run and names it in the environment
//! ([`Part`]); a test that breaks its server starts one of its own ([`Postgres`], [`RabbitMq`]).

mod account;
mod aws;
mod directory;
mod error;
mod part;
mod port;
mod postgres;
mod process;
mod program;
mod rabbitmq;
mod skip;
mod wait;

pub use aws::AwsServer;
pub use directory::{target_directory, wait_for_guards};
pub use error::StartError;
pub use part::Part;
pub use port::free_port;
pub use postgres::Postgres;
pub use program::find_program;
pub use rabbitmq::RabbitMq;
pub use skip::{REQUIRE_VARIABLE, SKIPPED_VARIABLE, skip};
pub use wait::{interrupt, interrupted};
