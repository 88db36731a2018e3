//! The whole program, from the command line to the exit code; also of the binary that conformance tests run.

use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    // One crypto library for every TLS connection of the process.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("florin: another TLS provider was installed first");
        return ExitCode::FAILURE;
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("florin: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("florin: {error}");
            ExitCode::FAILURE
        }
    }
}
