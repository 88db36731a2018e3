//! The `florin` binary with every adapter and, beside the services that are shipped, the tally.

use std::process::ExitCode;

fn main() -> ExitCode {
    florin_host::program::main_with(&[&florin_conformance::tally::SERVICE])
}
