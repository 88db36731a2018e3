//! The header fields and cookies that a door reads, as they were sent: each once, or not at all.

use florin_kernel::door::{Door, Reads};
use florin_kernel::problem::{FieldError, Problem, codes};
use http::header::COOKIE;
use http::{HeaderMap, HeaderName};

use crate::call::one;

/// What was sent of these. One that was sent twice is refused: two readers could take a different one.
pub(crate) fn read(door: &Door, headers: &HeaderMap) -> Result<Vec<(Reads, String)>, Problem> {
    let mut read = Vec::new();
    for reads in door.named() {
        let value = match reads {
            Reads::Header { name, .. } => one(headers, &HeaderName::from_static(name))?,
            Reads::Cookie { name, .. } => cookie(headers, name)?,
        };
        read.extend(value.map(|value| (reads, value)));
    }
    Ok(read)
}

/// The value of a cookie (RFC 6265, section 4.2.1). HTTP/2 may send the pairs in several fields.
fn cookie(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let mut found = None;
    for field in headers.get_all(COOKIE) {
        // The pairs of others may hold anything; ours are ASCII.
        for pair in field.as_bytes().split(|b| *b == b';') {
            let Some(value) =
                pair.trim_ascii().strip_prefix(name.as_bytes()).and_then(|v| v.strip_prefix(b"="))
            else {
                continue;
            };
            match std::str::from_utf8(value) {
                Ok(value) if found.is_none() => found = Some(value.to_owned()),
                _ => return Err(refused(name)),
            }
        }
    }
    Ok(found)
}

/// The problem of a header field or cookie that was sent twice, or is no text.
pub(crate) fn refused(name: &str) -> Problem {
    let detail = "given once, in visible ASCII";
    let mut problem = codes::INVALID_REQUEST.because(format!("{name}: {detail}"));
    let error = FieldError { pointer: None, parameter: Some(name.to_owned()), detail: detail.to_owned() };
    problem.errors.push(error);
    problem
}
