//! What a room answers, and the bytes it becomes: stored with the change, and the same at every repetition.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::problem::{PROBLEM_JSON, Problem};
use crate::stop::Stop;

/// A room's answer. It commits.
#[derive(Debug)]
pub enum Answer<A> {
    /// Here it is.
    Ok(A),
    /// It was made, and is found at this path.
    Created {
        /// The path of the new thing.
        location: String,
        /// The new thing.
        body: A,
    },
    /// A no that must stay, with its state, event and record: a declined card.
    Declined {
        /// What the caller is told.
        problem: Problem,
        /// Where the thing is found, when this call made it.
        location: Option<String>,
    },
    /// It hangs on an effect that was asked for; [`crate::function::Command::answer`] answers for this subject
    /// when the effect's outcome is recorded.
    Waiting {
        /// The aggregate's identifier.
        subject: String,
    },
    /// Go there.
    Redirect {
        /// An absolute address or a path.
        to: String,
    },
    /// A page for people.
    Page(String),
    /// A file.
    File {
        /// Its media type.
        content_type: &'static str,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What leaves the door, whatever front it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The HTTP status code.
    pub status: u16,
    /// The media type, lower case.
    pub content_type: String,
    /// `Location`.
    pub location: Option<String>,
    /// The body's bytes.
    pub body: Bytes,
    /// `Retry-After`. Never stored.
    pub retry_after: Option<Duration>,
    /// Whether these are the stored bytes of an earlier answer: `Idempotency-Replayed`.
    pub replayed: bool,
}

impl Answered {
    /// A problem as it leaves the door.
    pub fn problem(problem: &Problem, trace_id: &str) -> Self {
        Self {
            status: problem.status(),
            content_type: PROBLEM_JSON.to_owned(),
            location: None,
            body: problem.to_json(trace_id).to_string().into(),
            retry_after: problem.retry_after,
            replayed: false,
        }
    }

    fn json<A: Serialize>(status: u16, body: &A) -> Result<Self, Stop> {
        Ok(Self {
            status,
            content_type: "application/json".to_owned(),
            location: None,
            body: serde_json::to_vec(body)?.into(),
            retry_after: None,
            replayed: false,
        })
    }

    /// How long before a caller of an open operation should ask again.
    const ASK_AGAIN: Duration = Duration::from_secs(1);

    /// This answer as the state of an operation that is still open: 202, never stored. A way to another address
    /// stays one: a browser does not ask again.
    #[must_use]
    pub fn still_open(self) -> Self {
        if self.status == 303 {
            return self;
        }
        Self { status: 202, retry_after: Some(Self::ASK_AGAIN), ..self }
    }
}

/// An answer in its final bytes, or the subject it still waits for.
#[derive(Debug)]
pub enum Rendered {
    /// Final.
    Now(Answered),
    /// Hangs on an effect.
    Waiting {
        /// The aggregate's identifier.
        subject: String,
    },
}

impl<A: Serialize> Answer<A> {
    /// The bytes of this answer.
    pub fn render(self, trace_id: &str) -> Result<Rendered, Stop> {
        let plain = |status, content_type: &str, body: Bytes| Answered {
            status,
            content_type: content_type.to_owned(),
            location: None,
            body,
            retry_after: None,
            replayed: false,
        };
        Ok(Rendered::Now(match self {
            Self::Ok(body) => Answered::json(200, &body)?,
            Self::Created { location, body } => {
                Answered { location: Some(location), ..Answered::json(201, &body)? }
            }
            Self::Declined { problem, location } => {
                Answered { location, ..Answered::problem(&problem, trace_id) }
            }
            Self::Waiting { subject } => return Ok(Rendered::Waiting { subject }),
            Self::Redirect { to } => {
                Answered { location: Some(to), ..plain(303, "text/plain; charset=utf-8", Bytes::new()) }
            }
            Self::Page(html) => plain(200, "text/html; charset=utf-8", html.into()),
            Self::File { content_type, bytes } => plain(200, content_type, bytes.into()),
        }))
    }
}
