//! The HTTP front: routes, caller, problems, limits, documentation page.

pub mod token;
