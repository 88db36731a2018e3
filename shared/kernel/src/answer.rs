//! What a room answers, and the bytes it becomes: stored with the change, and the same at every repetition.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use crate::cookie::SetCookie;
use crate::door::{Access, Door, Errors, Says};
use crate::oauth;
use crate::problem::{Class, PROBLEM_JSON, Problem, codes};
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
    /// An answer that says header fields besides; see [`Answer::saying`].
    Saying {
        /// Names and values.
        headers: Vec<(&'static str, String)>,
        /// Cookies.
        cookies: Vec<SetCookie>,
        /// The answer.
        answer: Box<Self>,
    },
}

impl<A> Answer<A> {
    /// This answer with a header field that its door names.
    #[must_use]
    pub fn saying(self, name: &'static str, value: impl Into<String>) -> Self {
        let (mut headers, cookies, answer) = self.apart();
        headers.push((name, value.into()));
        Self::Saying { headers, cookies, answer }
    }

    /// This answer with a cookie that its door names.
    #[must_use]
    pub fn setting(self, cookie: SetCookie) -> Self {
        let (headers, mut cookies, answer) = self.apart();
        cookies.push(cookie);
        Self::Saying { headers, cookies, answer }
    }

    fn apart(self) -> (Vec<(&'static str, String)>, Vec<SetCookie>, Box<Self>) {
        match self {
            Self::Saying { headers, cookies, answer } => (headers, cookies, answer),
            plain => (Vec::new(), Vec::new(), Box::new(plain)),
        }
    }
}

/// What a 401 or 403 says of the way in; the front writes it as `WWW-Authenticate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A bearer token (RFC 6750).
    Bearer,
    /// A token with this scope (RFC 6750, section 3.1).
    Scope(&'static str),
    /// A client's own name and secret (RFC 6749, section 5.2, by RFC 7617).
    Client,
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
    /// Header fields that the door names, `set-cookie` among them, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// `WWW-Authenticate`. Never stored: who may not enter is told anew each time.
    pub challenge: Option<Challenge>,
    /// The body's bytes.
    pub body: Bytes,
    /// `Retry-After`. Never stored.
    pub retry_after: Option<Duration>,
    /// Whether these are the stored bytes of an earlier answer: `Idempotency-Replayed`.
    pub replayed: bool,
}

impl Answered {
    /// These bytes and nothing else.
    pub(crate) fn plain(status: u16, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type: content_type.into(),
            location: None,
            headers: Vec::new(),
            challenge: None,
            body: body.into(),
            retry_after: None,
            replayed: false,
        }
    }

    /// A problem as it leaves where there is no door.
    pub fn problem(problem: &Problem, trace_id: &str) -> Self {
        let body = problem.to_json(trace_id).to_string();
        let challenge = (problem.code.class == Class::Unauthenticated).then_some(Challenge::Bearer);
        let answered = Self::plain(problem.status(), PROBLEM_JSON, body);
        Self { challenge, retry_after: problem.retry_after, ..answered }
    }

    /// A refusal in the words of the door it leaves by.
    pub fn refused(door: &Door, problem: &Problem, trace_id: &str) -> Self {
        let challenge = match (problem.code.class, door.access, door.errors) {
            (Class::Forbidden, Access::Scope(scope), _) if problem.code == codes::FORBIDDEN => {
                Some(Challenge::Scope(scope))
            }
            (Class::Unauthenticated, Access::Public, Errors::OAuth) => Some(Challenge::Client),
            (Class::Unauthenticated, _, _) => Some(Challenge::Bearer),
            _ => None,
        };
        match door.errors {
            Errors::Problem => Self { challenge, ..Self::problem(problem, trace_id) },
            Errors::OAuth => {
                let status = oauth::status_of(problem.code.class);
                let answered = Self::plain(status, "application/json", oauth::document(problem).to_string());
                Self { challenge, retry_after: problem.retry_after, ..answered }
            }
        }
    }

    fn json<A: Serialize>(status: u16, body: &A) -> Result<Self, Stop> {
        Ok(Self::plain(status, "application/json", serde_json::to_vec(body)?))
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
    /// The bytes of this answer as it leaves by this door.
    pub fn render(self, door: &Door, trace_id: &str) -> Result<Rendered, Stop> {
        Ok(Rendered::Now(match self {
            Self::Ok(body) => Answered::json(200, &body)?,
            Self::Created { location, body } => {
                Answered { location: Some(location), ..Answered::json(201, &body)? }
            }
            Self::Declined { problem, location } => {
                Answered { location, ..Answered::refused(door, &problem, trace_id) }
            }
            Self::Waiting { subject } => return Ok(Rendered::Waiting { subject }),
            Self::Redirect { to } => {
                let nothing = Answered::plain(303, "text/plain; charset=utf-8", Bytes::new());
                Answered { location: Some(to), ..nothing }
            }
            Self::Page(html) => Answered::plain(200, "text/html; charset=utf-8", html),
            Self::File { content_type, bytes } => Answered::plain(200, content_type, bytes),
            Self::Saying { headers, cookies, answer } => {
                let said = said(door, headers, &cookies)?;
                match answer.render(door, trace_id)? {
                    Rendered::Now(answered) => Answered { headers: said, ..answered },
                    // It says them when there is an answer.
                    waiting @ Rendered::Waiting { .. } => return Ok(waiting),
                }
            }
        }))
    }
}

/// Header fields and cookies as they leave, each one named by the door.
fn said(
    door: &Door,
    headers: Vec<(&'static str, String)>,
    cookies: &[SetCookie],
) -> Result<Vec<(String, String)>, Stop> {
    let mut said = Vec::new();
    for (name, value) in headers {
        let named = door.says.iter().any(|says| matches!(says, Says::Header { name: n, .. } if *n == name));
        if !named || !value.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Err(Stop::fault(format!("{name} is not named by the door, or its value cannot be sent")));
        }
        said.push((name.to_owned(), value));
    }
    for cookie in cookies {
        let name = cookie.name;
        let named = door.says.iter().any(|says| matches!(says, Says::Cookie { name: n, .. } if *n == name));
        let text = cookie.text().filter(|_| named);
        let text = text
            .ok_or_else(|| Stop::fault(format!("the door names no cookie {name}, or it cannot be sent")))?;
        said.push(("set-cookie".to_owned(), text));
    }
    Ok(said)
}
