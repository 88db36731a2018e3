//! The long-lived process: how it starts, what stands beside it, what it does while a part is away, how it ends.

mod broker_away;
mod configuration;
mod database_away;
mod dead_letters;
mod drain;
mod one_process;
mod tenants;
