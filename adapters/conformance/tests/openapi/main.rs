//! Schemathesis against a running process: whatever is made up from the OpenAPI document, well formed or not, no
//! answer is a server error and none breaks what the document promises.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use florin_conformance::client::Client;
use florin_conformance::server::Server;
use florin_conformance::site::{Broker, Site};
use florin_servers::Part;
use florin_testkit::suite::Engine;
use serde_json::{Value, json};

/// What every answer is held to.
///
/// `positive_data_acceptance` is not among them: JSON Schema counts `2590.0` as an integer and this API refuses it,
/// and a reference or key that is taken is refused whatever its form.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,missing_required_header,\
    unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability,ignored_auth,\
    object_level_authorization";

/// A process, and the Python that has schemathesis.
struct Checked {
    site: Site,
    florin: Server,
    python: PathBuf,
}

impl Checked {
    async fn start(engine: Engine) -> Option<Self> {
        let python = PathBuf::from(Part::Python.needed()?);
        let site = Site::new(engine, &Broker::Embedded).await?;
        let florin = site.serve().await;
        Some(Self { site, florin, python })
    }

    /// Runs schemathesis on this document, the same requests each time.
    fn run(&self, document: &Value, more: &[&str]) -> Output {
        let path = self.site.directory().join("openapi.json");
        std::fs::write(&path, document.to_string()).expect("a scratch directory");
        let mut command = Command::new(self.python.with_file_name("schemathesis"));
        command.current_dir(self.site.directory()).args(["--no-color", "run"]).arg(&path);
        command.args(["--url", self.florin.base(), "--seed", "64", "--workers", "1", "--checks", CHECKS]);
        command.args(["--header", &format!("Authorization: Bearer {}", self.site.token("acme"))]);
        // How long it takes to make requests up says something of the machine and nothing of the answers.
        command.args(["--suppress-health-check", "all"]);
        command.args(["--continue-on-failure", "--generation-database", "none", "--request-timeout", "30"]);
        command.args(more).output().expect("schemathesis is in the same environment")
    }

    async fn document(&self) -> Value {
        Client::new(self.florin.base(), None).get("/openapi.json").await.expect(200).body
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// The levels at which a log has lines.
fn levels(log: &str) -> BTreeSet<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["log.level"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_server_error_and_none_breaks_the_contract() {
    check(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_server_error_on_postgresql_either() {
    check(Engine::Postgres).await;
}

async fn check(engine: Engine) {
    let Some(mut checked) = Checked::start(engine).await else { return };
    let document = checked.document().await;
    let output = checked.run(&document, &["--max-examples", "25"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(checked.florin.process().is_running());
    let log = checked.florin.process().log();
    assert!(!log.contains("panicked"), "{log}");
    let logged = levels(&log);
    assert!(logged.contains("info"), "a log that this does not read shows no fault: {log}");
    assert!(!logged.contains("error"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_the_contract_is_found() {
    let Some(checked) = Checked::start(Engine::Sqlite).await else { return };
    let mut document = checked.document().await;
    document["components"]["schemas"]["PaymentPage"]["properties"]["data"] = json!({ "type": "string" });
    let output =
        checked.run(&document, &["--max-examples", "5", "--include-operation-id", "payments.list_payments"]);
    let said = said(&output);
    assert!(!output.status.success() && said.contains("Response violates schema"), "{said}");
}
