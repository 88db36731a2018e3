//! Everything that the catalog declares is there, no other route is, and it works.

mod functions;
mod queues;
mod roles;
mod routes;
mod schedules;
mod second_plan;
mod used;
