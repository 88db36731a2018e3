//! The progress bar on standard error; where that is no terminal, indicatif draws nothing.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar over so many things.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins at nothing of `total`.
    pub(super) fn over(total: usize, what: &'static str) -> Self {
        let rate = |state: &ProgressState, to: &mut dyn Write| {
            // A bar whose text cannot be written is not drawn; nothing else hangs on it.
            let _ = write!(to, "{:.0}/s", state.per_sec());
        };
        let style = ProgressStyle::with_template("{prefix} {bar:28} {pos}/{len}  {rate}  {eta} left")
            .expect("the template is well formed")
            .with_key("rate", rate);
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
