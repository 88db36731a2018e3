//! The contract of Florin's functions and what every service would otherwise repeat.
