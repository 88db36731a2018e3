//! `cargo xtask infra containers`: the compose file is right, the proxy lets through what the catalog says, and the image is
//! small, static and serves.

mod compose;
mod image;
mod proxy;

use super::check::{Check, DECLARED, Target};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "containers",
    checks: &[
        DECLARED,
        Check { name: "the compose file is valid and as the catalog says", slow: false, run: compose::valid },
        Check { name: "the binary starts with what compose gives it", slow: true, run: compose::started },
        Check { name: "the proxy lets through what the catalog says", slow: true, run: proxy::run },
        Check { name: "an image of the suite, and of each service", slow: true, run: image::run },
    ],
};
