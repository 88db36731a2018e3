//! The benchmarks: `florin-bench --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    florin_bench::program::main()
}
