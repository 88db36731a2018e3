//! Ticks of a schedule.

use florin_lambda::schedule::{NotATick, Tick};
use serde_json::json;

use crate::raw;

#[test]
fn a_tick_says_its_job_and_the_time_the_schedule_meant() {
    let event = json!({"florin": {"job": "payments.sweep"}, "time": "2026-01-31T13:00:00+01:00"});
    let tick = Tick::of(&raw(&event)).unwrap();
    assert_eq!(tick.job, "payments.sweep");
    assert_eq!(tick.slot.to_string(), "2026-01-31T12:00:00.000000Z");
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
        assert_eq!(Tick::of(&raw(&event)).unwrap().job, "payments.sweep");
    }
}

#[test]
fn a_tick_without_a_time_cannot_be_told_from_its_repetition_and_is_refused() {
    for event in [json!({"florin": {"job": "x"}}), json!({"florin": {"job": "x"}, "time": "yesterday"})] {
        assert!(matches!(Tick::of(&raw(&event)), Err(NotATick::Shape(_))), "{event}");
    }
}

#[test]
fn a_tick_without_a_job_is_refused() {
    let event = json!({"detail-type": "Scheduled Event", "time": "2026-01-31T12:00:00Z", "resources": []});
    assert!(matches!(Tick::of(&raw(&event)), Err(NotATick::NoJob)));
}
