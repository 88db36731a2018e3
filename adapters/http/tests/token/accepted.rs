//! What is taken, and the caller it names.

use std::collections::BTreeSet;
use std::time::Duration;

use florin_http::token::{
    KeySet, KeySetError, KeySource, TokenRefusal, TokenRulesError, TokenTypes, Verifier,
};
use florin_kernel::caller::Caller;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::issuer::{NOW, Signer, claims, encoded, jwks, rules, verifier, verify, with};

const EVERY_ALGORITHM: [Algorithm; 9] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

fn expected() -> Caller {
    Caller {
        subject: "user-1".to_owned(),
        client: "shop".to_owned(),
        tenant: "acme".parse().unwrap(),
        scopes: BTreeSet::from(["payments:read".to_owned(), "payments:write".to_owned()]),
    }
}

#[tokio::test]
async fn every_supported_algorithm_names_the_caller() {
    for algorithm in EVERY_ALGORITHM {
        let signer = Signer::new(algorithm, "one");
        let verifier = verifier(&jwks(&[&signer.jwk]));
        let caller = verify(&verifier, &signer.sign(&claims()), NOW).await;
        assert_eq!(caller, Ok(expected()), "{algorithm:?}");
    }
}

#[tokio::test]
async fn a_configured_secret_verifies_hs256() {
    let secret = [7u8; 32];
    let message = format!("{}.{}", encoded(r#"{"alg":"HS256"}"#), encoded(&claims().to_string()));
    let key = EncodingKey::from_secret(&secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    let rules = rules(KeySource::Static(KeySet::secret(&secret).unwrap()));
    let caller = verify(&Verifier::new(rules).unwrap(), &format!("{message}.{signature}"), NOW).await;
    assert_eq!(caller, Ok(expected()));
    assert!(matches!(KeySet::secret(&secret[1..]), Err(KeySetError::NoneUsable(_))));
}

#[tokio::test]
async fn a_key_without_alg_is_pinned_by_its_kind() {
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES384, Algorithm::RS256] {
        let signer = Signer::new(algorithm, "one");
        let verifier = verifier(&jwks(&[&with(signer.jwk.clone(), "alg", Value::Null)]));
        assert_eq!(verify(&verifier, &signer.sign(&claims()), NOW).await, Ok(expected()), "{algorithm:?}");
    }
    // RS256 is the only one such an RSA key is for.
    let signer = Signer::new(Algorithm::PS256, "one");
    let verifier = verifier(&jwks(&[&with(signer.jwk.clone(), "alg", Value::Null)]));
    assert_eq!(verify(&verifier, &signer.sign(&claims()), NOW).await, Err(TokenRefusal::Algorithm));
}

#[tokio::test]
async fn ed25519_is_another_name_of_eddsa() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let verifier = verifier(&jwks(&[&with(signer.jwk.clone(), "alg", json!("Ed25519"))]));
    let token = signer.sign_with_header(&with(signer.header(), "alg", json!("Ed25519")));
    assert_eq!(verify(&verifier, &token, NOW).await, Ok(expected()));
}

#[tokio::test]
async fn the_scheme_is_case_insensitive_and_may_be_followed_by_spaces() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let verifier = verifier(&jwks(&[&signer.jwk]));
    let token = signer.sign(&claims());
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer  "] {
        let value = HeaderValue::try_from(format!("{scheme}{token}")).unwrap();
        assert_eq!(verifier.verify(Some(&value), NOW).await, Ok(expected()), "{scheme:?}");
    }
}

#[tokio::test]
async fn only_one_authorization_field_may_be_sent() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let verifier = verifier(&jwks(&[&signer.jwk]));
    let value = HeaderValue::try_from(format!("Bearer {}", signer.sign(&claims()))).unwrap();
    let mut headers = HeaderMap::new();
    assert_eq!(verifier.caller(&headers, NOW).await, Err(TokenRefusal::Missing));
    headers.append(AUTHORIZATION, value.clone());
    assert_eq!(verifier.caller(&headers, NOW).await, Ok(expected()));
    headers.append(AUTHORIZATION, value);
    assert_eq!(verifier.caller(&headers, NOW).await, Err(TokenRefusal::Repeated));
}

