//! The development key: one file, one owner, one key for all who start at once.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use florin_http::token::{DevelopmentKey, DevelopmentKeyError, KeySet, TokenRefusal, Verifier};

use crate::issuer::{NOW, verify};

fn scopes() -> BTreeSet<String> {
    BTreeSet::from(["audit:read".to_owned(), "payments:write".to_owned()])
}

#[tokio::test]
async fn a_development_token_is_good_for_its_time_and_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let key = DevelopmentKey::load_or_create(&directory.path().join("key.json")).unwrap();
    let other = DevelopmentKey::load_or_create(&directory.path().join("other.json")).unwrap();
    let tenant = "acme".parse().unwrap();
    let token = key.sign("dev", &tenant, &scopes(), Duration::from_secs(3600), NOW);
    let verifier = Verifier::new(key.rules()).unwrap();
    let caller = verify(&verifier, &token, NOW).await.unwrap();
    assert_eq!((caller.subject.as_str(), caller.client.as_str()), ("dev", "dev"));
    assert_eq!((caller.tenant, caller.scopes), (tenant, scopes()));
    let at_the_end = NOW.plus(Duration::from_secs(3600));
    assert!(verify(&verifier, &token, at_the_end.minus(Duration::from_micros(1))).await.is_ok());
    assert_eq!(verify(&verifier, &token, at_the_end).await, Err(TokenRefusal::Expired));
    let stranger = Verifier::new(other.rules()).unwrap();
    assert_eq!(verify(&stranger, &token, NOW).await, Err(TokenRefusal::Key));
}

#[test]
fn processes_that_start_at_once_share_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("development-key.json");
    let sets: BTreeSet<String> = thread::scope(|scope| {
        let starts: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| DevelopmentKey::load_or_create(&path).unwrap().jwks().to_owned()))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(sets.len(), 1);
    let left: Vec<_> = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["development-key.json"], "nothing half written stays behind");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.json");
    DevelopmentKey::load_or_create(&path).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o777] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let refused = DevelopmentKey::load_or_create(&path);
        assert!(matches!(refused, Err(DevelopmentKeyError::Exposed { .. })), "{mode:o}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
    assert!(DevelopmentKey::load_or_create(&path).is_ok());
}

#[test]
fn a_file_that_holds_something_else_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.json");
    for text in ["", "{}", "hello", r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let refused = DevelopmentKey::load_or_create(&path);
        assert!(matches!(refused, Err(DevelopmentKeyError::NotAKey { .. })), "{text:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let nowhere = directory.path().join("missing").join("key.json");
    assert!(matches!(DevelopmentKey::load_or_create(&nowhere), Err(DevelopmentKeyError::File { .. })));
}

/// RFC 8037, appendix A: the private key, its thumbprint, and a signature of it.
#[test]
fn the_key_and_the_signature_of_rfc_8037_are_understood() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.json");
    let jwk = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    std::fs::write(&path, jwk).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let key = DevelopmentKey::load_or_create(&path).unwrap();
    assert!(key.jwks().contains(r#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k""#));
    assert!(!key.jwks().contains("nWGxne"), "the private half stays where it is");
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(KeySet::parse(key.jwks()).unwrap().verify(signed).unwrap(), b"Example of Ed25519 signing");
}
