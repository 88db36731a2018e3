//! A test that skips itself is written down, and fails when what it lacks is required.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use florin_servers::{Part, REQUIRE_VARIABLE, SKIPPED_VARIABLE, target_directory};

/// The test that the others run in a process of its own, with an environment of its own.
#[test]
fn needs_a_queue() {
    if std::env::var_os("FLORIN_NEEDS_A_QUEUE").is_none() {
        return;
    }
    assert_eq!(Part::Sqs.needed(), None);
}

fn run(required: &str, report: &PathBuf) -> Output {
    Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "needs_a_queue"])
        .env("FLORIN_NEEDS_A_QUEUE", "yes")
        .env_remove(Part::Sqs.variable())
        .env(REQUIRE_VARIABLE, required)
        .env(SKIPPED_VARIABLE, report)
        .output()
        .expect("it runs")
}

fn report(name: &str) -> PathBuf {
    target_directory().expect("built by Cargo").join(format!("{name}-{}", std::process::id()))
}

#[test]
fn a_skipped_test_passes_and_is_reported_with_its_name_and_the_reason() {
    let report = report("skipped");
    let output = run("postgres", &report);
    let written = fs::read_to_string(&report).unwrap();
    fs::remove_file(&report).unwrap();
    assert!(output.status.success());
    let expected =
        "sqs\tskip::needs_a_queue\tFLORIN_TEST_SQS_ENDPOINT is not set (`cargo xtask test` brings it)\n";
    assert_eq!(written, expected);
}

#[test]
fn a_required_part_that_is_not_there_fails_the_test() {
    let report = report("required");
    let output = run("postgres, sqs", &report);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("sqs is required and not there"));
    assert!(!report.exists());
}

#[test]
fn a_part_is_found_by_the_name_it_is_reported_with() {
    for part in Part::ALL {
        assert_eq!(Part::named(part.name()), Some(part));
    }
    assert_eq!(Part::named("mysql"), None);
}
