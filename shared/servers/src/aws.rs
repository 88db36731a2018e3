//! The two servers that play AWS: moto for the queues, cargo-lambda for the Lambda Runtime API.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::directory::PrivateDirectory;
use crate::process::Process;
use crate::{StartError, free_port};

const PATIENCE: Duration = Duration::from_secs(60);

/// How many functions the emulator knows.
const LAMBDA_FUNCTIONS: u32 = 10;

/// A server that plays a part of AWS on 127.0.0.1, with everything in its memory.
pub struct AwsServer {
    port: u16,
    process: Process,
    directory: PrivateDirectory,
}

impl AwsServer {
    /// Amazon SQS and SNS by moto, for any credentials and any region. `python` has `moto` installed.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn queues(python: &Path) -> Result<AwsServer, StartError> {
        let directory = PrivateDirectory::make("sqs", &[], "TERM")?;
        start(directory, python, |port| vec!["-m", "moto.server", "-H", "127.0.0.1", "-p", port])
    }

    /// The Lambda Runtime API by `cargo-lambda`, for functions that the tests run themselves. They are
    /// called `florin-0` to `florin-9`, so that tests at the same time have one each. NAME runs with
    /// `AWS_LAMBDA_RUNTIME_API` set to `{url}/.rt/NAME` (with the scheme: cargo-lambda's clients fail
    /// without it) and is invoked by `POST {url}/2015-03-31/functions/NAME/invocations`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn lambda(cargo_lambda: &Path) -> Result<AwsServer, StartError> {
        let directory = PrivateDirectory::make("lambda", &[], "TERM")?;
        // It serves only functions that are programs of the package it stands in.
        let mut package = String::from("[package]\nname = \"functions\"\n[workspace]\n");
        for number in 0..LAMBDA_FUNCTIONS {
            package += &format!("[[bin]]\nname = \"florin-{number}\"\npath = \"none.rs\"\n");
        }
        directory.write("Cargo.toml", &package)?;
        directory.write("none.rs", "")?;
        start(directory, cargo_lambda, |port| {
            vec!["lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", port]
        })
    }

    /// The endpoint to give to an AWS client.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for AwsServer {
    fn drop(&mut self) {
        self.process.stop("TERM", Duration::from_secs(5));
        // Without its guard the directory would only be cleared away later.
        let _ = self.directory.running(&[]);
    }
}

fn start(
    mut directory: PrivateDirectory,
    program: &Path,
    arguments: fn(&str) -> Vec<&str>,
) -> Result<AwsServer, StartError> {
    let port = free_port();
    let mut command = directory.command(program);
    command.args(arguments(&port.to_string()));
    let log = directory.write("log", "")?;
    let process = Process::start(command, &log)?;
    directory.running(&[process.id()])?;
    let mut server = AwsServer { port, process, directory };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    server.process.wait_ready(PATIENCE, || TcpStream::connect(address).is_ok())?;
    Ok(server)
}
