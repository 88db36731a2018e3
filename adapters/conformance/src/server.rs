//! A `florin` process that serves, on a port that it keeps over restarts.

use std::path::{Path, PathBuf};

use florin_servers::free_port;

use crate::client::Client;
use crate::process::{Environment, Process};
use crate::wait::until;

/// A serving process.
pub struct Server {
    process: Process,
    base: String,
    arguments: Vec<String>,
    environment: Environment,
    directory: PathBuf,
    log: PathBuf,
}

impl Server {
    /// Starts a process that listens where its environment says; it may not be ready yet.
    pub fn spawn(name: &str, environment: Environment, directory: &Path) -> Self {
        let port = free_port();
        let mut environment = environment;
        environment.push(("FLORIN_LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        Self::spawn_at(name, port, environment, directory)
    }

    /// Starts a process as Knative does: a service's name and one port, reached from everywhere.
    pub fn spawn_on_knative(name: &str, environment: Environment, directory: &Path) -> Self {
        let port = free_port();
        let mut environment = environment;
        environment.push(("K_SERVICE".to_owned(), name.to_owned()));
        environment.push(("PORT".to_owned(), port.to_string()));
        Self::spawn_at(name, port, environment, directory)
    }

    /// Starts a process whose environment says otherwise than by `FLORIN_LISTEN` that it listens on this port.
    pub fn spawn_at(name: &str, port: u16, environment: Environment, directory: &Path) -> Self {
        Self::spawn_command(name, port, &["serve"], environment, directory)
    }

    pub(crate) fn spawn_command(
        name: &str,
        port: u16,
        arguments: &[&str],
        environment: Environment,
        directory: &Path,
    ) -> Self {
        let log = directory.join(format!("{name}.log"));
        let process = Process::start(arguments, &environment, directory, &log);
        Self {
            process,
            base: format!("http://127.0.0.1:{port}"),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment,
            directory: directory.to_owned(),
            log,
        }
    }

    /// Waits until it says that it is ready.
    ///
    /// # Panics
    /// When it ends or does not get ready.
    pub async fn ready(self) -> Self {
        self.answers("/readyz").await
    }

    /// Waits until this path is answered with 200.
    ///
    /// # Panics
    /// When it ends or does not answer.
    pub async fn answers(mut self, path: &str) -> Self {
        let client = Client::new(&self.base, None);
        let client = &client;
        until(&format!("{} answers {path}", self.log.display()), || {
            let runs = self.process.is_running();
            async move {
                assert!(runs, "the process ended before it was ready");
                let answered = client.send(http::Method::GET, path, crate::client::Outgoing::default()).await;
                answered.is_ok_and(|reply| reply.status == 200).then_some(())
            }
        })
        .await;
        self
    }

    /// Its base address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was, after it ended, and waits until it is ready.
    #[must_use]
    pub async fn again(self) -> Self {
        let Self { base, arguments, environment, directory, log, process } = self;
        drop(process);
        let arguments_now: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let process = Process::start(&arguments_now, &environment, &directory, &log);
        Self { process, base, arguments, environment, directory, log }.ready().await
    }

    /// Stops it in an orderly way.
    ///
    /// # Panics
    /// When it does not end with 0.
    pub async fn stop(&mut self) {
        self.process.terminate();
        let status = self.process.ended().await;
        assert!(status.success(), "it ended with {status}");
    }
}
