//! Header fields: malformed, repeated, conflicting, and those that would like to be others.

use super::Answer::{Again, Broken, Problem, Taken};
use super::Case;
use crate::request::Request;
use crate::way::{FUNCTION, FUNCTION_URL, H2, HTTP_API, JOINING, PLAIN_LOAD_BALANCER};

const PAYMENT: &str = r#"{"amount": 100, "currency": "EUR"}"#;

fn list() -> Request {
    Request::get("/v1/payments?limit=1")
}

pub(super) fn cases() -> Vec<Case> {
    [repeated(), malformed(), aliases(), framing()].concat()
}

/// Twice, where once is the rule.
fn repeated() -> Vec<Case> {
    let good = list().authorizations("x.y.z").remove(0);
    let two_keys = Request::pay(PAYMENT).header("idempotency-key", "a1").header("idempotency-key", "a2");
    let two_types = Request { headers: Vec::new(), ..Request::pay(PAYMENT) }
        .header("content-type", "application/json")
        .header("content-type", "text/plain");
    vec![
        Case::new("two tokens", list().authorized(&[&good, &good]), Problem(401, "token_repeated"))
            .but(&JOINING, Problem(401, "token_malformed"))
            // It hands over the last of them.
            .but(&[PLAIN_LOAD_BALANCER], Problem(401, "token_malformed")),
        Case::new(
            "a token and a password",
            list().authorized(&[&good, "Basic YTpi"]),
            Problem(401, "token_repeated"),
        )
        .but(&JOINING, Problem(401, "token_malformed"))
        .but(&[PLAIN_LOAD_BALANCER], Problem(401, "token_scheme_not_bearer")),
        Case::new("two hosts", list().header("host", "other.test"), Problem(400, "invalid_host"))
            .but(&[PLAIN_LOAD_BALANCER], Taken(200)),
        Case::new("one host twice", list().header("host", "florin.test"), Problem(400, "invalid_host"))
            // RFC 9113, section 8.3.1: beside `:authority` it says the same.
            .but(&H2, Taken(200))
            .but(&[PLAIN_LOAD_BALANCER], Taken(200)),
        Case::new("two idempotency keys", two_keys, Problem(400, "invalid_request"))
            // "a1,a2" is a key as good as any, and the last one is one.
            .but(&[HTTP_API, PLAIN_LOAD_BALANCER], Taken(201))
            .but(&[FUNCTION_URL], Again),
        Case::new("two media types", two_types, Problem(415, "unsupported_media_type")),
        Case::new(
            "a trace in two versions",
            list()
                .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
                .header("traceparent", "00-00000000000000000000000000000001-00f067aa0ba902b7-01"),
            Taken(200),
        ),
    ]
}

/// Names and values that are none.
fn malformed() -> Vec<Case> {
    let named = |name: &str| list().header(name, "1");
    let valued = |value: &[u8]| list().header("x-strange", value);
    let keyed = |key: &[u8]| Request::pay(PAYMENT).header("idempotency-key", key);
    let mut cases: Vec<Case> = [("a space in a name", "x y"), ("no name", ""), ("a name beyond ASCII", "ü")]
        .into_iter()
        .map(|(name, field)| {
            Case::new(name, named(field), Broken).but(&FUNCTION, Problem(400, "invalid_header"))
        })
        .collect();
    cases.extend([("a NUL", &b"a\0b"[..]), ("DEL", b"a\x7fb"), ("a line break", b"a\rb")].map(
        |(name, value)| {
            Case::new(format!("{name} in a value"), valued(value), Broken)
                .but(&FUNCTION, Problem(400, "invalid_header"))
        },
    ));
    cases.extend([
        Case::new("a value that is no UTF-8", valued(b"\xff\xfe"), Taken(200)),
        Case::new(
            "a token that is no ASCII",
            list().authorized(&["Bearer größe"]),
            Problem(401, "token_malformed"),
        ),
        Case::new("a key that is no ASCII", keyed(b"gr\xf6\xdfe"), Problem(400, "invalid_request")),
        Case::new("a key of 256 characters", keyed(&[b'k'; 256]), Problem(400, "invalid_request")),
        Case::new("an empty key", keyed(b""), Problem(400, "invalid_request")),
        Case::new("a head of 100 kB", list().header("x-large", vec![b'x'; 100_000]), Broken)
            // No front lets it through, and here it would do no harm.
            .but(&FUNCTION, Taken(200)),
        Case::new(
            "a method of its own",
            Request { method: "BREW".to_owned(), ..list() },
            Problem(405, "method_not_allowed"),
        ),
        Case::new(
            "a method of 10,000 letters",
            Request { method: "X".repeat(10_000), ..list() },
            Problem(405, "method_not_allowed"),
        ),
        Case::new(
            "a method that asks for another",
            Request { method: "DELETE".to_owned(), ..list() }.header("x-http-method-override", "GET"),
            Problem(405, "method_not_allowed"),
        ),
        Case::new(
            "a method that shows what was sent",
            Request { method: "TRACE".to_owned(), ..list() },
            Problem(405, "method_not_allowed"),
        ),
        Case::new(
            "a tunnel",
            Request { method: "CONNECT".to_owned(), target: b"other.test:80".to_vec(), ..list() },
            Problem(400, "invalid_path"),
        )
        // RFC 9113, section 8.5: a tunnel has no path.
        .but(&H2, Broken),
        Case::new(
            "options of everything",
            Request { method: "OPTIONS".to_owned(), target: b"*".to_vec(), ..list() },
            Problem(400, "invalid_path"),
        ),
        Case::new("a method that is none", Request { method: "GE\u{1}T".to_owned(), ..list() }, Broken)
            .but(&FUNCTION, Problem(400, "invalid_method")),
        Case::new("no host", Request { host: String::new(), ..list() }, Problem(400, "invalid_host"))
            .but(&H2, Broken),
        Case::new(
            "a password in the host",
            Request { host: "a@b.test".to_owned(), ..list() },
            Problem(400, "invalid_host"),
        )
        .but(&H2, Problem(400, "invalid_host")),
        Case::new(
            "a list for a host",
            Request { host: "a.test,b.test".to_owned(), ..list() },
            Problem(400, "invalid_host"),
        ),
    ]);
    cases
}

