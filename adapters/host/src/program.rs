//! The whole program, from the command line to the exit code; also of the binary that conformance tests run.

use std::process::ExitCode;

use clap::Parser;
use florin_kernel::service::Definition;

use crate::command::Cli;

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    main_with(&[])
}

/// As [`main`], in a binary that has `more` services beside those of the build. They are served, consumed for and
/// migrated like the others; the catalog, which infrastructure is held to, and development tokens know those of the build
/// alone.
pub fn main_with(more: &[&'static Definition]) -> ExitCode {
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
    match runtime.block_on(cli.run(more)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("florin: {error}");
            ExitCode::FAILURE
        }
    }
}
