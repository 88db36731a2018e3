//! Tokens: each known attack on those who verify them, and tokens that are good for somebody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Answer::{Problem, Taken};
use super::Case;
use crate::forge::{Forge, claims, header, message, now, sign_with_secret, with};
use crate::request::Request;
use crate::stage::Stage;

pub(super) fn cases(stage: &Stage) -> Vec<Case> {
    let refusals = refused(&stage.issuer).into_iter();
    let mut cases: Vec<Case> = refusals
        .map(|Refused { name, token, code }| {
            Case::new(name, Request::get("/v1/payments?limit=1").bearing(&token), Problem(401, code))
        })
        .collect();
    cases.extend(elsewhere(&stage.issuer));
    cases
}

/// A token that nobody takes, at any door.
pub(crate) struct Refused {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) code: &'static str,
}

/// The attacks.
pub(crate) fn refused(issuer: &Forge) -> Vec<Refused> {
    let mut all = Vec::new();
    let mut add = |name: &str, token: String, code: &'static str| {
        all.push(Refused { name: name.to_owned(), token, code });
    };
    let mallory = Forge::new();
    for spelling in ["none", "None", "NONE", "nOnE"] {
        let header = with(header(), "alg", json!(spelling)).to_string();
        let unsigned = format!("{}.", message(&header, &claims().to_string()));
        add(&format!("alg {spelling}"), unsigned, "token_algorithm_refused");
    }
    let confused = with(header(), "alg", json!("HS256"));
    for (what, secret) in [
        ("bytes", issuer.public().to_vec()),
        ("base64url", URL_SAFE_NO_PAD.encode(issuer.public()).into_bytes()),
        ("JWK", issuer.jwk().to_string().into_bytes()),
        ("key set", issuer.jwks().into_bytes()),
    ] {
        let token = sign_with_secret(&secret, &confused, &claims());
        add(&format!("the public key's {what} as a secret"), token, "token_algorithm_refused");
    }
    for (member, value) in [
        ("jwk", mallory.jwk()),
        ("jku", json!("https://mallory.example/jwks.json")),
        ("x5u", json!("https://mallory.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        let header = with(header(), member, value);
        add(&format!("{member} by mallory"), mallory.sign(&header, &claims()), "token_header_refused");
        add(&format!("{member} by the issuer"), issuer.sign(&header, &claims()), "token_header_refused");
    }
    for (name, member, value, code) in [
        ("another type", "typ", json!("dpop+jwt"), "token_type_refused"),
        ("an identity token", "typ", json!("id_token"), "token_type_refused"),
        ("a kid of a file", "kid", json!("../../../dev/null"), "token_key_unknown"),
        ("a kid of SQL", "kid", json!("x' UNION SELECT 'secret' --"), "token_key_unknown"),
        ("another algorithm", "alg", json!("RS256"), "token_algorithm_refused"),
    ] {
        add(name, issuer.sign(&with(header(), member, value), &claims()), code);
    }
    add("mallory under the issuer's kid", mallory.sign(&header(), &claims()), "token_signature_invalid");
    for (name, claim, value, code) in [
        ("expired", "exp", json!(now() - 60), "token_expired"),
        ("no end", "exp", Value::Null, "token_claim_refused"),
        ("an end beyond 64 bits", "exp", json!(1e300), "token_claim_refused"),
        ("not valid yet", "nbf", json!(now() + 60), "token_not_yet_valid"),
        ("issued ahead", "iat", json!(now() + 60), "token_not_yet_valid"),
        ("another audience", "aud", json!("elsewhere"), "token_audience_refused"),
        ("no audience", "aud", Value::Null, "token_claim_refused"),
        ("another issuer", "iss", json!("https://mallory.example"), "token_issuer_refused"),
    ] {
        add(name, issuer.sign(&header(), &with(claims(), claim, value)), code);
    }
    let twice = claims().to_string().replacen('{', r#"{"aud":"florin","#, 1);
    add("two audiences by one name", issuer.sign_texts(&header().to_string(), &twice), "token_malformed");
    let good = issuer.token("acme");
    let (head, _) = good.rsplit_once('.').expect("three parts");
    for (name, token) in [
        ("no signature", head.to_owned()),
        ("a fourth part", format!("{good}.x")),
        ("padding", format!("{good}==")),
        ("bad base64", good.replacen('.', "!.", 1)),
        ("standard base64", format!("{head}.+/+/")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ] {
        add(name, token, "token_malformed");
    }
    add("an empty signature", format!("{head}."), "token_signature_invalid");
    let long = with(claims(), "pad", json!("p".repeat(16_000)));
    add("20 kB", issuer.sign(&header(), &long), "token_too_long");
    all
}

/// Tokens that are good, and not for this.
fn elsewhere(issuer: &Forge) -> Vec<Case> {
    let strangers_payment = "/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3";
    let with_claim = |claim: &str, value: Value| issuer.sign(&header(), &with(claims(), claim, value));
    let list = || Request::get("/v1/payments?limit=1");
    vec![
        Case::new(
            "no tenant",
            list().bearing(&with_claim("tenant", Value::Null)),
            Problem(401, "token_claim_refused"),
        ),
        Case::new(
            "a tenant of SQL",
            list().bearing(&with_claim("tenant", json!("acme' OR '1'='1"))),
            Problem(401, "token_claim_refused"),
        ),
        Case::new(
            "too few scopes",
            Request::pay("{}").bearing(&with_claim("scope", json!("payments:read"))),
            Problem(403, "forbidden"),
        ),
        Case::new(
            "another tenant",
            Request::get(strangers_payment).bearing(&issuer.token("other")),
            Problem(404, "payment_not_found"),
        ),
        Case::new("a password", list().authorized(&["Basic YTpi"]), Problem(401, "token_scheme_not_bearer")),
        Case::new("an empty field", list().authorized(&[""]), Problem(401, "token_scheme_not_bearer")),
        Case::new("no token", list().anonymous(), Problem(401, "token_missing")),
        Case::new("another tenant's list", list().bearing(&issuer.token("other")), Taken(200)),
    ]
}
