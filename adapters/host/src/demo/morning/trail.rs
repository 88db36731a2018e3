//! The event trail of one payment, read from the audit records when the last one has arrived.

use std::time::{Duration, Instant};

use florin_kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::demo::answer::Payment;
use crate::demo::api::Api;

/// How long the records may take: they travel through outbox and queue.
const ARRIVAL: Duration = Duration::from_secs(20);

/// One audit record.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Record {
    kind: String,
    name: String,
    outcome: Option<String>,
    sequence: Option<i64>,
    occurred_at: Timestamp,
    recorded_at: Timestamp,
}

/// The records of a payment and its refunds, in the order in which things happened. Fails when the last one does
/// not arrive, or there is no audit service there.
pub(super) async fn trail(api: &Api, payment: &Payment, refunds: &[String]) -> Result<Vec<Record>, String> {
    let (began, mut looks) = (Instant::now(), 0);
    loop {
        looks += 1;
        let mut records = records(api, &payment.id).await?;
        // Each change of a payment is told under its version.
        if records.iter().any(|record| record.kind == "event" && record.sequence >= Some(payment.version)) {
            for refund in refunds {
                records.extend(self::records(api, refund).await?);
            }
            records.sort_by_key(|record| (record.occurred_at, record.kind != "operation", record.sequence));
            return Ok(records);
        }
        if began.elapsed() >= ARRIVAL.min(api.patience.away) {
            return Err(format!(
                "version {} of {} is not in the audit records yet",
                payment.version, payment.id
            ));
        }
        tokio::time::sleep(api.patience.pause(looks, None).min(Duration::from_millis(500))).await;
    }
}

async fn records(api: &Api, resource: &str) -> Result<Vec<Record>, String> {
    let path = format!("/v1/audit/records?resource={resource}&limit=100");
    let mut reply = api.get("audit records", &path).await.map_err(|why| why.to_string())?;
    if !reply.is_yes() {
        return Err(format!("no audit records: {}", reply.said()));
    }
    serde_json::from_value(reply.body["data"].take()).map_err(|error| format!("an audit record: {error}"))
}

/// As lines of at most 80 columns.
pub(super) fn lines(records: &[Record]) -> String {
    let mut text = String::new();
    for Record { kind, name, outcome, sequence, occurred_at, .. } in records {
        let stamp = occurred_at.to_string();
        let clock = stamp.get(11..23).unwrap_or(&stamp);
        let name = name.strip_prefix("florin.").unwrap_or(name);
        let name = name.strip_suffix(".v1").unwrap_or(name);
        let note = match (outcome, sequence) {
            (Some(outcome), _) => outcome.clone(),
            (None, Some(sequence)) => format!("version {sequence}"),
            (None, None) => String::new(),
        };
        text += &format!("  {clock}  {kind:<10}{name:<37.37} {note:.14}\n");
    }
    let slowest = records.iter().map(|record| record.recorded_at.since(record.occurred_at)).max();
    if let Some(slowest) = slowest {
        text += &format!("  each recorded within {} ms\n", slowest.as_millis());
    }
    text
}

/// For programs.
pub(super) fn json(records: &[Record]) -> Value {
    serde_json::to_value(records).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_fits_eighty_columns() {
        let record = |kind: &str, name: &str, outcome: Option<&str>| Record {
            kind: kind.to_owned(),
            name: name.to_owned(),
            outcome: outcome.map(str::to_owned),
            sequence: Some(1_000_000_000),
            occurred_at: "2026-01-05T08:15:02.123456Z".parse().unwrap(),
            recorded_at: "2026-01-05T08:15:02.164456Z".parse().unwrap(),
        };
        let records = [
            record("event", "florin.payment.action_required.v1", None),
            record("operation", "payments.return_from_authentication", Some("needs_review")),
            record("operation", &"x".repeat(200), Some(&"y".repeat(200))),
        ];
        let text = lines(&records);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.starts_with("  08:15:02.123  event     payment.action_required "), "{text}");
        assert!(text.ends_with("each recorded within 41 ms\n"), "{text}");
    }
}
