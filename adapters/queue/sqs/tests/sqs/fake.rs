//! An AWS that answers as a test says: moto cannot fail one message of many.

use std::sync::{Arc, Mutex};

use florin_sqs::SqsConfig;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One request.
pub(crate) struct Call {
    /// The operation of AWS JSON 1.0, for example `AmazonSQS.SendMessageBatch`; empty for the query protocol.
    pub(crate) operation: String,
    /// The body.
    pub(crate) body: String,
}

/// Status and body for a request.
type Script = Arc<Mutex<dyn FnMut(Call) -> (u16, String) + Send>>;

/// Whether the answer to an operation waits.
type Withheld = fn(&str) -> bool;

/// Serves until dropped.
pub(crate) struct Fake {
    endpoint: String,
    withheld: watch::Sender<Withheld>,
    _serving: JoinSet<()>,
}

impl Fake {
    pub(crate) async fn start(script: impl FnMut(Call) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let script: Script = Arc::new(Mutex::new(script));
        let (withheld, withholding) = watch::channel::<Withheld>(|_| false);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, script.clone(), withholding.clone()));
            }
        });
        Self { endpoint, withheld, _serving: serving }
    }

    /// From now on answers to these operations wait until others are said; they are what the script said at the request.
    pub(crate) fn withhold(&self, operations: Withheld) {
        self.withheld.send_replace(operations);
    }

    pub(crate) fn config(&self) -> SqsConfig {
        SqsConfig { endpoint: Some(self.endpoint.clone()), ..SqsConfig::new("eu-central-1", "florin") }
    }
}

async fn serve(socket: TcpStream, script: Script, mut withholding: watch::Receiver<Withheld>) {
    let mut stream = BufReader::new(socket);
    loop {
        let (mut operation, mut length, mut line) = (String::new(), 0, String::new());
        loop {
            line.clear();
            match stream.read_line(&mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => {}
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "x-amz-target" => operation = value.trim().to_owned(),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let call = Call { operation: operation.clone(), body: String::from_utf8(body).unwrap() };
        let (status, answer) = (script.lock().unwrap())(call);
        if withholding.wait_for(|is_withheld| !is_withheld(&operation)).await.is_err() {
            return;
        }
        // What the script did to others takes effect before its answer.
        tokio::task::yield_now().await;
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", answer.len());
        if stream.write_all(format!("{head}{answer}").as_bytes()).await.is_err() {
            return;
        }
    }
}
