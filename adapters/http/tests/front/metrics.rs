//! What is measured: by route and never by path, so that nobody fills the memory with names.

use metrics_exporter_prometheus::PrometheusBuilder;

use crate::front;

/// The recorder is this thread's, and the test's runtime has no other.
#[tokio::test(flavor = "current_thread")]
async fn a_request_is_measured_under_its_route_and_never_under_its_path() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let front = front::start().await;
    for first in [
        "GET /v1/books/emma",
        "GET /v1/books/persuasion",
        "GET /v1/books/moby?secret=pa55word",
        "HEAD /v1/books/emma",
        "GET /v1/books?colour=red",
        "DELETE /v1/books",
        "GET /nothing/secret",
        "GET /v1/../secret",
        "BREW /v1/books",
        "GET /livez",
    ] {
        front.ask(first, &[]).await;
    }
    let said = recorder.handle().render();
    let count = |route: &str, method: &str, status: &str| {
        let labels = format!(
            "{{http_route=\"{route}\",http_request_method=\"{method}\",http_response_status_code=\"{status}\",url_scheme=\"http\""
        );
        let line =
            said.lines().find(|l| l.starts_with("http_server_request_duration_count") && l.contains(&labels));
        line.and_then(|l| l.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
    };
    assert_eq!(count("/v1/books/{title}", "GET", "200"), 2, "{said}");
    assert_eq!(count("/v1/books/{title}", "GET", "400"), 1, "{said}");
    assert_eq!(count("/v1/books/{title}", "HEAD", "200"), 1, "{said}");
    assert_eq!(count("/v1/books", "GET", "400"), 1, "{said}");
    for never in ["emma", "persuasion", "moby", "secret", "nothing", "BREW"] {
        assert!(!said.contains(never), "{never} in {said}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn who_is_turned_away_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let limits = florin_http::app::Limits { concurrency: 0, ..Default::default() };
    let full = front::start_with(front::Wanted { limits, ..Default::default() }).await;
    assert_eq!(full.ask("GET /v1/books", &[]).await.status, 503);
    let front = front::start().await;
    assert_eq!(front.ask("GET /v1/books", &["authorization: Bearer x"]).await.status, 401);
    let said = recorder.handle().render();
    assert!(said.contains("florin_unauthenticated{florin_code=\"token_repeated\"} 1"), "{said}");
    for status in ["401", "503"] {
        let labels = format!("http_response_status_code=\"{status}\"");
        assert!(
            said.lines().any(|l| l.starts_with("http_server_request_duration") && l.contains(&labels)),
            "{said}"
        );
    }
}
