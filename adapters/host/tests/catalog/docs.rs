//! `/openapi.json` and `/docs`: complete, cached rightly, and nothing of it from elsewhere.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use florin_host::services::SERVICES;
use florin_http::docs;
use florin_kernel::catalog;

use crate::browser::{open, served};
use crate::functions;

async fn documentation() -> String {
    format!("http://{}", served(docs::router(|| catalog::openapi(SERVICES))).await)
}

#[tokio::test]
async fn the_document_is_served_as_it_is() {
    let base = documentation().await;
    let response = reqwest::get(format!("{base}/openapi.json")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.json::<serde_json::Value>().await.unwrap(), catalog::openapi(SERVICES));
}

#[tokio::test]
async fn every_asset_of_the_page_is_served_under_a_strict_policy() {
    let base = documentation().await;
    let page = reqwest::get(format!("{base}/docs")).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(!page.contains("://"), "the page names another server");
    let addresses: Vec<&str> = page
        .split("href=\"")
        .chain(page.split("src=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let addresses: Vec<_> = addresses.into_iter().filter(|a| a.starts_with("docs/")).collect();
    assert_eq!(addresses.len(), 4, "{addresses:?}");
    for address in addresses {
        let asset = reqwest::get(format!("{base}/{address}")).await.unwrap();
        assert_eq!(asset.status(), StatusCode::OK, "{address}");
        assert!(asset.headers().contains_key("etag"), "{address}");
        assert_eq!(asset.headers()["cache-control"], "no-cache", "{address}");
    }
}

#[tokio::test]
async fn another_method_is_a_problem_as_everywhere() {
    let base = documentation().await;
    for path in ["/", "/docs", "/docs/", "/docs/start.js", "/openapi.json"] {
        let response = reqwest::Client::new().post(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(response.headers()["allow"], "GET,HEAD", "{path}");
    }
}

#[tokio::test]
async fn what_the_browser_holds_is_not_sent_again() {
    let base = documentation().await;
    let client = reqwest::Client::new();
    for path in ["/docs", "/docs/swagger-ui-bundle.js", "/openapi.json"] {
        let address = format!("{base}{path}");
        let tag = client.get(&address).send().await.unwrap().headers()["etag"].clone();
        let again = client.get(&address).header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        let other = client.get(&address).header("if-none-match", "\"other\"").send().await.unwrap();
        assert_eq!(other.status(), StatusCode::OK, "{path}");
    }
    let slash = reqwest::get(format!("{base}/docs/")).await.unwrap();
    assert_eq!((slash.status(), slash.url().path()), (StatusCode::OK, "/docs"));
}

#[tokio::test]
async fn the_script_is_the_one_that_was_packed() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use florin_servers::Part;

    let Some(python) = Part::Python.needed() else { return };
    let base = documentation().await;
    let script = reqwest::get(format!("{base}/docs/swagger-ui-bundle.js")).await.unwrap();
    assert_eq!(script.headers()["content-encoding"], "gzip");
    let framed = script.bytes().await.unwrap();
    // gzip checks the checksum and the length that the frame carries.
    let program = "import gzip, sys; text = gzip.decompress(sys.stdin.buffer.read()); print(len(text), b'SwaggerUIBundle' in text)";
    let mut unpacking = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    unpacking.stdin.take().unwrap().write_all(&framed).unwrap();
    let unpacked = unpacking.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&unpacked.stdout), "1526593 True\n");
}

#[tokio::test]
async fn the_page_shows_every_operation_and_asks_nobody_else() {
    let base = documentation().await;
    let Some(shown) = open(&format!("{base}/docs")).await else { return };
    for function in functions().filter(|function| function.door().is_some()) {
        assert!(shown.dom.contains(function.name), "{} is not on the page", function.name);
    }
    assert!(shown.dom.contains("Capture an authorized payment, in whole or in part"));
    assert_eq!(shown.console, Vec::<String>::new());
    assert_eq!(shown.beyond, Vec::<String>::new(), "requests left the machine");
}

#[tokio::test]
async fn a_page_that_asks_somebody_else_is_found_out() {
    let page = "<!doctype html><img src=\"http://pictures.example/x.png\">\
        <script>fetch('https://tracker.example/'); console.error('something is wrong')</script>";
    let base = served(Router::new().route("/docs", get(move || async move { Html(page) }))).await;
    let Some(shown) = open(&format!("http://{base}/docs")).await else { return };
    for name in ["pictures.example", "tracker.example"] {
        assert!(shown.beyond.iter().any(|line| line.contains(name)), "{name} is not in {:?}", shown.beyond);
    }
    assert!(shown.console.iter().any(|line| line.contains("something is wrong")), "{:?}", shown.console);
}
