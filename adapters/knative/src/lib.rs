//! The Knative front: what its runtime contract asks, and the guarded door that its Triggers deliver to.

pub mod contract;
pub mod delivery_door;
