//! The progress bar on standard error; where that is no terminal, indicatif draws nothing.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over so many things.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins at nothing of `total`.
    pub(super) fn over(total: usize, what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:28} {pos}/{len} {per_sec} {eta} {msg}")
            .expect("the template is well formed");
        let bar = ProgressBar::new(total as u64).with_style(style).with_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// One more is done.
    pub(super) fn one_more(&self) {
        self.0.inc(1);
    }

    /// Says something beside the bar, also where no bar is drawn.
    pub(super) fn say(&self, text: &str) {
        self.0.suspend(|| eprintln!("{text}"));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