/// Nobody is who a header field says, however it is spelled.
fn aliases() -> Vec<Case> {
    let mut cases = Vec::new();
    for alias in [
        "X_Auth_Tenant",
        "x.auth.tenant",
        "X-Auth-Tenant",
        "x-tenant-id",
        "x-auth-user",
        "x-forwarded-user",
        "x-amzn-oidc-data",
        "authorization_",
        "x-authorization",
        "proxy-authorization",
        "x-original-authorization",
    ] {
        let claim = |request: Request| request.header(alias, "Bearer other").header(alias, "other");
        cases.push(Case::new(
            format!("{alias} in place of a token"),
            claim(list().anonymous()),
            Problem(401, "token_missing"),
        ));
        cases.push(Case::new(format!("{alias} beside a token"), claim(list()), Taken(200)));
    }
    for alias in ["x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-envoy-original-path"] {
        let request = Request::get("/v1/nothing").header(alias, "/v1/payments");
        cases.push(Case::new(format!("{alias} in place of a path"), request, Problem(404, "not_found")));
    }
    let key = Request::pay(PAYMENT).header("Idempotency_Key", "alias-1");
    cases.push(Case::new("an alias of the key is no key", key.clone(), Taken(201)));
    cases.push(Case::new("an alias of the key is no key, again", key, Taken(201)));
    cases
}

/// Two opinions of where the body ends. A front has decided before it makes an event, and says so by its body.
fn framing() -> Vec<Case> {
    // The sender adds the right length itself.
    let said = |lengths: &[&str]| {
        lengths.iter().fold(Request::pay(PAYMENT), |request, length| request.header("content-length", length))
    };
    let refused =
        |name: &str, lengths: &[&str]| Case::new(name, said(lengths), Broken).but(&FUNCTION, Taken(201));
    vec![
        refused("two lengths", &["5"]),
        refused("a length that is no number", &["0x22"]),
        refused("a negative length", &["-1"]),
        refused("a length with a sign", &["+34"]),
        refused("a length beyond 64 bits", &["99999999999999999999999999"]),
        Case::new(
            "an encoding nobody knows",
            Request::pay(PAYMENT).header("transfer-encoding", "gzip"),
            Broken,
        )
        .but(&FUNCTION, Taken(201)),
        // A field of the connection is nothing that HTTP/2 has (RFC 9113, section 8.2.2).
        Case::new("a field of the connection", list().header("connection", "x-strange"), Taken(200))
            .but(&H2, Broken),
        Case::new("an upgrade to nothing", list().header("upgrade", "websocket"), Taken(200))
            .but(&H2, Broken),
        Case::new("trailers wanted as an encoding", list().header("te", "gzip"), Taken(200)).but(&H2, Broken),
        Case::new("a pseudo header as a header", list().header(":tenant", "other"), Broken)
            .but(&FUNCTION, Problem(400, "invalid_header")),
    ]
}
