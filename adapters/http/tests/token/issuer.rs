//! An issuer for the tests: keys of every kind, and tokens of any header and claims, well formed or not.

use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use florin_http::token::{KeySet, KeySource, TokenRefusal, TokenRules, TokenTypes, Verifier};
use florin_kernel::caller::Caller;
use florin_kernel::time::Timestamp;
use http::HeaderValue;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
/// 2027-01-15T08:00:00Z, in seconds.
pub(crate) const NOW_SECONDS: i64 = 1_800_000_000;
pub(crate) const NOW: Timestamp = Timestamp::from_micros(NOW_SECONDS * 1_000_000);

/// One private key, and its public half as a JWK.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    encoding: EncodingKey,
    pub(crate) jwk: Value,
}

static RSA: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let body = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
});

impl Signer {
    pub(crate) fn new(algorithm: Algorithm, kid: &str) -> Self {
        let random = SystemRandom::new();
        let encoding = match algorithm {
            Algorithm::EdDSA => {
                EncodingKey::from_ed_der(Ed25519KeyPair::generate_pkcs8v1(&random).unwrap().as_ref())
            }
            Algorithm::ES256 => EncodingKey::from_ec_der(
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap().as_ref(),
            ),
            Algorithm::ES384 => EncodingKey::from_ec_der(
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).unwrap().as_ref(),
            ),
            _ => RSA.clone(),
        };
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&encoding, algorithm).unwrap()).unwrap();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk["alg"] = serde_json::to_value(algorithm).unwrap();
        Self { algorithm, encoding, jwk }
    }

    pub(crate) fn kid(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    /// The header of an ordinary access token of this key.
    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": serde_json::to_value(self.algorithm).unwrap(), "kid": self.kid() })
    }

    /// A token of these very texts, signed whatever they say.
    pub(crate) fn sign_texts(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_texts(&self.header().to_string(), &claims.to_string())
    }

    pub(crate) fn sign_with_header(&self, header: &Value) -> String {
        self.sign_texts(&header.to_string(), &claims().to_string())
    }
}

/// The claims of an ordinary access token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-1",
        "client_id": "shop",
        "tenant": "acme",
        "scope": "payments:read payments:write",
        "iat": NOW_SECONDS - 60,
        "nbf": NOW_SECONDS - 60,
        "exp": NOW_SECONDS + 600,
        "jti": "1",
    })
}

/// `value` with this member changed, or taken out when it is `null`.
pub(crate) fn with(mut value: Value, member: &str, new: Value) -> Value {
    let members = value.as_object_mut().unwrap();
    if new.is_null() {
        members.remove(member);
    } else {
        members.insert(member.to_owned(), new);
    }
    value
}

pub(crate) fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(crate) fn jwks(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

pub(crate) fn rules(keys: KeySource) -> TokenRules {
    TokenRules {
        issuer: ISSUER.to_owned(),
        audience: vec![AUDIENCE.to_owned(), "https://other.example".to_owned()],
        leeway: Duration::from_secs(10),
        types: TokenTypes::AccessTokenOrJwt,
        keys,
    }
}

pub(crate) fn verifier(jwks: &str) -> Verifier {
    Verifier::new(rules(KeySource::Static(KeySet::parse(jwks).unwrap()))).unwrap()
}

pub(crate) async fn verify(verifier: &Verifier, token: &str, now: Timestamp) -> Result<Caller, TokenRefusal> {
    verifier.verify(Some(&HeaderValue::try_from(format!("Bearer {token}")).unwrap()), now).await
}
