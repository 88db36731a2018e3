//! The scenarios of the CloudEvents conformance suite, read from its own feature files, at the guarded door.

use florin_conformance::client::{Client, Outgoing};
use florin_conformance::site::DELIVERY_SECRET;
use florin_kernel::time::Timestamp;
use florin_testkit::suite::Engine;
use http::Method;
use serde_json::Value;

use crate::data;
use crate::stage::Stage;

/// One scenario with one row of its examples filled in.
#[derive(Default)]
struct Scenario {
    name: String,
    request: String,
    attributes: Vec<(String, String)>,
    data: String,
}

/// What stands between the n-th pair of `"""`, without the indentation of its first line.
fn doc_string(text: &str, n: usize) -> String {
    let block = text.split("\"\"\"").nth(2 * n + 1).expect("a block of text").trim_start_matches('\n');
    let indent = block.len() - block.trim_start_matches(' ').len();
    let lines = block.lines().map(|line| line.get(indent..).unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The rows of the table that follows this line, without its head.
fn table(text: &str, after: &str) -> Vec<Vec<String>> {
    let (_, rows) = text.split_once(after).expect("a table");
    let rows = rows.lines().skip(1).map(str::trim).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(1).map(cells).collect()
}

fn scenarios(feature: &str) -> Vec<Scenario> {
    let mut all = Vec::new();
    for outline in feature.split("Scenario Outline: ").skip(1) {
        for example in table(outline, "Examples:") {
            let text = outline.replace("<contentType>", &example[0]);
            all.push(Scenario {
                name: text.lines().next().unwrap_or_default().to_owned(),
                request: doc_string(&text, 0),
                attributes: table(&text, "Then the attributes are:")
                    .into_iter()
                    .map(|row| (row[0].clone(), row[1].clone()))
                    .collect(),
                data: doc_string(&text, 1),
            });
        }
    }
    all
}

impl Scenario {
    /// The request as the platform would post it here; its address and its length are ours.
    fn outgoing(&self) -> Outgoing {
        let (head, body) = self.request.split_once("\n\n").expect("a head and a body");
        let fields = head.lines().skip(1).map(|line| line.split_once(": ").expect("a header field"));
        let fields = fields.filter(|(name, _)| !["Host", "Content-Length"].contains(name));
        let headers = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Outgoing { headers, body: body.as_bytes().to_vec() }
    }

    /// The event as it was kept is the one that the scenario describes.
    fn assert_kept(&self, event: &Value, way: &str) {
        let at = format!("{} over {way}", self.name);
        assert_eq!(event["data"], serde_json::from_str::<Value>(&self.data).expect("JSON"), "{at}");
        for (name, wanted) in &self.attributes {
            let kept = event[name].as_str().unwrap_or_else(|| panic!("{at}: no {name} in {event}"));
            match name.as_str() {
                "time" => assert_eq!(
                    kept.parse::<Timestamp>().expect("a time"),
                    wanted.parse().expect("a time"),
                    "{at}"
                ),
                _ => assert_eq!(kept, wanted, "{name} of {at}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_http_scenario_holds_at_the_door_over_both_protocols() {
    let Some(directory) = data::directory("cloudevents") else { return };
    let Some(stage) = Stage::on(Engine::Postgres).await else { return };
    let knative = stage.knative.as_ref().expect("it is there on PostgreSQL");
    let door = Client::new(knative.base(), Some(DELIVERY_SECRET.to_owned()));
    let rows = stage.site.rows("audit");
    for name in data::names(&directory) {
        if name != "http-protocol-binding.feature" {
            println!("SKIPPED: {name} (Florin has no adapter for it)");
            continue;
        }
        let scenarios = scenarios(&data::text(&directory, &name));
        assert_eq!(scenarios.len(), 4, "two modes, two content types each");
        for scenario in &scenarios {
            for (way, door) in [("HTTP/1.1", door.clone()), ("h2c", door.over_h2c())] {
                let path = "/_deliver/audit.record_event";
                let taken = door.send(Method::POST, path, scenario.outgoing()).await.expect("an answer");
                assert_eq!(taken.status, 202, "{} over {way}: {taken:?}", scenario.name);
                // It names no tenant, so it is kept, whole, where a person sees it.
                let listed = stage.site.command(&["dead-letters", "list"]);
                let letter: Value = serde_json::from_str(&listed).expect("one line of JSON");
                assert_eq!(letter["code"], "tenant_missing");
                let shown =
                    stage.site.command(&["dead-letters", "show", letter["id"].as_str().expect("an id")]);
                let shown: Value = serde_json::from_str(&shown).expect("JSON");
                scenario.assert_kept(&event_of(&shown), way);
                // The next scenario has the same identifier.
                rows.run("DELETE FROM florin_inbox").await;
                rows.run("DELETE FROM florin_dead_letters").await;
            }
        }
    }
}

/// The event of a dead letter as it is shown.
fn event_of(letter: &Value) -> Value {
    match &letter["event"] {
        Value::String(text) => serde_json::from_str(text).expect("an event"),
        event => event.clone(),
    }
}
