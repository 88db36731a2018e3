//! A deployment moves to another platform while people pay: for a while there are two, on one database, each with a broker of
//! its own (infra/README.md, "Moving a function while traffic flows").

use florin_conformance::audit::{assert_at_rest, assert_recorded};
use florin_conformance::client::Client;
use florin_conformance::flow;
use florin_conformance::server::Server;
use florin_conformance::site::{Broker, Site};
use florin_kernel::metric::CONSUMED_MESSAGES;
use florin_servers::Part;
use florin_testkit::suite::Engine;

/// A free address for `/metrics`, which has a listener of its own where a broker is across the network.
fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address").to_string()
}

/// Whether a deployment took deliveries from a broker of this kind.
async fn assert_consumed(metrics: &str, system: &str) {
    let shown = Client::new(&format!("http://{metrics}"), None).get("/metrics").await.expect(200);
    let shown = String::from_utf8(shown.bytes).expect("text");
    let of = format!("{}{{messaging_system=\"{system}\"", CONSUMED_MESSAGES.prometheus());
    assert!(shown.lines().any(|line| line.starts_with(&of)), "nothing came by {system}:\n{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_deployments_on_one_database_are_one_and_either_may_go() {
    let Some(site) = Site::new(Engine::Postgres, &Broker::RabbitMq).await else { return };
    let Some(endpoint) = Part::Sqs.needed() else { return };
    let name = site.directory().file_name().and_then(|name| name.to_str()).expect("a name");
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let queue = format!("sqs://eu-central-1/{name}?endpoint={endpoint}&create=true&wait_s=1");
    let data = site.another_data_directory("moved").display().to_string();
    let (here, there) = (free_address(), free_address());

    let mut old = site.serve_with("old", &[("FLORIN_METRICS_LISTEN", &here)]).await;
    let moved = [
        ("FLORIN_QUEUE_URL", queue.as_str()),
        ("FLORIN_QUEUE_PREFIX", ""),
        ("FLORIN_DATA", &data),
        ("FLORIN_METRICS_LISTEN", &there),
    ];
    let mut new = site.serve_with("new", &moved).await;

    // Each call goes to the other one in turn, the repeated keys too.
    let at = |server: &Server, tenant: &str| site.client(server, tenant);
    let expected = flow::walk(&[at(&old, "acme"), at(&new, "acme")], &site.sandbox).await;
    assert_recorded(&site, &at(&new, "acme"), expected.clone()).await;
    assert_consumed(&here, "rabbitmq").await;
    assert_consumed(&there, "aws_sqs").await;

    old.stop().await;
    let alone = flow::walk(&[at(&new, "globex")], &site.sandbox).await;
    assert_recorded(&site, &at(&new, "globex"), alone.clone()).await;
    assert_recorded(&site, &at(&new, "acme"), expected.clone()).await;
    new.stop().await;
    assert_at_rest(&site, &site.rows("audit"), expected.len() + alone.len()).await;
}