#[tokio::test]
async fn the_forms_that_issuers_give_their_claims_are_understood() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let verifier = verifier(&jwks(&[&signer.jwk]));
    let without_client = with(claims(), "client_id", Value::Null);
    let without_scope = with(claims(), "scope", Value::Null);
    let none = BTreeSet::new();
    let same: [(&str, Value, Caller); 9] = [
        ("aud as an array", with(claims(), "aud", json!(["x", crate::issuer::AUDIENCE])), expected()),
        ("our second audience", with(claims(), "aud", json!("https://other.example")), expected()),
        (
            "scp as an array",
            with(without_scope.clone(), "scp", json!(["payments:read", "payments:write"])),
            expected(),
        ),
        (
            "scp as a string",
            with(without_scope.clone(), "scp", json!("payments:read payments:write")),
            expected(),
        ),
        ("no scope at all", without_scope, Caller { scopes: none, ..expected() }),
        ("azp for client_id", with(without_client.clone(), "azp", json!("shop")), expected()),
        ("neither: the subject", without_client, Caller { client: "user-1".to_owned(), ..expected() }),
        ("no nbf", with(claims(), "nbf", Value::Null), expected()),
        ("no iat", with(claims(), "iat", Value::Null), expected()),
    ];
    for (name, claims, caller) in same {
        assert_eq!(verify(&verifier, &signer.sign(&claims), NOW).await, Ok(caller), "{name}");
    }
}

#[tokio::test]
async fn the_leeway_ends_to_the_microsecond() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let verifier = verifier(&jwks(&[&signer.jwk]));
    let token = signer.sign(&claims());
    let expires = NOW.plus(Duration::from_secs(600 + 10));
    assert_eq!(verify(&verifier, &token, expires.minus(Duration::from_micros(1))).await, Ok(expected()));
    assert_eq!(verify(&verifier, &token, expires).await, Err(TokenRefusal::Expired));
    let starts = NOW.minus(Duration::from_secs(60 + 10));
    assert_eq!(verify(&verifier, &token, starts).await, Ok(expected()));
    assert_eq!(
        verify(&verifier, &token, starts.minus(Duration::from_micros(1))).await,
        Err(TokenRefusal::NotYetValid)
    );
}

#[tokio::test]
async fn an_issuer_of_other_tokens_can_be_held_to_at_jwt() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let set = jwks(&[&signer.jwk]);
    let mut strict = rules(KeySource::Static(KeySet::parse(&set).unwrap()));
    strict.types = TokenTypes::AccessTokenOnly;
    let (strict, lenient) = (Verifier::new(strict).unwrap(), verifier(&set));
    let cases = [
        (json!("at+jwt"), true),
        (json!("AT+JWT"), true),
        (json!("application/at+jwt"), true),
        (json!("JWT"), false),
        (json!("jwt"), false),
        (Value::Null, false),
    ];
    for (typ, access_token) in cases {
        let token = signer.sign_with_header(&with(signer.header(), "typ", typ.clone()));
        assert_eq!(verify(&lenient, &token, NOW).await, Ok(expected()), "{typ}");
        let wanted = if access_token { Ok(expected()) } else { Err(TokenRefusal::Type) };
        assert_eq!(verify(&strict, &token, NOW).await, wanted, "{typ}");
    }
}

#[tokio::test]
async fn several_keys_are_told_apart_by_kid_and_a_lone_one_needs_none() {
    let (one, two) = (Signer::new(Algorithm::EdDSA, "one"), Signer::new(Algorithm::EdDSA, "two"));
    let nameless = two.sign_with_header(&with(two.header(), "kid", Value::Null));
    let both = verifier(&jwks(&[&one.jwk, &two.jwk]));
    assert_eq!(verify(&both, &two.sign(&claims()), NOW).await, Ok(expected()));
    assert_eq!(verify(&both, &nameless, NOW).await, Err(TokenRefusal::Key));
    let lone = verifier(&jwks(&[&two.jwk]));
    assert_eq!(verify(&lone, &nameless, NOW).await, Ok(expected()));
    let lone_without_name = verifier(&jwks(&[&with(two.jwk.clone(), "kid", Value::Null)]));
    assert_eq!(verify(&lone_without_name, &two.sign(&claims()), NOW).await, Ok(expected()));
}

