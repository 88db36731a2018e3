//! An issuer, and whoever would like to be one: tokens of any header and claims, signed by any key.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use florin_kernel::time::Clock;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "florin";
/// The audience of the guarded door.
pub(crate) const DELIVERIES: &str = "florin-deliveries";

/// A key pair under the identifier `key-1`.
pub(crate) struct Forge {
    pair: Ed25519KeyPair,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).expect("randomness");
        Self { pair: Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a key of our own making") }
    }

    /// The public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "key-1", "use": "sig", "alg": "EdDSA", "x": x })
    }

    /// The JSON Web Key Set that an issuer publishes.
    pub(crate) fn jwks(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// The public key's bytes, which everybody knows.
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A token of these very texts with this key's signature.
    pub(crate) fn sign_texts(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// A token of this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_texts(&header.to_string(), &claims.to_string())
    }

    /// An ordinary token of a tenant, with every scope.
    pub(crate) fn token(&self, tenant: &str) -> String {
        self.sign(&header(), &with(claims(), "tenant", json!(tenant)))
    }
}

/// A token of these texts whose signature is an HMAC under this secret.
pub(crate) fn sign_with_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = message(&header.to_string(), &claims.to_string());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// What is signed.
pub(crate) fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// The header of an ordinary token.
pub(crate) fn header() -> Value {
    json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "key-1" })
}

/// The claims of an ordinary token of the tenant `acme`, for both doors.
pub(crate) fn claims() -> Value {
    let now = now();
    json!({
        "iss": ISSUER, "aud": [AUDIENCE, DELIVERIES], "sub": "tester", "client_id": "tester", "tenant": "acme",
        "scope": "payments:read payments:write refunds:read refunds:write audit:read",
        "iat": now - 60, "nbf": now - 60, "exp": now + 3_600,
    })
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    Clock::System.now().as_millis() / 1_000
}

/// `value` with this member changed, or taken out when it is `null`.
pub(crate) fn with(mut value: Value, member: &str, new: Value) -> Value {
    let members = value.as_object_mut().expect("an object");
    if new.is_null() {
        members.remove(member);
    } else {
        members.insert(member.to_owned(), new);
    }
    value
}
