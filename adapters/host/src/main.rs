//! The `florin` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    florin_host::program::main()
}
