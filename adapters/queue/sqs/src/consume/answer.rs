//! Answers to SQS, gathered into batches while earlier ones are under way.

use std::time::Duration;

use florin_kernel::failpoint;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedReceiver;

use super::hold::{Hold, Holds};
use crate::Inner;
use crate::settle::MOST;
use crate::visibility;

/// How many batches of answers are under way at once. While so many are, further answers gather.
const PARALLEL: usize = 4;

/// What becomes of a message.
pub(super) enum Answer {
    /// It is dealt with.
    Delete(Hold),
    /// It comes again after this.
    Again(Hold, Duration),
}

/// Gives the answers to SQS, until all who answer are gone and all is given.
pub(super) async fn give(inner: &Inner, url: &str, holds: &Holds, mut answers: UnboundedReceiver<Answer>) {
    let mut giving = FuturesUnordered::new();
    let mut more = true;
    while more || !giving.is_empty() {
        let mut batch = Vec::with_capacity(MOST);
        tokio::select! {
            taken = answers.recv_many(&mut batch, MOST), if more && giving.len() < PARALLEL => more = taken > 0,
            Some(()) = giving.next(), if !giving.is_empty() => {}
        }
        if !batch.is_empty() {
            giving.push(give_batch(inner, url, holds, batch));
        }
    }
}

async fn give_batch(inner: &Inner, url: &str, holds: &Holds, batch: Vec<Answer>) {
    let (mut done, mut again) = (Vec::new(), Vec::new());
    for answer in batch {
        match answer {
            Answer::Delete(hold) => done.push(hold.release()),
            Answer::Again(hold, after) => {
                let seconds = visibility::seconds(after, hold.age());
                again.push((hold.release(), seconds));
            }
        }
    }
    holds.settled().await;
    let delete = async {
        if !done.is_empty() {
            inner.delete(url, done).await;
        }
    };
    let postpone = async {
        if !again.is_empty() {
            failpoint::hit(failpoint::BEFORE_VISIBILITY);
            inner.postpone(url, again).await;
        }
    };
    tokio::join!(delete, postpone);
}
