//! The attacks on JWT verifiers that are known, each with the refusal it must meet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use florin_http::token::{MAX_TOKEN_BYTES, TokenRefusal, Verifier, insufficient_scope};
use http::{HeaderValue, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::issuer::{
    AUDIENCE, ISSUER, NOW, NOW_SECONDS, Signer, claims, encoded, jwks, verifier, verify, with,
};

/// An issuer with two keys, as one has during a rotation.
struct Target {
    edwards: Signer,
    curve: Signer,
    rsa: Signer,
    verifier: Verifier,
}

fn target() -> Target {
    let edwards = Signer::new(Algorithm::EdDSA, "ed");
    let curve = Signer::new(Algorithm::ES256, "ec");
    let rsa = Signer::new(Algorithm::RS256, "rsa");
    let verifier = verifier(&jwks(&[&edwards.jwk, &curve.jwk, &rsa.jwk]));
    Target { edwards, curve, rsa, verifier }
}

/// Checks a table of name, token and refusal, and tells of every row that differs.
async fn check(verifier: &Verifier, attacks: Vec<(String, String, TokenRefusal)>) {
    let mut wrong = Vec::new();
    for (name, token, refusal) in attacks {
        let answer = verify(verifier, &token, NOW).await;
        if answer.as_ref() != Err(&refusal) {
            wrong.push(format!("{name}: {answer:?} instead of {refusal:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn unsigned(header: &Value, signature: &str) -> String {
    format!("{}.{}.{signature}", encoded(&header.to_string()), encoded(&claims().to_string()))
}

#[tokio::test]
async fn no_spelling_of_the_algorithm_none_is_taken() {
    let Target { edwards, verifier, .. } = target();
    let mut attacks = Vec::new();
    for spelling in ["none", "None", "NONE", "nOnE", "none ", " none", "none\0", ""] {
        let header = with(edwards.header(), "alg", json!(spelling));
        for signature in ["", "AAAA", &encoded(&"0".repeat(64))] {
            let name = format!("alg {spelling:?} with signature {signature:?}");
            attacks.push((name, unsigned(&header, signature), TokenRefusal::Algorithm));
        }
    }
    let missing = with(edwards.header(), "alg", Value::Null);
    attacks.push(("no alg".to_owned(), unsigned(&missing, ""), TokenRefusal::Algorithm));
    for alg in [json!(null), json!(["EdDSA"]), json!(0), json!({ "alg": "EdDSA" })] {
        let mut header = edwards.header();
        header["alg"] = alg.clone();
        attacks.push((format!("alg {alg}"), unsigned(&header, ""), TokenRefusal::Malformed));
    }
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn the_header_never_chooses_the_algorithm() {
    let Target { edwards, curve, rsa, verifier } = target();
    let mut attacks = Vec::new();
    // The classic: the published key's bytes taken as a shared secret, in the forms attackers try.
    for (signer, member) in [(&rsa, "n"), (&edwards, "x"), (&curve, "x")] {
        let coded = signer.jwk[member].as_str().unwrap();
        for secret in [coded.as_bytes().to_vec(), signer.jwk.to_string().into_bytes(), Vec::new()] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let header = with(signer.header(), "alg", serde_json::to_value(algorithm).unwrap());
                let message = format!("{}.{}", encoded(&header.to_string()), encoded(&claims().to_string()));
                let key = EncodingKey::from_secret(&secret);
                let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
                attacks.push((
                    format!("{algorithm:?} with the public key {} of {} bytes", signer.kid(), secret.len()),
                    format!("{message}.{signature}"),
                    TokenRefusal::Algorithm,
                ));
            }
        }
    }
    // A genuine key, another algorithm of the same family.
    let ps256 = Signer::new(Algorithm::PS256, "rsa");
    attacks.push(("PS256 by an RS256 key".to_owned(), ps256.sign(&claims()), TokenRefusal::Algorithm));
    let relabelled = with(rsa.header(), "alg", json!("RS512"));
    attacks.push(("RS256 relabelled".to_owned(), rsa.sign_with_header(&relabelled), TokenRefusal::Algorithm));
    let other_kid = with(edwards.header(), "kid", json!("ec"));
    attacks.push((
        "EdDSA under the kid of ES256".to_owned(),
        edwards.sign_with_header(&other_kid),
        TokenRefusal::Algorithm,
    ));
    let unknown = with(curve.header(), "alg", json!("ES256K"));
    attacks.push((
        "an algorithm nobody here speaks".to_owned(),
        curve.sign_with_header(&unknown),
        TokenRefusal::Algorithm,
    ));
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn the_header_never_brings_its_own_key() {
    let Target { edwards, verifier, .. } = target();
    let mallory = Signer::new(Algorithm::EdDSA, "ed");
    let members = [
        ("jwk", mallory.jwk.clone()),
        ("jku", json!("https://mallory.example/jwks.json")),
        ("x5u", json!("https://mallory.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ];
    let mut attacks = Vec::new();
    for (member, value) in members {
        // Signed by mallory, and by the issuer itself: the member alone is enough.
        for signer in [&mallory, &edwards] {
            let header = with(signer.header(), member, value.clone());
            let name = format!("{member} {value}");
            attacks.push((name, signer.sign_with_header(&header), TokenRefusal::HeaderMember(member)));
        }
    }
    attacks.push((
        "a stranger's key under a known kid".to_owned(),
        mallory.sign(&claims()),
        TokenRefusal::Signature,
    ));
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn a_kid_is_only_ever_compared() {
    let Target { edwards, verifier, .. } = target();
    let kids = [
        "../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "ed' UNION SELECT 'secret' --",
        "ed\0",
        "ed ",
        "ED",
        "",
        "$(id)",
        "http://mallory.example/key",
        "Ed25519",
    ];
    let named = |kid: Value| edwards.sign_with_header(&with(edwards.header(), "kid", kid));
    let mut attacks: Vec<_> =
        kids.map(|kid| (format!("kid {kid:?}"), named(json!(kid)), TokenRefusal::Key)).into();
    attacks.push(("no kid beside several keys".to_owned(), named(Value::Null), TokenRefusal::Key));
    attacks.push(("kid as a list".to_owned(), named(json!(["ed"])), TokenRefusal::Malformed));
    attacks.push(("kid as a number".to_owned(), named(json!(0)), TokenRefusal::Malformed));
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn a_signature_is_the_keys_own_and_whole() {
    let Target { edwards, curve, rsa, verifier } = target();
    let mut attacks = Vec::new();
    for signer in [&edwards, &curve, &rsa] {
        let token = signer.sign(&claims());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let kid = signer.kid();
        let richer = encoded(&with(claims(), "scope", json!("everything")).to_string());
        let mut row = |what: &str, token: String, refusal| {
            attacks.push((format!("{kid}: {what}"), token, refusal));
        };
        row("empty signature", format!("{message}."), TokenRefusal::Signature);
        row("payload exchanged", format!("{header}.{richer}.{signature}"), TokenRefusal::Signature);
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let cut = URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() - 1]);
        row("signature cut", format!("{message}.{cut}"), TokenRefusal::Signature);
        let longer = URL_SAFE_NO_PAD.encode([bytes.as_slice(), &[0]].concat());
        row("signature lengthened", format!("{message}.{longer}"), TokenRefusal::Signature);
        // The last character carries four bits that a lenient decoder throws away.
        let last = char::from(signature.as_bytes()[signature.len() - 1] + 1);
        let respelled = format!("{message}.{}{last}", &signature[..signature.len() - 1]);
        row("the same bytes in another spelling", respelled, TokenRefusal::Malformed);
        row("no signature part", message.to_owned(), TokenRefusal::Malformed);
        row("a fourth part", format!("{token}.{signature}"), TokenRefusal::Malformed);
        row("padding", format!("{token}=="), TokenRefusal::Malformed);
        row("a space inside", format!("{header}. {payload}.{signature}"), TokenRefusal::Malformed);
        row("a token after the token", format!("{token} {token}"), TokenRefusal::Malformed);
        row("a comma and another token", format!("{token},{token}"), TokenRefusal::Malformed);
    }
    // CVE-2022-21449: r = s = 0 satisfies the equation for every message where the range is not checked.
    for (what, signature) in [
        ("r=s=0", [0u8; 64]),
        ("r=s=1", {
            let mut it = [0u8; 64];
            it[31] = 1;
            it[63] = 1;
            it
        }),
    ] {
        let message = curve.sign(&claims()).rsplit_once('.').unwrap().0.to_owned();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        attacks.push((
            format!("psychic ECDSA {what}"),
            format!("{message}.{signature}"),
            TokenRefusal::Signature,
        ));
    }
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn only_access_tokens_are_access_tokens() {
    let Target { edwards, verifier, .. } = target();
    let types = [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "id_token",
        "JOSE",
        "",
        "at+jwt ",
        "application/jwt",
        "at+jwt,JWT",
    ];
    let mut attacks: Vec<_> = types
        .map(|typ| {
            let token = edwards.sign_with_header(&with(edwards.header(), "typ", json!(typ)));
            (format!("typ {typ:?}"), token, TokenRefusal::Type)
        })
        .into();
    let list = edwards.sign_with_header(&with(edwards.header(), "typ", json!(["at+jwt"])));
    attacks.push(("typ as a list".to_owned(), list, TokenRefusal::Malformed));
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn a_token_is_for_us_by_our_issuer_and_now() {
    use TokenRefusal::{Audience, Claim, Expired, Issuer, NotYetValid};
    let Target { edwards, verifier, .. } = target();
    let rows: Vec<(&str, &str, Value, TokenRefusal)> = vec![
        ("expired", "exp", json!(NOW_SECONDS - 11), Expired),
        ("expired at the edge", "exp", json!(NOW_SECONDS - 10), Expired),
        ("no exp", "exp", Value::Null, Claim("exp")),
        ("exp as a float", "exp", json!(NOW_SECONDS as f64 + 600.5), Claim("exp")),
        ("exp as a whole float", "exp", json!(NOW_SECONDS as f64 + 600.0), Claim("exp")),
        ("exp as a string", "exp", json!((NOW_SECONDS + 600).to_string()), Claim("exp")),
        ("exp negative", "exp", json!(-1), Claim("exp")),
        ("exp true", "exp", json!(true), Claim("exp")),
        ("exp as a list", "exp", json!([NOW_SECONDS + 600]), Claim("exp")),
        ("not valid yet", "nbf", json!(NOW_SECONDS + 11), NotYetValid),
        ("nbf as a string", "nbf", json!("0"), Claim("nbf")),
        ("issued in the future", "iat", json!(NOW_SECONDS + 11), NotYetValid),
        ("iat as a float", "iat", json!(0.5), Claim("iat")),
        ("another audience", "aud", json!("https://mallory.example"), Audience),
        ("an audience that begins like ours", "aud", json!(format!("{AUDIENCE}.mallory.example")), Audience),
        ("our audience in other case", "aud", json!(AUDIENCE.to_uppercase()), Audience),
        ("no audience", "aud", Value::Null, Claim("aud")),
        ("no audience in the list", "aud", json!([]), Audience),
        ("aud with a number", "aud", json!([AUDIENCE, 1]), Claim("aud")),
        ("aud as an object", "aud", json!({ AUDIENCE: true }), Claim("aud")),
        ("another issuer", "iss", json!("https://mallory.example"), Issuer),
        ("our issuer with a slash", "iss", json!(format!("{ISSUER}/")), Issuer),
        ("no issuer", "iss", Value::Null, Claim("iss")),
        ("issuer as a list", "iss", json!([ISSUER]), Claim("iss")),
        ("no subject", "sub", Value::Null, Claim("sub")),
        ("empty subject", "sub", json!(""), Claim("sub")),
        ("subject as a number", "sub", json!(1), Claim("sub")),
        ("subject with a line break", "sub", json!("a\nb"), Claim("sub")),
        ("endless subject", "sub", json!("a".repeat(256)), Claim("sub")),
        ("the system's own name as subject", "sub", json!("florin"), Claim("sub")),
        ("who comes in by a public door as subject", "sub", json!("public"), Claim("sub")),
        ("the system's own name as client", "client_id", json!("florin"), Claim("client_id")),
        ("client as a number", "client_id", json!(1), Claim("client_id")),
        ("no tenant", "tenant", Value::Null, Claim("tenant")),
        ("empty tenant", "tenant", json!(""), Claim("tenant")),
        ("tenant with a quote", "tenant", json!("acme'; --"), Claim("tenant")),
        ("tenant of a path", "tenant", json!("../acme"), Claim("tenant")),
        ("two tenants", "tenant", json!(["acme", "globex"]), Claim("tenant")),
        ("scope as a list", "scope", json!(["payments:read"]), Claim("scope")),
        ("scp as an object", "scp", json!({}), Claim("scp")),
        ("scp with a number", "scp", json!([1]), Claim("scp")),
    ];
    let attacks = rows
        .into_iter()
        .map(|(name, claim, value, refusal)| {
            // `scp` is read where there is no `scope`.
            let base = if claim == "scp" { with(claims(), "scope", Value::Null) } else { claims() };
            (name.to_owned(), edwards.sign(&with(base, claim, value)), refusal)
        })
        .collect();
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn json_that_two_readers_would_read_differently_is_refused() {
    let Target { edwards, verifier, .. } = target();
    let header = edwards.header().to_string();
    let good = claims().to_string();
    let more = |text: &str, member: &str| format!("{},{member}}}", text.strip_suffix('}').unwrap());
    let rows = [
        ("tenant twice", header.clone(), more(&good, r#""tenant":"globex""#)),
        ("sub twice, same value", header.clone(), more(&good, r#""sub":"user-1""#)),
        ("exp twice, once escaped", header.clone(), more(&good, r#""\u0065xp":9999999999"#)),
        ("twice, deep inside", header.clone(), more(&good, r#""act":{"sub":"a","sub":"b"}"#)),
        ("alg twice", more(&header, r#""alg":"none""#), good.clone()),
        ("kid twice", more(&header, r#""kid":"ec""#), good.clone()),
        ("claims in an array", header.clone(), format!("[{good}]")),
        ("something after the claims", header.clone(), format!("{good}{{}}")),
        ("a byte order mark", header.clone(), format!("\u{feff}{good}")),
        ("no claims at all", header.clone(), String::new()),
        ("header in an array", format!("[{header}]"), good.clone()),
        (
            "nested beyond reason",
            header,
            more(&good, &format!(r#""a":{}{}"#, "[".repeat(2_000), "]".repeat(2_000))),
        ),
    ];
    let attacks = rows
        .into_iter()
        .map(|(name, header, claims)| {
            (name.to_owned(), edwards.sign_texts(&header, &claims), TokenRefusal::Malformed)
        })
        .collect();
    check(&verifier, attacks).await;
}

#[tokio::test]
async fn an_endless_token_is_not_looked_at() {
    let Target { edwards, verifier, .. } = target();
    let of_length = |length: usize| {
        let empty = edwards.sign(&with(claims(), "pad", json!(""))).len();
        // Base64 writes three bytes as four.
        let pad = (length - empty) / 4 * 3;
        edwards.sign(&with(claims(), "pad", json!("p".repeat(pad))))
    };
    let (fits, too_long) = (of_length(MAX_TOKEN_BYTES - 4), of_length(MAX_TOKEN_BYTES + 8));
    assert!(fits.len() <= MAX_TOKEN_BYTES && too_long.len() > MAX_TOKEN_BYTES);
    assert!(verify(&verifier, &fits, NOW).await.is_ok());
    check(&verifier, vec![("oversized".to_owned(), too_long, TokenRefusal::TooLong)]).await;
}

#[tokio::test]
async fn what_is_no_bearer_token_is_told_so() {
    let Target { edwards, verifier, .. } = target();
    let token = edwards.sign(&claims());
    let rows = [
        ("Basic dXNlcjpwYXNz".to_owned(), TokenRefusal::OtherScheme),
        (format!("DPoP {token}"), TokenRefusal::OtherScheme),
        (format!("Token {token}"), TokenRefusal::OtherScheme),
        (token.clone(), TokenRefusal::OtherScheme),
        (format!("Bearer{token}"), TokenRefusal::OtherScheme),
        (format!("Bearer\t{token}"), TokenRefusal::OtherScheme),
        (format!("Bearer:{token}"), TokenRefusal::OtherScheme),
        (String::new(), TokenRefusal::OtherScheme),
        ("Bearer".to_owned(), TokenRefusal::Malformed),
        ("Bearer ".to_owned(), TokenRefusal::Malformed),
        ("Bearer ..".to_owned(), TokenRefusal::Malformed),
        (format!("Bearer \t{token}"), TokenRefusal::Malformed),
        (format!("Bearer {token} "), TokenRefusal::Malformed),
        (format!("Bearer \"{token}\""), TokenRefusal::Malformed),
    ];
    for (value, refusal) in rows {
        let field = HeaderValue::try_from(&value).unwrap();
        assert_eq!(verifier.verify(Some(&field), NOW).await, Err(refusal), "{value:?}");
    }
    let latin = HeaderValue::from_bytes(b"Bearer \xe9").unwrap();
    assert_eq!(verifier.verify(Some(&latin), NOW).await, Err(TokenRefusal::Malformed));
    assert_eq!(verifier.verify(None, NOW).await, Err(TokenRefusal::Missing));
}

#[test]
fn a_challenge_says_why_in_words_the_header_can_carry() {
    use std::time::Duration;
    let away = TokenRefusal::KeysAway { retry_after: Duration::from_secs(5) };
    assert_eq!((away.challenge(), away.status()), (None, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(away.retry_after(), Some(Duration::from_secs(5)));
    assert_eq!(TokenRefusal::Missing.challenge().unwrap(), "Bearer realm=\"florin\"");
    assert_eq!(
        TokenRefusal::Claim("exp").challenge().unwrap(),
        "Bearer realm=\"florin\", error=\"invalid_token\", \
         error_description=\"the token's claim 'exp' is missing or malformed\""
    );
    assert_eq!(
        insufficient_scope("payments:write"),
        "Bearer realm=\"florin\", error=\"insufficient_scope\", scope=\"payments:write\""
    );
    let all = [
        TokenRefusal::Repeated,
        TokenRefusal::TooLong,
        TokenRefusal::Malformed,
        TokenRefusal::HeaderMember("crit"),
        TokenRefusal::Type,
        TokenRefusal::Algorithm,
        TokenRefusal::Key,
        TokenRefusal::Signature,
        TokenRefusal::Expired,
        TokenRefusal::NotYetValid,
        TokenRefusal::Issuer,
        TokenRefusal::Audience,
        TokenRefusal::Claim("exp"),
    ];
    let mut codes = std::collections::BTreeSet::new();
    for refusal in &all {
        let words = refusal.to_string();
        assert!(words.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\')), "{words}");
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        codes.insert(refusal.code());
    }
    assert_eq!(codes.len(), all.len(), "every reason has a code of its own");
}
