//! Ctrl-C once: begin nothing more and finish what is in flight. Twice: leave at once.

use futures_util::{FutureExt, Stream, StreamExt, future, stream};
use tokio_util::sync::CancellationToken;

use super::progress::Progress;

/// What the person at the keyboard wants.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    /// Begin nothing more.
    pub(super) stop: CancellationToken,
    /// Finish nothing more either.
    pub(super) leave: CancellationToken,
}

impl Interrupt {
    /// Listens to Ctrl-C and SIGTERM from now on.
    pub(super) fn on_signals() -> Self {
        let interrupt = Self::default();
        let theirs = interrupt.clone();
        tokio::spawn(async move {
            signal().await;
            theirs.stop.cancel();
            signal().await;
            theirs.leave.cancel();
        });
        interrupt
    }

    /// Does this with every item, so many at once, and hands over each result; what the interruption left undone
    /// has none. `done` may stop the rest itself.
    pub(super) async fn each<I, F: Future>(
        &self,
        items: impl IntoIterator<Item = I>,
        at_once: usize,
        progress: &Progress,
        work: impl Fn(I) -> F,
        mut done: impl FnMut(F::Output),
    ) {
        let begun = stream::iter(items).take_while(|_| future::ready(!self.stop.is_cancelled()));
        let mut results =
            std::pin::pin!(begun.map(work).buffer_unordered(at_once).take_until(self.leave.cancelled()));
        let mut told = false;
        while let Some(result) = self.next(&mut results, &mut told, progress).await {
            done(result);
            progress.one_more();
        }
        progress.finish();
    }

    /// The next result; tells once that an interruption was heard.
    async fn next<S: Stream + Unpin>(
        &self,
        results: &mut S,
        told: &mut bool,
        progress: &Progress,
    ) -> Option<S::Item> {
        if !*told {
            let stop = std::pin::pin!(self.stop.cancelled());
            match future::select(results.next(), stop).await {
                future::Either::Left((result, _)) => return result,
                future::Either::Right(_) => {
                    *told = true;
                    progress.say("Stopping: what is in flight is finished first (Ctrl-C leaves at once).");
                }
            }
        }
        results.next().await
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => future::pending().await,
        }
    };
    let interrupted = tokio::signal::ctrl_c().map(drop);
    future::select(std::pin::pin!(terminated), std::pin::pin!(interrupted)).await;
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_interruption_finishes_what_is_in_flight_and_the_second_does_not() {
        let (interrupt, mut finished) = (Interrupt::default(), Vec::new());
        let work = async |number: u32| {
            match number {
                0 => interrupt.stop.cancelled().await,
                1 => interrupt.stop.cancel(),
                // In flight when the first interruption comes, and it would never end.
                2 => future::pending().await,
                3 => interrupt.stop.cancelled().await,
                _ => panic!("{number} was begun after the interruption"),
            }
            number
        };
        let progress = Progress::over(100, "numbers");
        let count = |number| {
            finished.push(number);
            if finished.len() == 3 {
                interrupt.leave.cancel();
            }
        };
        interrupt.each(0..100, 4, &progress, work, count).await;
        finished.sort_unstable();
        assert_eq!(finished, [0, 1, 3]);
    }
}
