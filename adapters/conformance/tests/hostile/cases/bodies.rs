//! Bodies: too long, too deep, too wide, said twice, and money that is none.

use std::fmt::Write;

use serde_json::json;

use super::Answer::{Field, Problem, Taken};
use super::Case;
use crate::request::Request;
use crate::stage::BODY_LIMIT;
use crate::way::{FUNCTION_URL, HTTP_API};

pub(super) fn cases() -> Vec<Case> {
    [sizes(), shapes(), long_texts(), money(), texts()].concat()
}

fn field(pointer: &str) -> super::Answer {
    Field(pointer.to_owned())
}

/// A payment of exactly so many bytes.
fn of_bytes(bytes: usize) -> String {
    let payment = r#"{"amount": 100, "currency": "EUR"}"#;
    format!("{payment}{}", " ".repeat(bytes - payment.len()))
}

fn sizes() -> Vec<Case> {
    let too_large = Problem(413, "body_too_large");
    vec![
        Case::new("a body at the limit", Request::pay(of_bytes(BODY_LIMIT)), Taken(201)),
        Case::new("a byte over the limit", Request::pay(of_bytes(BODY_LIMIT + 1)), too_large.clone()),
        Case::new("ten times the limit", Request::pay(of_bytes(BODY_LIMIT * 10)), too_large.clone()),
        Case::new("bytes over the limit", Request::pay(vec![0xff; BODY_LIMIT + 1]), too_large),
        // Whoever is unknown is told so first.
        Case::new(
            "a stranger's body at the limit",
            Request::pay(of_bytes(BODY_LIMIT)).anonymous(),
            Problem(401, "token_missing"),
        ),
        Case::new("no body", Request::pay(""), field("/amount")),
    ]
}

