//! What the corridor guarantees, by a small service whose rooms can be told to misbehave, on both databases.

mod deliveries;
mod doors;
mod effects;
mod jobs;
mod life;
mod notes;
mod together;
mod trace;
mod wall;
