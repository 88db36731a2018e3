//! A wire between us and the broker that a test can cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) struct Proxy {
    pub(crate) port: u16,
    cut: watch::Sender<u32>,
    freeze: watch::Sender<u32>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on this port and carries every connection to `broker`.
    pub(crate) async fn start(port: u16, broker: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, _) = watch::channel(0);
        let (freeze, _) = watch::channel(0);
        let (cuts, freezes) = (cut.clone(), freeze.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut ours, _)) = listener.accept().await {
                let (mut cut, mut freeze) = (cuts.subscribe(), freezes.subscribe());
                tokio::spawn(async move {
                    let Ok(mut theirs) = TcpStream::connect(broker).await else { return };
                    tokio::select! {
                        _ = cut.changed() => {}
                        _ = freeze.changed() => {
                            let _ = cut.changed().await;
                        }
                        _ = copy_bidirectional(&mut ours, &mut theirs) => {}
                    }
                });
            }
        });
        Self { port, cut, freeze, task }
    }

    /// Ends every connection there is, without a word; new ones are let through.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|times| *times += 1);
    }

    /// Carries nothing more on the connections there are, and leaves them open; new ones are let through.
    pub(crate) fn freeze(&self) {
        self.freeze.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

/// Where the broker of this URL listens.
pub(crate) fn address(url: &str) -> SocketAddr {
    let uri: lapin::uri::AMQPUri = url.parse().unwrap();
    format!("{}:{}", uri.authority.host, uri.authority.port)
        .parse()
        .expect("the tests' broker is named by its address")
}

/// The same broker, reached by this port.
pub(crate) fn through(url: &str, port: u16) -> String {
    let uri: lapin::uri::AMQPUri = url.parse().unwrap();
    url.replace(&format!(":{}/", uri.authority.port), &format!(":{port}/"))
}
