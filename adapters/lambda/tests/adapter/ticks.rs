//! Ticks of a schedule.

use florin_lambda::schedule::{NotATick, job};
use serde_json::json;

use crate::raw;

#[test]
fn a_tick_says_its_job() {
    let event = json!({"florin": {"job": "payments.sweep"}, "time": "2026-01-31T12:00:00Z"});
    assert_eq!(job(&raw(&event)).unwrap(), "payments.sweep");
}

#[test]
fn a_plain_event_ticks_the_job_that_its_rule_or_schedule_is_named_after() {
    for arn in [
        "arn:aws:events:eu-central-1:123456789012:rule/payments.sweep",
        "arn:aws:events:eu-central-1:123456789012:rule/bus/payments.sweep",
        "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/payments.sweep",
    ] {
        let event =
            json!({"detail-type": "Scheduled Event", "resources": [arn], "time": "2026-01-31T12:00:00Z"});
        assert_eq!(job(&raw(&event)).unwrap(), "payments.sweep");
    }
}

#[test]
fn a_tick_without_a_job_is_refused() {
    for event in [
        json!({"detail-type": "Scheduled Event", "time": "2026-01-31T12:00:00Z", "resources": []}),
        json!({"florin": {"job": ""}}),
    ] {
        assert!(matches!(job(&raw(&event)), Err(NotATick::NoJob)), "{event}");
    }
    assert!(matches!(job(&raw(&json!({"florin": "sweep"}))), Err(NotATick::Shape(_))));
}
