//! The query string, in the form each front leaves it in.

use florin_http::target::{TargetRefusal, check_query};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::event::HttpEvent;
use crate::kind::Front;
use crate::refusal::Refusal;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The query of an event that came through this front, without the question mark; empty when there is none.
pub(crate) fn query(front: Front, event: &HttpEvent) -> Result<String, Refusal> {
    let query = match front {
        // `queryStringParameters` joins repeated names with commas, which cannot be undone.
        Front::ApiGatewayV2 => event.raw_query_string.clone().unwrap_or_default(),
        Front::ApiGatewayV1 => joined(event, |part| Ok(utf8_percent_encode(part, RESERVED).to_string()))?,
        // A load balancer hands names and values over as the client encoded them.
        Front::Alb { .. } => joined(event, |part| {
            if part.contains('&') { Err(TargetRefusal::Query.into()) } else { Ok(part.to_owned()) }
        })?,
    };
    check_query(&query)?;
    Ok(query)
}

/// The parameters as `name=value&...`. The multi-value map holds everything that the other does.
fn joined(event: &HttpEvent, encode: impl Fn(&str) -> Result<String, Refusal>) -> Result<String, Refusal> {
    let mut query = String::new();
    let mut add = |(name, value): (&str, &str)| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encode(name)?);
        query.push('=');
        query.push_str(&encode(value)?);
        Ok::<_, Refusal>(())
    };
    match (&event.multi_value_query_string_parameters, &event.query_string_parameters) {
        (Some(all), _) => all.pairs().try_for_each(&mut add)?,
        (None, Some(last)) => last.pairs().try_for_each(&mut add)?,
        (None, None) => {}
    }
    Ok(query)
}
