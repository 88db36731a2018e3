//! The `florin` binary with every adapter, under a name that Cargo gives to the tests of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    florin_host::program::main()
}
