//! Doors that take or give something else than JSON, over a real socket.

use florin_testkit::porch::{CLIENT, FILE};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::front::{self, Front};

fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn at(front: &Front, path: &str) -> String {
    format!("http://{}{path}", front.address)
}

fn said<'a>(answer: &'a Response, name: &str) -> Vec<&'a str> {
    answer.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

async fn sent(request: RequestBuilder) -> (Response, Value) {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let mut kept = http::Response::new(bytes);
    (*kept.status_mut(), *kept.headers_mut()) = (status, headers);
    (kept.into(), body)
}

#[tokio::test]
async fn a_form_fills_the_request_as_json_does_and_its_refusals_are_oauths() {
    let front = front::start().await;
    let post = |form: &str| {
        let form = form.to_owned();
        let asked = client().post(at(&front, "/porch/anna/tokens")).header("authorization", CLIENT);
        asked.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8").body(form)
    };
    let good = "grant_type=authorization_code&code=good+%26+new&lifetime=90";
    let (answer, body) = sent(post(good)).await;
    assert_eq!(answer.status(), 200, "{body}");
    assert_eq!(body, json!({ "access_token": "token", "token_type": "Bearer", "expires_in": 90 }));
    assert_eq!(said(&answer, "cache-control"), ["no-store"]);
    for (form, error) in [
        ("grant_type=authorization_code&code=stale", "invalid_grant"),
        ("grant_type=authorization_code", "invalid_request"),
        ("grant_type=a&code=b&code=c", "invalid_request"),
        ("grant_type=a&code=b&colour=c", "invalid_request"),
        ("grant_type=a&code=b&lifetime=long", "invalid_request"),
        ("grant_type=a&code=b&authorization=Basic+x", "invalid_request"),
        ("grant_type=a&code=b&tenant=bert", "invalid_request"),
    ] {
        let (answer, body) = sent(post(form)).await;
        assert_eq!((answer.status().as_u16(), &body["error"]), (400, &json!(error)), "{form}: {body}");
        assert_eq!(said(&answer, "content-type"), ["application/json"], "{form}");
        assert_eq!(body.as_object().unwrap().len(), 2, "{form}: {body}");
        assert!(said(&answer, "www-authenticate").is_empty(), "{form}");
    }
    // A second media type is appended; whoever reads the first alone would take it.
    let (answer, body) = sent(post(good).header("content-type", "application/json")).await;
    assert_eq!((answer.status().as_u16(), &body["error"]), (400, &json!("invalid_request")), "{body}");
    let (answer, body) = sent(post(&"x".repeat(300_000))).await;
    assert_eq!((answer.status().as_u16(), &body["error"]), (413, &json!("invalid_request")), "{body}");
}

#[tokio::test]
async fn a_client_that_is_not_known_is_told_how_a_client_comes_in() {
    let front = front::start().await;
    let form = "grant_type=authorization_code&code=good+%26+new";
    let asked = client().post(at(&front, "/porch/anna/tokens"));
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form);
    let (answer, body) = sent(asked).await;
    assert_eq!((answer.status().as_u16(), &body["error"]), (401, &json!("invalid_client")), "{body}");
    assert_eq!(body["error_description"], "there is no 'such' client");
    assert_eq!(said(&answer, "www-authenticate"), ["Basic realm=\"florin\""]);
}

#[tokio::test]
async fn a_bearer_at_a_door_of_oauth_is_refused_in_its_words() {
    let front = front::start().await;
    let see = |token: &str| client().get(at(&front, "/porch/token")).bearer_auth(token);
    let other = front.suite.client_with("anna", "tom", &["porch:use"]);
    let (answer, body) = sent(see(other.token().unwrap())).await;
    assert_eq!((answer.status().as_u16(), &body["error"]), (403, &json!("insufficient_scope")), "{body}");
    assert_eq!(
        said(&answer, "www-authenticate"),
        ["Bearer realm=\"florin\", error=\"insufficient_scope\", scope=\"porch:see\""]
    );
    let (answer, body) = sent(see("stale")).await;
    assert_eq!((answer.status().as_u16(), &body["error"]), (401, &json!("invalid_token")), "{body}");
    assert!(said(&answer, "www-authenticate")[0].contains("error=\"invalid_token\""), "{answer:?}");
    let (answer, body) = sent(see(front.suite.client("anna").token().unwrap())).await;
    assert_eq!((answer.status().as_u16(), body), (200, json!("tester")));
}

#[tokio::test]
async fn signed_bytes_reach_the_room_as_they_were_sent() {
    let front = front::start().await;
    let letter = [0xff, 0x00, b'{', b'\r', b'\n'];
    let post = |seal: &[&'static str]| {
        let asked = client().post(at(&front, "/porch/anna/letters")).body(letter.to_vec());
        seal.iter().fold(asked, |asked, seal| asked.header("x-seal", *seal))
    };
    let (answer, body) = sent(post(&["/wB7DQo="])).await;
    assert_eq!((answer.status().as_u16(), body), (200, json!("/wB7DQo=")));
    let (answer, body) = sent(post(&["another"])).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (400, &json!("seal_broken")), "{body}");
    for seals in [&[][..], &["/wB7DQo=", "/wB7DQo="][..]] {
        let (answer, body) = sent(post(seals)).await;
        assert_eq!((answer.status().as_u16(), &body["code"]), (400, &json!("invalid_request")), "{body}");
        assert!(body["detail"].as_str().unwrap().starts_with("x-seal: "), "{body}");
    }
    // A key belongs to no stranger: under another's, with another's body, the seal is looked at all the same.
    let keyed = |seal: &'static str| post(&[seal]).header("idempotency-key", "k");
    assert_eq!(sent(keyed("/wB7DQo=")).await.0.status(), 200);
    let (answer, body) = sent(keyed("another")).await;
    assert_eq!((answer.status().as_u16(), &body["code"]), (422, &json!("idempotency_key_reused")), "{body}");
    // What is not signed says nothing in the place of what is.
    let smuggled = client().post(at(&front, "/porch/anna/letters?signature=aaaa")).body("x");
    assert_eq!(sent(smuggled).await.0.status(), 400);
}

