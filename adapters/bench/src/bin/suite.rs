//! Everything of Florin in one program, as it is shipped; as `ping`, the public query of the benchmarks alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("ping") {
        return florin_bench::ping::main();
    }
    florin_host::program::main()
}
