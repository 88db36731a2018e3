//! The table: what is sent, and what is answered on each way.

mod bodies;
mod headers;
mod targets;
mod tokens;

pub(crate) use tokens::refused;

use crate::h1::Heard;
use crate::request::Request;
use crate::stage::Stage;
use crate::way::Way;

/// What has to come back.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A problem of this status and code.
    Problem(u16, &'static str),
    /// `400 invalid_request` that names the field of the body by this JSON pointer.
    Field(String),
    /// `400 invalid_request` that names this parameter.
    Parameter(&'static str),
    /// This status: what was strange about the request means nothing here.
    Taken(u16),
    /// 201, and nothing new: the same was sent before on another way, under the same key.
    Again,
    /// Not HTTP: a bare 400 (or 431), or the end of the stream or connection.
    Broken,
}

impl Answer {
    /// Why this is not the answer, or nothing.
    pub(crate) fn wrong(&self, heard: Option<&Heard>) -> Option<String> {
        let is_it = match (self, heard) {
            (Self::Broken, None) => true,
            (Self::Broken, Some(heard)) => [400, 431].contains(&heard.status) && heard.body.is_null(),
            (_, None) => false,
            (Self::Taken(status), Some(heard)) => heard.status == *status,
            (Self::Again, Some(heard)) => heard.status == 201,
            (Self::Problem(status, code), Some(heard)) => heard.status == *status && heard.code() == *code,
            (Self::Field(pointer), Some(heard)) => {
                heard.code() == "invalid_request" && heard.body["errors"][0]["pointer"] == pointer.as_str()
            }
            (Self::Parameter(name), Some(heard)) => {
                heard.code() == "invalid_request" && heard.body["errors"][0]["parameter"] == *name
            }
        };
        if !is_it {
            return Some(format!("{heard:?} in place of {self:?}"));
        }
        heard.filter(|heard| heard.status >= 400 && !heard.body.is_null()).and_then(not_a_problem)
    }
}

/// What is missing in a problem document (RFC 9457, and our own members).
fn not_a_problem(heard: &Heard) -> Option<String> {
    let is_trace = |id: &str| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let code = heard.code();
    let holds = heard.body["status"] == heard.status
        && heard.body["type"] == format!("urn:florin:problem:{code}")
        && !code.is_empty()
        && heard.body["detail"].as_str().is_some_and(|detail| !detail.is_empty())
        // What was sent may be a thousand times as long.
        && heard.body.to_string().len() <= 2_500
        && heard.body["trace_id"].as_str().is_some_and(is_trace);
    (!holds).then(|| format!("not a problem document: {heard:?}"))
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) request: Request,
    everywhere: Answer,
    but: Vec<(Way, Answer)>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, request: Request, everywhere: Answer) -> Self {
        Self { name: name.into(), request, everywhere, but: Vec::new() }
    }

    /// The answer on these ways, where it is another.
    #[must_use]
    pub(crate) fn but(mut self, ways: &[Way], answer: Answer) -> Self {
        self.but.extend(ways.iter().map(|way| (*way, answer.clone())));
        self
    }

    /// What has to come back on this way.
    pub(crate) fn answer(&self, way: Way) -> &Answer {
        let another = self.but.iter().rev().find(|(its, _)| *its == way);
        another.map_or(&self.everywhere, |(_, answer)| answer)
    }
}

/// Every line.
pub(crate) fn all(stage: &Stage) -> Vec<Case> {
    [headers::cases(), targets::cases(), bodies::cases(), tokens::cases(stage)].concat()
}
