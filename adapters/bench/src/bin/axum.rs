//! The baselines over HTTP: bare axum, and axum with the same token verification and the same SQL.

use std::process::ExitCode;

fn main() -> ExitCode {
    florin_bench::bare::main()
}
