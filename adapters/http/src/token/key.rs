//! One verification key and the one algorithm it is pinned to (RFC 7517, RFC 7518, RFC 8037).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519};
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::json::Object;
use super::jws::{CompactJws, algorithm_named};
use super::refusal::TokenRefusal;
use super::roca;

/// The shortest secret of HS256: as long as its hash (RFC 7518, section 3.2).
pub(super) const MIN_SECRET_BYTES: usize = 32;

/// A key that verifies signatures of one algorithm.
pub(super) struct Key {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    decoding: DecodingKey,
}

impl Key {
    /// A secret shared with the issuer, for HS256.
    pub(super) fn secret(kid: Option<String>, secret: &[u8]) -> Result<Self, &'static str> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err("a secret of less than 256 bits");
        }
        Ok(Self { kid, algorithm: Algorithm::HS256, decoding: DecodingKey::from_secret(secret) })
    }

    /// Reads a JWK; the error says why it verifies nothing here.
    pub(super) fn of_jwk(jwk: &Object) -> Result<Self, &'static str> {
        let text = |name| jwk.text(name).map_err(|_| "a member that should be a string is not");
        if text("use")?.is_some_and(|it| it != "sig") {
            return Err("its use is not sig");
        }
        let operations = jwk.texts("key_ops").map_err(|_| "key_ops is not a list of strings")?;
        if operations.is_some_and(|all| !all.contains(&"verify")) {
            return Err("its key_ops do not contain verify");
        }
        let kid = text("kid")?.map(str::to_owned);
        let named = match text("alg")? {
            Some(name) => Some(algorithm_named(name).ok_or("its alg is not supported")?),
            None => None,
        };
        let bytes = |name| match text(name)? {
            Some(coded) => URL_SAFE_NO_PAD.decode(coded).map_err(|_| "a member is not base64url"),
            None => Err("a member of the key is missing"),
        };
        let (kty, crv) = (text("kty")?, text("crv")?);
        if kty == Some("oct") {
            if named.is_some_and(|alg| alg != Algorithm::HS256) {
                return Err("a secret is accepted for HS256 only");
            }
            return Self::secret(kid, &bytes("k")?);
        }
        if jwk.has("d") {
            return Err("it is a private key: whoever reads this set can sign with it");
        }
        let (allowed, decoding): (&[Algorithm], _) = match (kty, crv) {
            (Some("RSA"), _) => (&RSA_ALGORITHMS, rsa_key(&bytes("n")?, &bytes("e")?)?),
            (Some("EC"), Some("P-256")) => {
                (&[Algorithm::ES256], point(&ECDSA_P256_SHA256_FIXED, 32, &bytes("x")?, &bytes("y")?)?)
            }
            (Some("EC"), Some("P-384")) => {
                (&[Algorithm::ES384], point(&ECDSA_P384_SHA384_FIXED, 48, &bytes("x")?, &bytes("y")?)?)
            }
            (Some("OKP"), Some("Ed25519")) => (&[Algorithm::EdDSA], edwards_key(&bytes("x")?)?),
            _ => return Err("its kty and crv are not supported"),
        };
        // Several issuers publish RSA keys without `alg`; RS256 is what RFC 9068 has every issuer support.
        // What matters is that the token has no say in it.
        let algorithm = named.unwrap_or(allowed[0]);
        if !allowed.contains(&algorithm) {
            return Err("its alg does not fit its kty and crv");
        }
        Ok(Self { kid, algorithm, decoding })
    }

    /// Whether this key made the token's signature, with this key's algorithm.
    pub(super) fn verify(&self, jws: &CompactJws<'_>) -> Result<(), TokenRefusal> {
        if jws.algorithm != self.algorithm {
            return Err(TokenRefusal::Algorithm);
        }
        let signed = jws.signed.as_bytes();
        match jsonwebtoken::crypto::verify(jws.signature, signed, &self.decoding, self.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenRefusal::Signature),
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.algorithm == Algorithm::HS256
    }
}

/// What an RSA key may be pinned to, RS256 when it does not say.
const RSA_ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<DecodingKey, &'static str> {
    // Some publishers keep the sign byte that RFC 7518, section 6.3.1.1 forbids; AWS-LC does not take it.
    let trim = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().skip_while(|b| *b == 0).collect() };
    let (modulus, exponent) = (trim(modulus), trim(exponent));
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err("an RSA modulus of less than 2048 or more than 8192 bits");
    }
    let odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if !odd || exponent == [1] || exponent.len() > 4 {
        return Err("an RSA exponent that is even, 1 or longer than 32 bits");
    }
    if roca::is_weak(&modulus) {
        return Err("an RSA modulus with the ROCA weakness (CVE-2017-15361)");
    }
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

/// An uncompressed point of full width that lies on its curve.
fn point(
    curve: &'static dyn VerificationAlgorithm,
    width: usize,
    x: &[u8],
    y: &[u8],
) -> Result<DecodingKey, &'static str> {
    if x.len() != width || y.len() != width {
        return Err("a coordinate that is not of its curve's width");
    }
    let uncompressed = [&[4], x, y].concat();
    ParsedPublicKey::new(curve, &uncompressed).map_err(|_| "a point that is not on its curve")?;
    Ok(DecodingKey::from_ec_der(&uncompressed))
}

fn edwards_key(x: &[u8]) -> Result<DecodingKey, &'static str> {
    if x.len() != 32 || ParsedPublicKey::new(&ED25519, x).is_err() {
        return Err("not an Ed25519 public key");
    }
    Ok(DecodingKey::from_ed_der(x))
}
