//! Chaos: rounds of requests on real processes that are killed at named points and at random, with connections
//! cut, answers lost, deliveries repeated, and the clock moved. Afterwards nothing may be lost or doubled.

mod awkward_provider;
mod books;
mod check;
mod control;
mod crew;
mod dice;
mod door;
mod faults;
mod functions;
mod logs;
mod orders;
mod platform;
mod points;
mod queue_service;
mod round;
mod run;
mod shopper;
mod sink;
mod summary;
mod world;

pub use round::REQUESTS as LEAST_REQUESTS;
pub use run::{Options, run};
pub use summary::Summary;
pub use world::On;
