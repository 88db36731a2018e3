//! Asks a process over HTTP as a kubelet does, until it answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// How long a process may take until it is ready; a loaded machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `GET path` answers with this status; `alive` says whether the process still runs.
pub(in crate::infra) fn answers(
    port: u16,
    path: &str,
    status: u16,
    mut alive: impl FnMut() -> bool,
) -> Result<(), Problem> {
    let began = Instant::now();
    let mut said = "nothing".to_owned();
    while began.elapsed() < PATIENCE {
        if florin_servers::interrupted() {
            return Err(Problem::Interrupted);
        }
        match get(port, path) {
            Ok(got) if got == status => return Ok(()),
            Ok(got) => said = got.to_string(),
            Err(error) => said = error.to_string(),
        }
        if !alive() {
            return Err(Problem::Failed("it ended".to_owned()));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a process that starts is asked again, as a kubelet does"
        )]
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(Problem::Failed(format!("GET {path} still answers {said} after {} s", PATIENCE.as_secs())))
}

/// The status of one answer.
fn get(port: u16, path: &str) -> std::io::Result<u16> {
    request(port, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// The status of the answer to a request.
pub(in crate::infra) fn request(port: u16, text: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(text.as_bytes())?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let status = std::str::from_utf8(&head[9..]).ok().and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no HTTP"))
}
