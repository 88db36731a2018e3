//! A real Chromium whose every request beyond this machine is written down by a proxy of the test's own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use florin_servers::Part;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Whom Chromium asks for itself whatever page it shows, and no flag stops it: matched as whole names, so that a
/// font or script from a neighbour of theirs is still found out.
const THE_BROWSERS_OWN: [&str; 4] = [
    "accounts.google.com",
    "clients2.google.com",
    "content-autofill.googleapis.com",
    "update.googleapis.com",
];

/// Which features of Chromium only speak with its maker.
const CHATTER: &str =
    "AutofillServerCommunication,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,Translate";

/// A page as the browser shows it.
pub(crate) struct Shown {
    /// The document after its scripts ran.
    pub(crate) dom: String,
    /// What the page's scripts and its policy said on the console.
    pub(crate) console: Vec<String>,
    /// The first line of each request that was to leave the machine.
    pub(crate) beyond: Vec<String>,
}

/// Serves a router on a free port of the loopback interface.
pub(crate) async fn served(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    at
}

/// Opens an address in Chromium and waits until the page is quiet. `None` when there is no browser.
pub(crate) async fn open(address: &str) -> Option<Shown> {
    let browser = Part::Browser.needed()?;
    let (proxy, beyond) = recording_proxy().await;
    let profile = tempfile::tempdir().expect("a directory for the profile");
    let mut command = tokio::process::Command::new(browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        // What the browser itself would ask its maker is not what the page asks.
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-default-apps", "--disable-extensions", "--no-pings", "--metrics-recording-only"])
        .arg(format!("--disable-features={CHATTER}"))
        .arg("--enable-logging=stderr")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        // Requests to the loopback interface never take the proxy; all others do, and with them their names.
        .arg(format!("--proxy-server=http://{proxy}"))
        .args(["--window-size=1280,2000", "--virtual-time-budget=20000", "--dump-dom", address])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(Duration::from_secs(120), command.output()).await;
    let ran = ran.expect("the browser ends").expect("the browser runs");
    let log = String::from_utf8_lossy(&ran.stderr);
    let console = log.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    let mut beyond = beyond.lock().expect("no reader panicked").clone();
    beyond.retain(|line| !THE_BROWSERS_OWN.contains(&host(line)));
    Some(Shown { dom: String::from_utf8_lossy(&ran.stdout).into_owned(), console, beyond })
}

/// The host of a request to a proxy: `CONNECT host:443` or `GET http://host/path`.
fn host(line: &str) -> &str {
    let target = line.split(' ').nth(1).unwrap_or_default();
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    authority.split(['/', ':', '?']).next().unwrap_or_default()
}

/// A proxy that refuses everything and remembers what was asked of it.
async fn recording_proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("an address");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let written = Arc::clone(&written);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                if stream.read_line(&mut line).await.is_ok_and(|length| length > 0) {
                    written.lock().expect("no writer panicked").push(line.trim().to_owned());
                }
                let refused = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(refused).await;
            });
        }
    });
    (at, asked)
}
