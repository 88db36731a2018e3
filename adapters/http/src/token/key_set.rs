//! A JWK Set (RFC 7517, section 5): which keys verify, and which one a token means.

use std::collections::BTreeSet;
use std::fmt;

use super::json::Object;
use super::jws::CompactJws;
use super::key::Key;
use super::refusal::TokenRefusal;

/// The keys that verify tokens. Its `Debug` names them and shows none.
pub struct KeySet {
    keys: Vec<Key>,
    ignored: Vec<IgnoredKey>,
}

/// A key of the set that verifies nothing here, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredKey {
    /// Its `kid`, when it has one.
    pub kid: Option<String>,
    /// Why it is passed over.
    pub reason: &'static str,
}

/// A text is not a key set that could verify anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not `{"keys": [{...}, ...]}`, or a member stands twice.
    #[error("not a JWK Set: an object with an array \"keys\" of objects, every member named once")]
    NotAKeySet,
    /// Two keys for signatures of one name: which one a token means would be a matter of luck.
    #[error("two keys have the kid {0:?}")]
    RepeatedKid(String),
    /// Secrets beside public keys: what verifies the one must never be tried on the other.
    #[error("the set mixes secrets with public keys")]
    Mixed,
    /// Nothing in it can verify a token; the reasons stand beside.
    #[error("no key of the set can verify a token: {0:?}")]
    NoneUsable(Vec<IgnoredKey>),
}

impl KeySet {
    /// Reads a set of public keys. Keys for other uses or of other kinds are passed over, as RFC 7517 asks;
    /// so are secrets, which have no place in a published set.
    ///
    /// # Errors
    /// When it is no key set, a name stands twice, or nothing in it can verify a token.
    pub fn parse(jwks: &str) -> Result<Self, KeySetError> {
        let mut set = Self::read(jwks)?;
        let (secrets, public) = set.keys.into_iter().partition::<Vec<_>, _>(Key::is_secret);
        let passed_over = secrets.into_iter().map(|key| IgnoredKey {
            kid: key.kid,
            reason: "a secret does not belong in a set of public keys",
        });
        set.ignored.extend(passed_over);
        set.keys = public;
        set.usable()
    }

    /// Reads a set of secrets for HS256, each of 256 bits or more, from a place that only the issuer and this
    /// process can read.
    ///
    /// # Errors
    /// As [`KeySet::parse`], and when public keys stand beside the secrets.
    pub fn parse_secrets(jwks: &str) -> Result<Self, KeySetError> {
        let set = Self::read(jwks)?;
        if set.keys.iter().any(|key| !key.is_secret()) {
            return Err(KeySetError::Mixed);
        }
        set.usable()
    }

    /// One secret for HS256, of 32 bytes or more.
    ///
    /// # Errors
    /// When it is shorter.
    pub fn secret(secret: &[u8]) -> Result<Self, KeySetError> {
        match Key::secret(None, secret) {
            Ok(key) => Ok(Self { keys: vec![key], ignored: Vec::new() }),
            Err(reason) => Err(KeySetError::NoneUsable(vec![IgnoredKey { kid: None, reason }])),
        }
    }

    /// The keys that were passed over, for a log or an error message.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// Verifies a compact JWS and gives its payload; says nothing about claims.
    ///
    /// # Errors
    /// Every refusal that concerns form, header, key, algorithm and signature.
    pub fn verify(&self, token: &str) -> Result<Vec<u8>, TokenRefusal> {
        let jws = CompactJws::parse(token)?;
        self.verify_parsed(&jws)?;
        Ok(jws.payload)
    }

    pub(super) fn verify_parsed(&self, jws: &CompactJws<'_>) -> Result<(), TokenRefusal> {
        self.key(jws.kid.as_deref()).ok_or(TokenRefusal::Key)?.verify(jws)
    }

    /// The key a token means by its `kid`: needed when there are several; a lone key without a name is meant
    /// by any.
    pub(super) fn key(&self, kid: Option<&str>) -> Option<&Key> {
        match (kid, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (Some(_), [only]) if only.kid.is_none() => Some(only),
            (None, _) => None,
            (Some(kid), keys) => keys.iter().find(|key| key.kid.as_deref() == Some(kid)),
        }
    }

    fn read(jwks: &str) -> Result<Self, KeySetError> {
        let object = Object::read(jwks.as_bytes()).ok_or(KeySetError::NotAKeySet)?;
        let list = object.get("keys").and_then(|keys| keys.as_array()).ok_or(KeySetError::NotAKeySet)?;
        let mut set = Self { keys: Vec::new(), ignored: Vec::new() };
        let mut kids = BTreeSet::new();
        for jwk in list {
            let jwk = Object::of(jwk).ok_or(KeySetError::NotAKeySet)?;
            let text = |name| jwk.text(name).ok().flatten();
            // A key that says it is for something else is no rival, and some issuers name pairs alike.
            if text("use").is_none_or(|it| it == "sig")
                && let Some(kid) = text("kid")
                && !kids.insert(kid.to_owned())
            {
                return Err(KeySetError::RepeatedKid(kid.to_owned()));
            }
            match Key::of_jwk(&jwk) {
                Ok(key) => set.keys.push(key),
                Err(reason) => {
                    set.ignored.push(IgnoredKey { kid: text("kid").map(str::to_owned), reason });
                }
            }
        }
        Ok(set)
    }

    fn usable(self) -> Result<Self, KeySetError> {
        if self.keys.is_empty() { Err(KeySetError::NoneUsable(self.ignored)) } else { Ok(self) }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (&key.kid, key.algorithm))).finish()
    }
}
