//! One suite that every adapter and every queue passes, on real servers and real processes.
//!
//! A [`Site`](site::Site) is a deployment of a test's own: a database, a sandbox in a process of its own, a
//! broker, and as many `florin` processes as the test starts, kills and starts again. Everything ends with it.

pub mod audit;
pub mod card_proxy;
pub mod chaos;
pub mod collector;
pub mod commit_proxy;
pub mod depth;
pub mod flow;
pub mod issuer;
pub mod lambda;
pub mod process;
pub mod rows;
pub mod sandbox;
pub mod server;
pub mod sink;
pub mod site;
pub mod tally;
pub mod wait;
pub mod wire;

pub use florin_testkit::client;
