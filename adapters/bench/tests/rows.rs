//! A quick run gives numbers for every row; what they are is no test's business.

use std::process::Command;

use florin_servers::{Part, skip};
use serde_json::Value;

const ROWS: [&str; 8] = [
    "public-query",
    "authorized-query",
    "create-and-confirm",
    "outbox-to-inbox",
    "lambda-first-response",
    "lambda-cpu",
    "all-in-one",
    "sqlite-writes",
];

fn is_number(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.is_finite() && number > 0.0)
}

#[test]
fn every_row_gives_numbers_for_both_of_its_sides() {
    let directory = tempfile::tempdir().unwrap();
    let (json, plot) = (directory.path().join("bench.json"), directory.path().join("bench.svg"));
    let ran = Command::new(env!("CARGO_BIN_EXE_florin-bench"))
        .args(["--quick", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let mut skipped = Vec::new();
    for pair in report["skipped"].as_array().unwrap() {
        let (row, why) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        skip(
            if why.contains("RabbitMQ") { Part::RabbitMq } else { Part::Postgres },
            &format!("{row}: {why}"),
        );
        skipped.push(row);
    }
    for name in ROWS.into_iter().filter(|name| !skipped.contains(name)) {
        let rows: Vec<&Value> =
            report["rows"].as_array().unwrap().iter().filter(|row| row["row"] == name).collect();
        assert!(!rows.is_empty(), "no row {name}");
        for row in rows {
            assert!(is_number(&row["ours"]["value"]["median"]), "{row}");
            let is_beside = !row["against"].is_null();
            assert_eq!(is_beside, is_number(&row["baseline"]["value"]["median"]), "{row}");
            assert_eq!(is_beside, is_number(&row["ratio"]["median"]), "{row}");
        }
    }
    if skipped.is_empty() {
        let drawn = Command::new(env!("CARGO_BIN_EXE_florin-bench"))
            .args(["--quick", "--rows", "lambda-cpu", "--plot"])
            .arg(&plot)
            .output()
            .unwrap();
        assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
        assert!(std::fs::read_to_string(&plot).unwrap().ends_with("</svg>\n"));
    }
}

#[test]
fn a_row_that_nobody_knows_is_refused_with_the_names_of_all() {
    let ran = Command::new(env!("CARGO_BIN_EXE_florin-bench")).args(["--rows", "public"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && ROWS.iter().all(|row| said.contains(row)), "{said}");
}
