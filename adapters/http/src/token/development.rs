//! The development key: tokens for `florin token` and the first run, with no issuer at hand.
//!
//! An Ed25519 key in a file that only its owner can read. The host decides where it may be used: on a
//! loopback listener without an issuer, or when it is told to.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use florin_kernel::caller::TenantId;
use florin_kernel::time::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::json::Object;
use super::key_set::KeySet;
use super::{KeySource, TokenRules, TokenTypes};

/// `iss` of development tokens: no address, so that it can be nobody's.
const ISSUER: &str = "florin-development";
/// `aud` of development tokens.
const AUDIENCE: &str = "florin";

/// A key pair that signs tokens and verifies them.
pub struct DevelopmentKey {
    encoding: EncodingKey,
    kid: String,
    jwks: String,
}

/// The development key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentKeyError {
    /// The file could not be read or written.
    #[error("the development key {path} could not be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Group or others may read it, so they may hold tokens too.
    #[error("the development key {path} can be read by others: chmod 600 it, or delete it for a new one")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file is there and holds something else.
    #[error("{path} does not hold a development key (an Ed25519 private JWK): delete it for a new one")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

impl DevelopmentKey {
    /// Reads the key of this file, or makes one. Processes that start at once all get the same.
    ///
    /// # Errors
    /// When the file cannot be read or written, others can read it, or it holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self, DevelopmentKeyError> {
        let failed = |source| DevelopmentKeyError::File { path: path.to_owned(), source };
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create(path).map_err(failed)?;
                File::open(path).map_err(failed)?
            }
            opened => opened.map_err(failed)?,
        };
        if is_exposed(&file).map_err(failed)? {
            return Err(DevelopmentKeyError::Exposed { path: path.to_owned() });
        }
        let mut text = String::new();
        file.take(4096).read_to_string(&mut text).map_err(failed)?;
        Self::read(&text).ok_or_else(|| DevelopmentKeyError::NotAKey { path: path.to_owned() })
    }

    fn read(jwk: &str) -> Option<Self> {
        let jwk = Object::read(jwk.as_bytes())?;
        let bytes = |name| URL_SAFE_NO_PAD.decode(jwk.text(name).ok()??).ok();
        let (seed, public) = (bytes("d")?, bytes("x")?);
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).ok()?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let kid = thumbprint(&x);
        let jwks = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x
        }] });
        let encoding = EncodingKey::from_ed_der(pair.to_pkcs8v1().ok()?.as_ref());
        Some(Self { encoding, kid, jwks: jwks.to_string() })
    }

    /// A token of this subject in this tenant with these scopes, from now on for `ttl` (whole seconds).
    pub fn sign(
        &self,
        subject: &str,
        tenant: &TenantId,
        scopes: &BTreeSet<String>,
        ttl: Duration,
        now: Timestamp,
    ) -> String {
        let mut jti = [0u8; 16];
        rand::fill(&mut jti).expect("the operating system gives randomness");
        let issued = now.as_micros().div_euclid(1_000_000);
        let claims = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "client_id": subject,
            "tenant": tenant,
            "scope": scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
            "iat": issued,
            "exp": issued.saturating_add_unsigned(ttl.as_secs()),
            "jti": URL_SAFE_NO_PAD.encode(jti),
        });
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &self.encoding).expect("the key was read as an Ed25519 key")
    }

    /// The public half as a JWK Set, for another process that is to take these tokens.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The rules that take tokens of this key and nothing else.
    pub fn rules(&self) -> TokenRules {
        TokenRules {
            issuer: ISSUER.to_owned(),
            audience: vec![AUDIENCE.to_owned()],
            // Signed and verified by one clock.
            leeway: Duration::ZERO,
            types: TokenTypes::AccessTokenOnly,
            keys: KeySource::Static(KeySet::parse(&self.jwks).expect("the set was written by `read`")),
        }
    }
}

/// The name of a public key, the same wherever it is computed (RFC 7638, RFC 8037 appendix A.3).
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

/// Writes a new key beside `path` and links it there, which fails when another process was first: nobody
/// ever reads half a key, and whoever comes second reads the first one's.
fn create(path: &Path) -> io::Result<()> {
    let mut seed = [0u8; 32];
    rand::fill(&mut seed).map_err(io::Error::other)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(io::Error::other)?;
    let jwk = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": URL_SAFE_NO_PAD.encode(pair.public_key()),
        "d": URL_SAFE_NO_PAD.encode(seed),
    });
    let mut random = [0u8; 8];
    rand::fill(&mut random).map_err(io::Error::other)?;
    let beside = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(random)));
    let written = owners_file(&beside).and_then(|mut file| {
        file.write_all(format!("{jwk}\n").as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    let removed = fs::remove_file(&beside);
    written.and(removed)
}

/// A new file that was never readable by anybody else.
fn owners_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the file inherits the rights of its directory, which is the user's own.
#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}