#[tokio::test]
async fn a_page_reads_a_cookie_and_sets_one() {
    let front = front::start().await;
    let page = |cookies: &[&str]| {
        let asked = client().get(at(&front, "/porch/anna"));
        cookies.iter().fold(asked, |asked, cookie| asked.header("cookie", *cookie))
    };
    for (cookies, next) in [
        (&[][..], "visits=1"),
        (&["visits=4"][..], "visits=5"),
        (&["theme=dark; visits=4;other=x"][..], "visits=5"),
        (&["theme=\u{fc}", "visits=4"][..], "visits=5"),
        (&["xvisits=9; visits2=9"][..], "visits=1"),
    ] {
        let (answer, _) = sent(page(cookies)).await;
        assert_eq!(answer.status(), 200, "{cookies:?}");
        assert_eq!(said(&answer, "content-type"), ["text/html; charset=utf-8"]);
        let rest = "; Path=/porch; Max-Age=60; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(said(&answer, "set-cookie"), [format!("{next}{rest}")], "{cookies:?}");
    }
    for cookies in [&["visits=1; visits=2"][..], &["visits=many"][..]] {
        let (answer, body) = sent(page(cookies)).await;
        assert_eq!(
            (answer.status().as_u16(), &body["code"]),
            (400, &json!("invalid_request")),
            "{cookies:?}"
        );
        assert_eq!(body["errors"][0]["parameter"], "visits", "{cookies:?}");
    }
    let in_the_query = client().get(at(&front, "/porch/anna?visits=7"));
    assert_eq!(sent(in_the_query).await.0.status(), 400, "a cookie's field is filled by the cookie alone");
}

#[tokio::test]
async fn a_file_has_a_media_type_of_its_own_and_a_redirect_goes_where_it_says() {
    let front = front::start().await;
    let anna = front.suite.client("anna");
    let get = |path: &str| client().get(at(&front, path)).bearer_auth(anna.token().unwrap());
    let answer = get("/porch/files/plan.bin").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(said(&answer, "content-type"), ["application/x-porch"]);
    assert_eq!(said(&answer, "content-disposition"), ["attachment; filename=\"plan.bin\""]);
    assert_eq!(answer.bytes().await.unwrap(), FILE);
    let (answer, _) = sent(get("/porch/paths?to=roses")).await;
    assert_eq!(
        (answer.status().as_u16(), said(&answer, "location")),
        (303, vec!["https://garden.example/roses"])
    );
}

#[tokio::test]
async fn a_header_field_that_the_door_names_is_needed_and_typed_and_stands_nowhere_else() {
    let front = front::start().await;
    let anna = front.suite.client("anna");
    let hang = |seen: &[&str], body: Value| {
        let asked = client().post(at(&front, "/porch/coats")).bearer_auth(anna.token().unwrap()).json(&body);
        seen.iter().fold(asked, |asked, seen| asked.header("if-match", *seen))
    };
    let (answer, body) = sent(hang(&["7"], json!({ "colour": "red" }))).await;
    assert_eq!((answer.status().as_u16(), &body), (200, &json!("red")), "{body}");
    assert_eq!((said(&answer, "etag"), said(&answer, "set-cookie").len()), (vec!["8"], 2));
    for seen in [&[][..], &["seven"][..], &["7", "7"][..], &["-1"][..]] {
        let (answer, body) = sent(hang(seen, json!({ "colour": "red" }))).await;
        assert_eq!((answer.status().as_u16(), &body["code"]), (400, &json!("invalid_request")), "{seen:?}");
        assert_eq!(body["errors"][0]["parameter"], "if-match", "{seen:?}: {body}");
    }
    for body in [json!({ "colour": "red", "seen": 9 })] {
        let (answer, body) = sent(hang(&["7"], body)).await;
        assert_eq!(
            (answer.status().as_u16(), &body["errors"][0]["pointer"]),
            (400, &json!("/seen")),
            "{body}"
        );
    }
    let stranger = front.suite.client_with("anna", "tom", &["porch:see"]);
    let asked = client().post(at(&front, "/porch/coats")).bearer_auth(stranger.token().unwrap());
    let (answer, _) = sent(asked.header("if-match", "7").header("if-match", "8")).await;
    assert_eq!(answer.status(), 403, "what is wrong with a request only those hear who may enter");
    for (name, value) in [("content-encoding", "br"), ("idempotency-key", "a\tb")] {
        let asked = client().post(at(&front, "/porch/coats")).bearer_auth(stranger.token().unwrap());
        let (answer, body) = sent(asked.header("if-match", "7").header(name, value)).await;
        assert_eq!((answer.status().as_u16(), &body["code"]), (403, &json!("forbidden")), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_header_field_that_the_door_does_not_name_or_that_holds_a_line_break_is_a_fault() {
    let front = front::start().await;
    let anna = front.suite.client("anna");
    for colour in ["invisible", "smuggled"] {
        let asked = client().post(at(&front, "/porch/coats")).bearer_auth(anna.token().unwrap());
        let (answer, body) = sent(asked.header("if-match", "7").json(&json!({ "colour": colour }))).await;
        assert_eq!((answer.status().as_u16(), &body["code"]), (500, &json!("internal")), "{colour}");
        assert!(said(&answer, "set-cookie").is_empty(), "{colour}");
    }
}
