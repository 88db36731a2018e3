//! An issuer of tokens, as a company's identity provider or a platform is one.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use florin_kernel::time::Clock;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// A key of its own and a name.
pub struct Issuer {
    key: EncodingKey,
    /// `iss`.
    pub name: String,
}

impl Issuer {
    /// A new one.
    ///
    /// # Panics
    /// When there is no chance to be had.
    pub fn new() -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).expect("a key");
        Self { key: EncodingKey::from_ed_der(pair.as_ref()), name: "https://issuer.example".to_owned() }
    }

    /// Its JSON Web Key Set.
    ///
    /// # Panics
    /// Never: the key is one.
    pub fn jwks(&self) -> String {
        let key = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA).expect("a public key");
        let mut key = serde_json::to_value(key).expect("JSON");
        key["kid"] = json!("key-1");
        json!({ "keys": [key] }).to_string()
    }

    /// A token for this audience, good for ten minutes, with these claims besides.
    ///
    /// # Panics
    /// Never: the key signs.
    pub fn token(&self, audience: &str, claims: &Value) -> String {
        let now = Clock::System.now().as_millis() / 1_000;
        let mut all = json!({
            "iss": self.name, "aud": [audience], "sub": "system:serviceaccount:knative-eventing:mt-broker-filter",
            "iat": now, "exp": now + 600,
        });
        for (name, value) in claims.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let header = Header { kid: Some("key-1".to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &all, &self.key).expect("a token")
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}
