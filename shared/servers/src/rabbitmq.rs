//! A private RabbitMQ node: own data, own ports, own port mapper, gone with this process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::directory::PrivateDirectory;
use crate::process::Process;
use crate::{StartError, find_program, free_port, program};

/// An idle machine starts a node in about 12 seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long a node may take to close its queues before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A RabbitMQ node that listens on 127.0.0.1 only, with the user `guest`.
pub struct RabbitMq {
    port: u16,
    cluster_port: u16,
    mapper_port: u16,
    program: PathBuf,
    mapper: Option<Process>,
    process: Option<Process>,
    directory: PrivateDirectory,
}

impl RabbitMq {
    /// Whether this machine has its programs.
    pub fn is_installed() -> bool {
        server_program().is_some()
    }

    /// Starts a new, empty node.
    ///
    /// # Errors
    /// When RabbitMQ is not installed or does not come up.
    pub fn start() -> Result<RabbitMq, StartError> {
        let program =
            server_program().ok_or_else(|| StartError::Missing("RabbitMQ (rabbitmq-server)".into()))?;
        let directory = PrivateDirectory::make("rabbitmq", &["rabbitmq", "nobody"], "TERM")?;
        let (port, cluster_port, mapper_port) = (free_port(), free_port(), free_port());
        let mut node =
            RabbitMq { port, cluster_port, mapper_port, program, mapper: None, process: None, directory };
        node.resume()?;
        Ok(node)
    }

    /// `amqp://` URL of the default virtual host. It stays the same over restarts.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    /// Stops the node in an orderly way, with every connection closed.
    pub fn stop(&mut self) {
        self.end("TERM", STOP_PATIENCE);
    }

    /// Kills the node, as a crash would. What was confirmed as durable is there after the next start.
    pub fn crash(&mut self) {
        self.end("KILL", STOP_PATIENCE);
    }

    /// Starts it again with the same queues on the same port; does nothing when it runs.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn resume(&mut self) -> Result<(), StartError> {
        if self.process.is_some() {
            return Ok(());
        }
        // Erlang starts its port mapper by itself when there is none, as a daemon that stays. Ours
        // runs in the foreground, where it has a process id and an end.
        if let Some(epmd) = find_program(&["epmd"]) {
            let mut command = self.directory.command(&epmd);
            command.args(["-address", "127.0.0.1", "-port", &self.mapper_port.to_string()]);
            let log = self.directory.write("epmd.log", "")?;
            let mapper = self.mapper.insert(Process::start(command, &log)?);
            self.directory.running(&[mapper.id()])?;
            let address = SocketAddr::from(([127, 0, 0, 1], self.mapper_port));
            mapper.wait_ready(PATIENCE, || TcpStream::connect(address).is_ok())?;
        }
        let command = self.node()?;
        let log = self.directory.write("log", "")?;
        let process = self.process.insert(Process::start(command, &log)?);
        let mapper = self.mapper.as_ref().map(Process::id);
        let ids: Vec<i64> = mapper.into_iter().chain([-process.id()]).collect();
        self.directory.running(&ids)?;
        let port = self.port;
        process.wait_ready(PATIENCE, || speaks_amqp(port))
    }

    /// [`stop`](Self::stop) and [`resume`](Self::resume).
    ///
    /// # Errors
    /// When it does not come up again.
    pub fn restart(&mut self) -> Result<(), StartError> {
        self.stop();
        self.resume()
    }

    /// Raises or clears the alarm of a node that is short of memory: it takes no publishes then, and delivers on.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn short_of_memory(&self, short: bool) -> Result<(), StartError> {
        // Debian's program on the PATH would change to another account, as with the server.
        let control = self.program.with_file_name("rabbitmqctl");
        let mut command = self.directory.command(&control);
        self.address(&mut command);
        // RabbitMQ, "Memory Threshold and Limit": 0 blocks every publisher.
        command.args(["set_vm_memory_high_watermark", if short { "0" } else { "0.4" }]);
        let said = command.output().map_err(|error| StartError::Failed(error.to_string()))?;
        if said.status.success() {
            return Ok(());
        }
        Err(StartError::Failed(String::from_utf8_lossy(&said.stderr).into_owned()))
    }

    /// What a program is told to reach the node, and nothing of a node that the machine may run already.
    fn address(&self, command: &mut Command) {
        command
            // Erlang keeps the node's secret there.
            .env("HOME", self.directory.path())
            .env("RABBITMQ_NODENAME", "florin@localhost")
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", self.mapper_port.to_string())
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
    }

    /// The node's command.
    fn node(&self) -> Result<Command, StartError> {
        let directory = self.directory.path();
        let configuration =
            self.directory.write("rabbitmq.conf", "log.console = true\nlog.file = false\n")?;
        let plugins = self.directory.write("plugins", "[].\n")?;
        let mut command = self.directory.command(&self.program);
        self.address(&mut command);
        command
            // Its start script then becomes the node instead of staying in between: one process to stop.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.cluster_port.to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .env("RABBITMQ_CONFIG_FILE", configuration)
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
            .env("RABBITMQ_MNESIA_BASE", directory.join("data"))
            .env("RABBITMQ_LOG_BASE", directory.join("logs"))
            .env("RABBITMQ_PID_FILE", directory.join("pid"));
        Ok(command)
    }

    fn end(&mut self, signal: &str, patience: Duration) {
        if let Some(mut process) = self.process.take() {
            process.stop(signal, patience);
        }
        if let Some(mut mapper) = self.mapper.take() {
            mapper.stop("TERM", STOP_PATIENCE);
        }
        // Without its guard the directory would only be cleared away later.
        let _ = self.directory.running(&[]);
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        // Nobody comes back for the queues of a test: an orderly end only costs seconds.
        self.crash();
    }
}

/// Whether a broker answers the protocol header of AMQP 0-9-1 with the method frame Connection.Start.
fn speaks_amqp(port: u16) -> bool {
    let limit = Duration::from_secs(2);
    let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), limit) else {
        return false;
    };
    let mut first = [0_u8];
    stream.set_read_timeout(Some(limit)).is_ok()
        && stream.write_all(b"AMQP\x00\x00\x09\x01").is_ok()
        && stream.read_exact(&mut first).is_ok()
        && first == [1]
}

/// Debian's program on the PATH changes to the account `rabbitmq` by itself; the one behind it does
/// not ask who we are.
fn server_program() -> Option<PathBuf> {
    program::find_in(&[Path::new("/usr/lib/rabbitmq/bin").to_owned()], "rabbitmq-server")
        .or_else(|| find_program(&["rabbitmq-server"]))
}
