//! The scenarios of the CloudEvents conformance suite, read from its own feature file.

use std::path::Path;

use florin_kernel::time::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::sample::decode_one;

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
    let block = text.split("\"\"\"").nth(2 * n + 1).unwrap().trim_start_matches('\n');
    let indent = block.len() - block.trim_start_matches(' ').len();
    let lines = block.lines().map(|line| line.get(indent..).unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The rows of the table that follows this line, without its head.
fn table(text: &str, after: &str) -> Vec<Vec<String>> {
    let (_, rows) = text.split_once(after).unwrap();
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

fn check(scenario: &Scenario) {
    let (head, body) = scenario.request.split_once("\n\n").unwrap();
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let event = decode_one(&headers, body.as_bytes()).unwrap();
    let florin_kernel::event::Data::Json { content_type, value } = &event.data else {
        panic!("{}: the data is not JSON", scenario.name);
    };
    assert_eq!(*value, serde_json::from_str::<Value>(&scenario.data).unwrap(), "{}", scenario.name);
    for (name, wanted) in &scenario.attributes {
        let found = match name.as_str() {
            "id" => &event.id,
            "source" => &event.source,
            "type" => &event.kind,
            "datacontenttype" => content_type,
            "specversion" => "1.0",
            "time" => {
                assert_eq!(event.time, Some(wanted.parse::<Timestamp>().unwrap()), "{}", scenario.name);
                continue;
            }
            other => event.extension(other).unwrap(),
        };
        assert_eq!(found, wanted, "{} of {}", name, scenario.name);
    }
}

#[test]
fn the_http_scenarios_of_the_conformance_suite_hold() {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cloudevents"));
    let Ok(feature) = std::fs::read_to_string(directory.join("http-protocol-binding.feature")) else {
        println!("SKIPPED: CloudEvents HTTP conformance scenarios (no feature file beside the checkout)");
        return;
    };
    let scenarios = scenarios(&feature);
    assert_eq!(scenarios.len(), 4, "two modes, two content types each");
    scenarios.iter().for_each(check);
    println!("NOT APPLICABLE: kafka-protocol-binding.feature (Florin has no Kafka adapter)");
}
