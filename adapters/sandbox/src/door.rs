//! The door: credential, idempotency key and body, before anything is done.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use florin_kernel::input::Input;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::Sandbox;
use crate::charge::ChargeId;
use crate::failure::Failure;

/// The largest amount, in minor units: twelve digits, so that sums of millions of charges fit 64 bits.
const LARGEST_AMOUNT: i64 = 999_999_999_999;

/// A body as it was read, or why it could not be.
pub(crate) type Body = Result<Bytes, BytesRejection>;

/// Lets nobody in without the credential, when there is one.
pub(crate) async fn credential(
    State(sandbox): State<Sandbox>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if let Some(key) = &sandbox.0.config.api_key {
        let given = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim_start())
            .unwrap_or_default();
        // In constant time, so that an answer's delay tells nothing of the key.
        aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), key.as_bytes()).map_err(
            |_| {
                Failure::new(
                    StatusCode::UNAUTHORIZED,
                    "unauthenticated",
                    "A valid bearer credential is needed.",
                )
            },
        )?;
    }
    Ok(next.run(request).await)
}

/// The `Idempotency-Key`: one, of 1 to 255 visible characters.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<String, Failure> {
    let refused = |message| Failure::new(StatusCode::BAD_REQUEST, "idempotency_key_required", message);
    let mut values = headers.get_all("idempotency-key").iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(refused("Exactly one Idempotency-Key is needed."));
    };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(key.to_owned()),
        _ => Err(refused("An Idempotency-Key has 1 to 255 visible ASCII characters.")),
    }
}

/// The bytes of a body.
pub(crate) fn bytes(body: Body) -> Result<Bytes, Failure> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is over the limit.")
        }
        _ => Failure::invalid("The body could not be read."),
    })
}

/// A JSON body, strictly: no unknown, missing or repeated members, no floats for integers.
pub(crate) fn json<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let mut input = Input::default();
    input.body(&bytes(body)?)?;
    Ok(input.parse()?)
}

/// What is no identifier names no charge.
pub(crate) fn charge_id(text: &str) -> Result<ChargeId, Failure> {
    text.parse().map_err(|_| Failure::no_such_charge())
}

/// The charge of a path.
pub(crate) struct ChargeOfPath(pub(crate) ChargeId);

impl<S: Send + Sync> FromRequestParts<S> for ChargeOfPath {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|_| Failure::no_such_charge())?;
        charge_id(&id).map(Self)
    }
}

/// An amount of minor units that can be moved.
pub(crate) fn amount(minor: i64) -> Result<i64, Failure> {
    if (1..=LARGEST_AMOUNT).contains(&minor) {
        Ok(minor)
    } else {
        Err(Failure::invalid(format!("/amount: must be 1 to {LARGEST_AMOUNT} minor units")))
    }
}

/// Where a browser reaches this router.
pub(crate) fn public_base(sandbox: &Sandbox, headers: &HeaderMap) -> Result<String, Failure> {
    if let Some(base) = &sandbox.0.config.public_base {
        return Ok(base.trim_end_matches('/').to_owned());
    }
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse::<Authority>().ok())
        // User information in a Host is an attempt to make the address look like another one.
        .filter(|host| !host.as_str().contains('@'))
        .map(|host| format!("http://{host}"))
        .ok_or_else(|| Failure::invalid("A valid Host is needed, because no public address is configured."))
}
