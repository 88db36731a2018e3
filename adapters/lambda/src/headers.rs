//! Request headers: repeated ones kept, cookies as one line, the hop's own left behind, Host checked.

use florin_http::target::check_host;
use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use crate::event::HttpEvent;
use crate::kind::Front;
use crate::refusal::Refusal;

/// The headers of an event that came through this front.
///
/// An HTTP API and a function URL join repeated headers with commas (and cannot be told from a client that
/// sent the comma), every other front keeps them apart. RFC 9110 5.2 makes both mean the same.
pub(crate) fn headers(front: Front, event: &HttpEvent) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    let mut add = |(name, value): (&str, &str)| {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Refusal::Header)?;
        let value = HeaderValue::from_str(value).map_err(|_| Refusal::Header)?;
        headers.try_append(name, value).map(|_| ()).map_err(|_| Refusal::Header)
    };
    match (front, &event.multi_value_headers, &event.headers) {
        // The single-value map holds the last of each; taking both would repeat or lose entries.
        (Front::ApiGatewayV1 | Front::Alb { .. }, Some(all), _) => all.pairs().try_for_each(&mut add)?,
        (_, _, Some(one_each)) => one_each.pairs().try_for_each(&mut add)?,
        (_, _, None) => {}
    }
    if front == Front::ApiGatewayV2 {
        event
            .cookies
            .iter()
            .flatten()
            .map(|cookie| (COOKIE.as_str(), cookie.as_str()))
            .try_for_each(&mut add)?;
    }
    join_cookies(&mut headers)?;
    check_host(&headers)?;
    leave_the_hop(&mut headers);
    Ok(headers)
}

/// One Cookie line, because HTTP/2 may split it and only HTTP/2 may (RFC 9113, 8.2.3).
fn join_cookies(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1 {
        let joined = HeaderValue::from_bytes(&lines.join(&b"; "[..])).map_err(|_| Refusal::Header)?;
        headers.insert(COOKIE, joined);
    }
    Ok(())
}

/// Takes out what spoke of the connection between the client and the front (RFC 9110, 7.6.1). The length
/// is that of the body as it arrived here, and the request's body knows it.
fn leave_the_hop(headers: &mut HeaderMap) {
    for name in [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}