#[test]
fn a_key_set_is_read_without_guessing() {
    let one = Signer::new(Algorithm::EdDSA, "one");
    let again = Signer::new(Algorithm::ES256, "one");
    let unusable = |jwk: Value| match KeySet::parse(&jwks(&[&jwk])) {
        Err(KeySetError::NoneUsable(ignored)) => ignored[0].reason,
        other => panic!("{jwk} was read: {other:?}"),
    };
    assert_eq!(unusable(with(one.jwk.clone(), "use", json!("enc"))), "its use is not sig");
    assert_eq!(
        unusable(with(one.jwk.clone(), "key_ops", json!(["sign"]))),
        "its key_ops do not contain verify"
    );
    assert_eq!(
        unusable(with(one.jwk.clone(), "alg", json!("ES256"))),
        "its alg does not fit its kty and crv"
    );
    assert_eq!(unusable(with(one.jwk.clone(), "crv", json!("Ed448"))), "its kty and crv are not supported");
    assert_eq!(
        unusable(with(one.jwk.clone(), "d", json!("AA"))),
        "it is a private key: whoever reads this set can sign with it"
    );
    let secret = json!({ "kty": "oct", "k": encoded(&"k".repeat(32)), "alg": "HS256" });
    assert_eq!(unusable(secret.clone()), "a secret does not belong in a set of public keys");
    assert_eq!(KeySet::parse_secrets(&jwks(&[&secret, &one.jwk])).unwrap_err(), KeySetError::Mixed);
    assert_eq!(
        KeySet::parse(&jwks(&[&one.jwk, &again.jwk])).unwrap_err(),
        KeySetError::RepeatedKid("one".to_owned())
    );
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(KeySet::parse(text).unwrap_err(), KeySetError::NotAKeySet, "{text}");
    }
    // A key for another use beside it is no reason to turn everybody away.
    let set = KeySet::parse(&jwks(&[&one.jwk, &with(again.jwk, "use", json!("enc"))])).unwrap();
    assert_eq!(set.ignored().len(), 1);
}

#[test]
fn a_key_that_proves_nothing_is_passed_over_when_it_is_read() {
    let reason = |jwk: Value| match KeySet::parse(&jwks(&[&jwk])) {
        Err(KeySetError::NoneUsable(ignored)) => ignored[0].reason,
        other => panic!("{jwk} was read: {other:?}"),
    };
    let (rsa, curve) = (Signer::new(Algorithm::RS256, "rsa").jwk, Signer::new(Algorithm::ES256, "ec").jwk);
    // An x is 0x78: the modulus lacks one bit.
    let short = encoded(&format!("{}y", "x".repeat(255)));
    let length = "an RSA modulus of less than 2048 or more than 8192 bits";
    assert_eq!(reason(with(rsa.clone(), "n", json!(short))), length);
    assert_eq!(reason(with(rsa.clone(), "n", json!(encoded(&"y".repeat(1025))))), length);
    let exponent = "an RSA exponent that is even, 1 or longer than 32 bits";
    // 1, 65536, 2^32 + 1, nothing.
    for e in ["AQ", "AQAA", "AQAAAAE", ""] {
        assert_eq!(reason(with(rsa.clone(), "e", json!(e))), exponent, "{e}");
    }
    let elsewhere = Signer::new(Algorithm::ES256, "ec").jwk["y"].clone();
    assert_eq!(reason(with(curve.clone(), "y", elsewhere)), "a point that is not on its curve");
    let width = "a coordinate that is not of its curve's width";
    assert_eq!(reason(with(curve.clone(), "y", json!("AA"))), width);
    assert_eq!(reason(with(curve.clone(), "x", Value::Null)), "a member of the key is missing");
    assert_eq!(reason(with(curve, "x", json!("+/=="))), "a member is not base64url");
}

#[test]
fn rules_that_would_take_too_much_are_refused() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let good = || rules(KeySource::Static(KeySet::parse(&jwks(&[&signer.jwk])).unwrap()));
    assert!(Verifier::new(good()).is_ok());
    let mut it = good();
    it.issuer = String::new();
    assert!(matches!(Verifier::new(it), Err(TokenRulesError::NoIssuer)));
    for audience in [vec![], vec![String::new()]] {
        let mut it = good();
        it.audience = audience;
        assert!(matches!(Verifier::new(it), Err(TokenRulesError::NoAudience)));
    }
    let mut it = good();
    it.leeway = Duration::from_secs(31);
    assert!(matches!(Verifier::new(it), Err(TokenRulesError::Leeway)));
}

#[tokio::test]
async fn the_far_end_of_time_does_not_wrap_round() {
    let signer = Signer::new(Algorithm::EdDSA, "one");
    let verifier = verifier(&jwks(&[&signer.jwk]));
    let forever = signer.sign(&with(claims(), "exp", json!(u64::MAX)));
    assert_eq!(verify(&verifier, &forever, NOW).await, Ok(expected()));
    let never = signer.sign(&with(claims(), "nbf", json!(u64::MAX)));
    assert_eq!(verify(&verifier, &never, NOW).await, Err(TokenRefusal::NotYetValid));
    let long_ago = signer.sign(&with(claims(), "exp", json!(0)));
    assert_eq!(verify(&verifier, &long_ago, NOW).await, Err(TokenRefusal::Expired));
}
