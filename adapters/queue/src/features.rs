//! What each queue does by itself: declared by its adapter, held to by the conformance suite, printed in the documents.

use std::fmt;

/// What a queue promises beyond the port, so that nobody relies on more. Every queue delivers at least once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Its name in the documents.
    pub name: &'static str,
    /// Who gives an event to each function that wants it.
    pub fan_out: FanOut,
    /// When a message comes that was told to come again.
    pub delay: Delay,
    /// Whether one consumer sees events in the order they were published, as long as none comes again.
    pub ordered: bool,
    /// After how many deliveries the broker itself sets a message aside; none where it does not count.
    pub delivery_limit: Option<u32>,
    /// The largest event it carries, in bytes of structured JSON; none where nothing bounds it.
    pub max_event_bytes: Option<usize>,
    /// What becomes of confirmed messages when the broker dies.
    pub restart: Restart,
}

/// Who gives an event to each function that wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanOut {
    /// The broker copies it: one publish is enough, whoever is subscribed.
    Broker,
    /// The publisher sends it to each queue, so it must know them all.
    Publisher,
}

/// When a message comes that was told to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// At that instant of Florin's own clock.
    Instant,
    /// After the next step of the ladder that is not shorter.
    Ladder,
    /// After whole seconds, rounded up, twelve hours at the most.
    Seconds,
    /// The platform is asked by Retry-After and decides.
    Asked,
}

/// What becomes of confirmed messages when the broker dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// They are there when it is back, also after SIGKILL.
    Kept,
    /// The platform runs the broker and answers for it.
    Platform,
}

impl Features {
    /// The table of the documents: a line for each queue, in Markdown.
    pub fn table(queues: &[Self]) -> String {
        let mut lines = vec![
            "| queue | fan-out by | a retry comes | in order | sets aside after | largest event | after SIGKILL of the broker |".to_owned(),
            "|---|---|---|---|---|---|---|".to_owned(),
        ];
        lines.extend(queues.iter().map(ToString::to_string));
        lines.join("\n")
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ordered = if self.ordered { "until one comes again" } else { "no" };
        let limit = self.delivery_limit.map_or("never".to_owned(), |limit| format!("{limit} deliveries"));
        let largest = self.max_event_bytes.map_or("any".to_owned(), |bytes| format!("{bytes} bytes"));
        write!(
            f,
            "| {} | {} | {} | {ordered} | {limit} | {largest} | {} |",
            self.name, self.fan_out, self.delay, self.restart
        )
    }
}

impl fmt::Display for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broker => "the broker",
            Self::Publisher => "the publisher",
        })
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instant => "at its instant",
            Self::Ladder => "at the ladder's next step",
            Self::Seconds => "after whole seconds, 12 h at most",
            Self::Asked => "when the platform honours Retry-After",
        })
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "what was confirmed is there",
            Self::Platform => "the platform answers for it",
        })
    }
}