/// JSON that costs more than it says, or that two readers read differently.
fn shapes() -> Vec<Case> {
    let deep = |open: &str, levels: usize, close: &str| {
        Request::pay(format!("{{\"amount\": {}{}}}", open.repeat(levels), close.repeat(levels)))
    };
    let mut wide = String::from("{\"amount\": 1");
    for number in 0..1_500 {
        write!(wide, ",\"{number}\":0").expect("a text");
    }
    let metadata: serde_json::Map<_, _> = (0..51).map(|n| (n.to_string(), json!("x"))).collect();
    let metadata = json!({ "amount": 1, "currency": "EUR", "metadata": metadata }).to_string();
    let list = format!("{{\"amount\": [{}1]}}", "1,".repeat(7_000));
    vec![
        Case::new(
            "65 lists in each other",
            deep("[", 65, "]"),
            field(&format!("/amount{}", "/0".repeat(63))),
        ),
        Case::new("8,000 lists in each other", deep("[", 8_000, "]"), Problem(400, "invalid_request")),
        Case::new("16,000 open lists", Request::pay("[".repeat(16_000)), Problem(400, "invalid_request")),
        Case::new(
            "2,000 objects in each other",
            deep("{\"a\":", 2_000, "}"),
            Problem(400, "invalid_request"),
        ),
        Case::new("1,500 members", Request::pay(wide + "}"), Problem(400, "invalid_request")),
        Case::new("a list of 7,000 for an amount", Request::pay(list), field("/amount")),
        Case::new("51 entries of metadata", Request::pay(metadata), field("/metadata")),
        Case::new(
            "an amount twice",
            Request::pay(r#"{"amount": 1, "currency": "EUR", "amount": 100000}"#),
            field("/amount"),
        ),
        Case::new(
            "an amount twice, once in escapes",
            Request::pay(r#"{"amount": 1, "currency": "EUR", "\u0061mount": 100000}"#),
            field("/amount"),
        ),
        Case::new(
            "a key twice in the metadata",
            Request::pay(r#"{"amount": 1, "currency": "EUR", "metadata": {"a": "1", "a": "2"}}"#),
            field("/metadata/a"),
        ),
        Case::new(
            "an unknown field",
            Request::pay(r#"{"amount": 1, "currency": "EUR", "tenant": "other"}"#),
            field("/tenant"),
        ),
        Case::new(
            "a prototype",
            Request::pay(r#"{"amount": 1, "currency": "EUR", "__proto__": {"tenant": "other"}}"#),
            field("/__proto__"),
        ),
        Case::new(
            "a field with a slash and a tilde in its name",
            Request::pay(r#"{"amount": 1, "currency": "EUR", "a/b~c": 1}"#),
            field("/a~1b~0c"),
        ),
        Case::new("a list for a request", Request::pay("[]"), field("")),
    ]
}

/// What is wrong is said, and not sent back at length.
fn long_texts() -> Vec<Case> {
    let long = "x".repeat(10_000);
    let with = |member: &str, value: &str| {
        let mut body = json!({ "amount": 1, "currency": "EUR" });
        body[member] = json!(value);
        Request::pay(body.to_string())
    };
    let invalid = Problem(400, "invalid_request");
    vec![
        Case::new("an amount of 10,000 letters", with("amount", &long), field("/amount")),
        Case::new("a currency of 10,000 letters", with("currency", &long), field("/currency")),
        Case::new(
            "a capture method of 10,000 letters",
            with("capture_method", &long),
            field("/capture_method"),
        ),
        Case::new("a description of 10,000 letters", with("description", &long), field("/description")),
        Case::new("a member's name of 10,000 letters", with(&long, "x"), invalid),
        Case::new(
            "a name in quotation marks like the reader's own",
            with("a`, expected `b", "x"),
            field("/a`, expected `b"),
        ),
    ]
}

/// Amounts are integers of minor units.
fn money() -> Vec<Case> {
    [
        "1.5",
        "1.0",
        "1e2",
        "1E2",
        "10e-1",
        "-0.0",
        "0",
        "-1",
        "1000000000000",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e400",
        "123456789012345678901234567890",
        "\"100\"",
        "\"1e2\"",
        "true",
        "null",
        "[1]",
        "{\"$numberLong\": \"1\"}",
    ]
    .into_iter()
    .map(|amount| {
        let request = Request::pay(format!("{{\"amount\": {amount}, \"currency\": \"EUR\"}}"));
        // Beyond what a float holds it is no number to the reader, who names no place for what he cannot read.
        let answer = if amount == "1e400" { Problem(400, "invalid_request") } else { field("/amount") };
        Case::new(format!("an amount of {amount}"), request, answer)
    })
    .chain(["eur", "EURO", "XXX", "€", "EU\u{212a}", ""].into_iter().map(|currency| {
        let body = json!({ "amount": 1, "currency": currency }).to_string();
        Case::new(format!("a currency {currency:?}"), Request::pay(body), field("/currency"))
    }))
    .collect()
}

/// What is no JSON, no text, or not said to be JSON.
fn texts() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        ("not a number", &b"{\"amount\": NaN}"[..]),
        ("infinity", b"{\"amount\": Infinity}"),
        ("a leading zero", b"{\"amount\": 01}"),
        ("hexadecimal", b"{\"amount\": 0x10}"),
        ("a comma too many", b"{\"amount\": 1,}"),
        ("single quotes", b"{'amount': 1}"),
        ("a comment", b"/**/{\"amount\": 1}"),
        ("two requests", b"{\"amount\": 1} {\"amount\": 2}"),
        ("something behind it", b"{\"amount\": 1, \"currency\": \"EUR\"}\0"),
        ("a byte order mark", b"\xef\xbb\xbf{\"amount\": 1}"),
        ("half a surrogate", b"{\"amount\": 1, \"currency\": \"EUR\", \"description\": \"\\ud800\"}"),
        ("UTF-16", b"{\0\"\0a\0\"\0:\x001\0}\0"),
        ("white space alone", b" \n"),
    ]
    .map(|(name, body)| Case::new(name, Request::pay(body), Problem(400, "invalid_request")))
    .into();
    for (name, body) in [
        (
            "bytes that are no UTF-8",
            &b"{\"amount\": 1, \"currency\": \"EUR\", \"description\": \"\xff\"}"[..],
        ),
        (
            "a letter that is too long",
            b"{\"amount\": 1, \"currency\": \"EUR\", \"description\": \"\xc0\xaf\"}",
        ),
        (
            "a surrogate in UTF-8",
            b"{\"amount\": 1, \"currency\": \"EUR\", \"description\": \"\xed\xa0\x80\"}",
        ),
    ] {
        // These hand JSON over as text, and put replacement characters there.
        let case = Case::new(name, Request::pay(body), Problem(400, "invalid_request"));
        cases.push(case.but(&[HTTP_API, FUNCTION_URL], Taken(201)));
    }
    for text in ["", "\u{0}", "a\u{7f}b", "a\nb", "\u{9b}31m"] {
        let body = json!({ "amount": 1, "currency": "EUR", "description": text }).to_string();
        cases.push(Case::new(
            format!("a description of {text:?}"),
            Request::pay(body),
            field("/description"),
        ));
    }
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""] {
        let request = Request { headers: Vec::new(), ..Request::pay(of_bytes(100)) };
        let request = request.header("content-type", media_type);
        cases.push(Case::new(format!("as {media_type:?}"), request, Problem(415, "unsupported_media_type")));
    }
    for coding in ["gzip", "br", "identity, gzip", "x-unknown", ""] {
        let request = Request::pay(of_bytes(100)).header("content-encoding", coding);
        cases.push(Case::new(
            format!("as {coding:?} of it"),
            request,
            Problem(415, "unsupported_media_type"),
        ));
    }
    let plain = Request::pay(of_bytes(100)).header("content-encoding", "identity");
    cases.push(Case::new("as it is, and says so", plain, Taken(201)));
    cases
}
