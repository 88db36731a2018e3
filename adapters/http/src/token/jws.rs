//! A compact JWS taken apart (RFC 7515, section 7.1), before anything in it is believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use super::json::Object;
use super::refusal::TokenRefusal;

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Header members that would have the token say how it is to be verified, or that we do not implement.
///
/// `crit` asks for extensions and we have none; the next four bring or point at a key of the sender's
/// choice; `b64` and `zip` change what is signed; `enc` makes it an encrypted token.
const REFUSED_MEMBERS: [&str; 8] = ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"];

/// The parts of a token and what its header says; nothing is verified yet.
pub(super) struct CompactJws<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
    pub(super) payload: Vec<u8>,
    /// What the signature covers: header, dot, payload, as sent.
    pub(super) signed: &'a str,
    /// As sent, base64url.
    pub(super) signature: &'a str,
}

impl<'a> CompactJws<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenRefusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenRefusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRefusal::Malformed)?;
        if payload.contains('.') {
            return Err(TokenRefusal::Malformed);
        }
        // Unpadded and canonical: one token has one spelling, so it can be compared and counted.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Malformed);
        decode(signature)?;
        let header = Object::read(&decode(header)?).ok_or(TokenRefusal::Malformed)?;
        if let Some(name) = REFUSED_MEMBERS.into_iter().find(|name| header.has(name)) {
            return Err(TokenRefusal::HeaderMember(name));
        }
        let text = |name| header.text(name).map_err(|_| TokenRefusal::Malformed);
        Ok(Self {
            algorithm: text("alg")?.and_then(algorithm_named).ok_or(TokenRefusal::Algorithm)?,
            kid: text("kid")?.map(str::to_owned),
            typ: text("typ")?.map(str::to_owned),
            payload: decode(payload)?,
            signed,
            signature,
        })
    }
}

/// The algorithm of this exact name; `none` in any spelling is not one.
pub(super) fn algorithm_named(name: &str) -> Option<Algorithm> {
    match name {
        // RFC 9864 names the curve; with an Ed25519 key both names mean the same signature.
        "Ed25519" => Some(Algorithm::EdDSA),
        _ => name.parse().ok(),
    }
}
