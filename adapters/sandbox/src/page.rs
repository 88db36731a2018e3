//! The cardholder's page: plain HTML with nothing loaded from elsewhere.

use axum::response::{Html, IntoResponse, Response};
use http::header;

use crate::charge::{Charge, Status};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;\
    color:#1c1c22;background:#fafafa}main{background:#fff;border:1px solid #ddd;border-radius:8px;padding:1.5rem}\
    h1{font-size:1.2rem;margin:0 0 1rem}.amount{font-size:1.8rem;font-weight:600}\
    button{font:inherit;padding:.6rem 1.2rem;border-radius:6px;border:1px solid #1c1c22;background:#fff;\
    margin:1rem .5rem 0 0;cursor:pointer}button[value=approve]{background:#1c1c22;color:#fff}small{color:#666}";

/// The page of a charge: two buttons while it waits, what became of it afterwards.
pub(crate) fn page(charge: &Charge) -> Response {
    let body = match charge.status {
        // No `action`: the form goes to the page's own address, under whatever prefix that is.
        Status::RequiresAction => {
            "<form method=\"post\"><button name=\"decision\" value=\"approve\">Approve</button>\
             <button name=\"decision\" value=\"refuse\">Refuse</button></form>"
                .to_owned()
        }
        Status::Authorized | Status::Succeeded => decided(charge, "This payment was approved."),
        Status::Declined => decided(charge, "This payment was refused."),
        Status::Voided => decided(charge, "This payment was cancelled by the merchant."),
    };
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Confirm your payment</title><style>{STYLE}</style></head><body><main>\
         <h1>Sandbox bank: confirm your payment</h1><p class=\"amount\">{amount} {currency}</p>{reference}{body}\
         <p><small>A test page. No money moves. {id}</small></p></main></body></html>\n",
        amount = major_units(charge.amount, charge.currency.exponent()),
        currency = charge.currency,
        reference = charge
            .reference
            .as_deref()
            .map(|text| format!("<p>Reference: {}</p>", escaped(text)))
            .unwrap_or_default(),
        id = charge.id,
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // No form-action: browsers apply it to the redirect after the post, which leads to the merchant.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, Html(html)).into_response()
}

fn decided(charge: &Charge, what: &str) -> String {
    match &charge.return_url {
        Some(url) => format!("<p>{what}</p><p><a href=\"{}\">Back to the merchant</a></p>", escaped(url)),
        None => format!("<p>{what}</p><p>You may close this window.</p>"),
    }
}

/// Text as it stands in HTML, in and outside of quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A positive amount of minor units for people: 1234 with two decimals is `12.34`.
fn major_units(minor: i64, decimals: u32) -> String {
    if decimals == 0 {
        return minor.to_string();
    }
    let unit = 10_i64.pow(decimals);
    format!("{}.{:0width$}", minor / unit, minor % unit, width = decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::{escaped, major_units};

    #[test]
    fn people_see_major_units() {
        assert_eq!(major_units(1_234, 2), "12.34");
        assert_eq!(major_units(5, 2), "0.05");
        assert_eq!(major_units(1_234, 0), "1234");
        assert_eq!(major_units(1_234, 3), "1.234");
    }

    #[test]
    fn a_reference_cannot_become_markup() {
        assert_eq!(escaped("<b a=\"'&"), "&lt;b a=&quot;&#39;&amp;");
    }
}
