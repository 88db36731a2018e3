//! One commit for all who wait: what arrives while the disk is busy becomes the next transaction.
//!
//! A durable commit costs a sync of the disk, some milliseconds whatever it holds. One for each charge would
//! make the provider the slowest part of every benchmark.

use std::sync::Arc;

use florin_kernel::db::{Db, Tx, Wall};
use florin_kernel::id::Ids;
use florin_kernel::time::Clock;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;
use crate::idempotency::Answer;

/// How many may wait in line, and how many share a transaction at most.
const IN_LINE: usize = 1_024;
const TOGETHER: usize = 128;

/// What is said once the transaction has committed.
pub(crate) type Said = Result<Answer, Failure>;

/// A change in the making.
pub(crate) trait Work: Send + Sync + 'static {
    /// Makes it. An error undoes this change alone.
    fn run<'a>(&'a self, tx: &'a mut Tx, given: &'a Given) -> BoxFuture<'a, Result<Said, Failure>>;
}

/// Time and identifiers.
pub(crate) struct Given {
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
}

struct Waiting {
    work: Box<dyn Work>,
    reply: oneshot::Sender<Said>,
}

/// The line of those who wait.
pub(crate) struct Line(mpsc::Sender<Waiting>);

impl Line {
    /// Opens the line; it ends with the last one who may stand in it.
    pub(crate) fn open(db: Db, given: Given) -> Self {
        let (line, mut waiting) = mpsc::channel(IN_LINE);
        let given = Arc::new(given);
        tokio::spawn(async move {
            let mut together = Vec::with_capacity(TOGETHER);
            while waiting.recv_many(&mut together, TOGETHER).await > 0 {
                // In a task of its own, so that a panic drops these replies and not the line.
                let changes = commit(db.clone(), given.clone(), std::mem::take(&mut together));
                if let Err(error) = tokio::spawn(changes).await {
                    tracing::error!(error.message = %error, "changes were lost");
                }
            }
        });
        Self(line)
    }

    /// Makes the change and says how it went, when that is durable. What stands in line is made, also when
    /// nobody waits for it any more: a client that hangs up has asked all the same.
    pub(crate) async fn make(&self, work: impl Work) -> Said {
        let (reply, said) = oneshot::channel();
        let stands = self.0.send(Waiting { work: Box::new(work), reply }).await;
        stands.map_err(|_| Failure::fault(&"the line is closed"))?;
        said.await.unwrap_or_else(|error| Err(Failure::fault(&error)))
    }
}

async fn commit(db: Db, given: Arc<Given>, together: Vec<Waiting>) {
    let (works, replies): (Vec<_>, Vec<_>) = together.into_iter().map(|w| (w.work, w.reply)).unzip();
    let said = match made(&db, &given, &works).await {
        Ok(said) => said,
        Err(failure) => works.iter().map(|_| Err(failure.clone())).collect(),
    };
    for (reply, said) in replies.into_iter().zip(said) {
        // Whoever hung up hears nothing.
        let _ = reply.send(said);
    }
}

async fn made(db: &Db, given: &Given, works: &[Box<dyn Work>]) -> Result<Vec<Said>, Failure> {
    let mut tx = db.begin(Wall::System).await?;
    let mut said = Vec::with_capacity(works.len());
    for work in works {
        tx.savepoint().await?;
        match work.run(&mut tx, given).await {
            Ok(answer) => said.push(answer),
            Err(failure) => {
                tx.back_to_savepoint().await?;
                said.push(Err(failure));
            }
        }
        // Savepoints of one name pile up, and each one left open makes every later write dearer.
        tx.sql("RELEASE SAVEPOINT room").run().await?;
    }
    tx.commit().await?;
    Ok(said)
}
