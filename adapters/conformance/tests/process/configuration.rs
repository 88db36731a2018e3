//! Strict configuration: what nobody knows is an error that names what was meant.

use florin_conformance::process::{self, Environment};

/// What a process says that does not start, less the program's name.
fn refused(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let environment: Environment =
        environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let ended = process::run(arguments, &environment, directory.path());
    assert!(!ended.status.success(), "{environment:?} was taken");
    let said = String::from_utf8_lossy(&ended.stderr).trim_end().to_owned();
    said.strip_prefix("florin: ").unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[test]
fn an_unknown_setting_names_the_nearest_known_one() {
    assert_eq!(
        refused(&[], &[("FLORIN_LISTN", "127.0.0.1:0")]),
        "FLORIN_LISTN is not a setting; did you mean FLORIN_LISTEN?"
    );
    assert_eq!(
        refused(&["migrate"], &[("FLORIN_PAYMENT_DATABASE_URL", "postgres://x")]),
        "FLORIN_PAYMENT_DATABASE_URL is not a setting; did you mean FLORIN_PAYMENTS_DATABASE_URL?"
    );
}

#[test]
fn values_that_cannot_be_are_refused_with_the_settings_name() {
    for (name, value) in [
        ("FLORIN_WAIT_MS", "soon"),
        ("FLORIN_WORKERS", "maybe"),
        ("FLORIN_CONCURRENCY", "-1"),
        ("FLORIN_CONCURRENCY", "0"),
        ("FLORIN_DATABASE_CONNECTIONS", "0"),
        ("FLORIN_DELIVERY_ATTEMPTS", "0"),
        ("FLORIN_KEEP_KEYS_HOURS", "0"),
        ("FLORIN_KEEP_INBOX_DAYS", "14"),
        ("FLORIN_DEV", "yes"),
        ("FLORIN_LOG_FORMAT", "xml"),
        ("FLORIN_QUEUE_URL", "kafka://127.0.0.1"),
        ("FLORIN_QUEUE_TOKEN_FILE", "/oidc/token"),
        ("FLORIN_FUNCTIONS", "shipping.*"),
        ("FLORIN_FUNCTIONS", "payments.*,audit.record_evnt"),
    ] {
        let said = refused(&[], &[("FLORIN_LISTEN", "127.0.0.1:0"), (name, value)]);
        assert!(said.contains(name), "{name}={value}: {said}");
    }
}

#[test]
fn what_looks_at_data_that_is_not_there_says_so_and_makes_none() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let missing = scratch.path().join("mistyped");
    let empty = scratch.path().join("empty");
    std::fs::create_dir(&empty).expect("a directory");
    for directory in [&missing, &empty] {
        let data = directory.to_str().expect("a path");
        for command in [
            &["outbox"][..],
            &["effects", "list"],
            &["effects", "retry", "efx_1"],
            &["dead-letters", "list"],
            &["dead-letters", "show", "dlt_1"],
            &["dead-letters", "replay", "all"],
            &["dead-letters", "drop", "dlt_1"],
        ] {
            let said = refused(&[command, &["--data", data]].concat(), &[]);
            assert!(said.contains(data), "{command:?}: {said}");
            let said = refused(command, &[("FLORIN_DATA", data)]);
            assert!(said.contains(data), "{command:?}: {said}");
        }
    }
    assert!(!missing.exists(), "a mistyped directory was made");
    assert_eq!(std::fs::read_dir(&empty).expect("the directory").count(), 0, "a database was made");
}

#[test]
fn what_others_can_reach_needs_an_issuer() {
    let said = refused(&[], &[("FLORIN_LISTEN", "0.0.0.0:0")]);
    assert!(said.contains("FLORIN_ISSUER"), "{said}");
}

#[test]
fn with_an_issuer_payments_need_a_provider_and_an_address_of_their_own() {
    let issuer = florin_conformance::issuer::Issuer::new();
    let jwks = issuer.jwks();
    let needed = [
        ("FLORIN_LISTEN", "127.0.0.1:0"),
        ("FLORIN_ISSUER", issuer.name.as_str()),
        ("FLORIN_JWKS", jwks.as_str()),
        ("FLORIN_CARD_URL", "https://card.example"),
    ];
    let said = refused(&[], &needed[..3]);
    assert!(said.contains("FLORIN_CARD_URL"), "{said}");
    let said = refused(&[], &needed);
    assert!(said.contains("FLORIN_PUBLIC_URL"), "{said}");
}

#[test]
fn the_database_that_migrate_is_told_wins_over_every_setting() {
    let said = refused(
        &["migrate", "--database-url", "mysql://127.0.0.1/x"],
        &[("FLORIN_PAYMENTS_DATABASE_URL", "sqlite://payments.db"), ("FLORIN_FUNCTIONS", "payments.*")],
    );
    assert!(!said.is_empty(), "{said}");
}

#[test]
fn a_guard_too_short_to_guard_is_refused() {
    let said = refused(&[], &[("FLORIN_LISTEN", "127.0.0.1:0"), ("FLORIN_DELIVERY_SECRET", "short")]);
    assert!(said.contains("FLORIN_DELIVERY_SECRET"), "{said}");
}

#[test]
fn a_password_in_an_address_is_never_said() {
    for (name, value) in [
        ("FLORIN_DATABASE_URL", "postgres//someone:hunter2@127.0.0.1/x"),
        ("FLORIN_DATABASE_URL", "mysql://someone:hunter2@127.0.0.1/x"),
        ("FLORIN_QUEUE_URL", "kafka://someone:hunter2@127.0.0.1"),
    ] {
        let said = refused(&[], &[("FLORIN_LISTEN", "127.0.0.1:0"), (name, value)]);
        assert!(!said.contains("hunter2"), "{said}");
    }
}
