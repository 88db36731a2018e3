//! Record every event of every service, and with them every mutating operation.

use florin_kernel::cx::{Cx, OPERATION_EVENT};
use florin_kernel::event::{Pattern, TraceParent};
use florin_kernel::function::{Fact, Reaction};
use florin_kernel::stop::Stop;
use serde_json::Value;

use crate::record::{Of, RecordId};

/// Whatever happens in Florin.
pub(crate) struct RecordEvent;

impl Reaction for RecordEvent {
    const NAME: &'static str = "audit.record_event";
    const ON: &'static [Pattern] = &[Pattern("florin.#")];
    type Data = Value;

    async fn run(fact: Fact<Value>, cx: &mut Cx) -> Result<(), Stop> {
        let Fact { event, data } = fact;
        let asked = event.kind == OPERATION_EVENT;
        // In any other event's data a member of one of these names means what that service means by it.
        let said = if asked { &data } else { &Value::Null };
        let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (kind, name, resource) = if asked {
            (Of::Operation, text("/operation").unwrap_or_else(|| event.kind.clone()), text("/resource"))
        } else {
            (Of::Event, event.kind.clone(), event.subject.clone())
        };
        let traced = event.extension("traceparent").and_then(|t| t.parse::<TraceParent>().ok());
        let trace_id = text("/trace_id").or_else(|| traced.map(|t| t.trace_id().to_owned()));
        let (tenant, now, id) = (cx.tenant(), cx.now(), cx.new_id() as RecordId);
        // The inbox forgets after a while; this index does not.
        cx.sql(
            "INSERT INTO audit_records
                 (id, tenant, kind, name, actor, client, resource, outcome, code, request_id, trace_id, source,
                  event_id, sequence, occurred_at, recorded_at, data)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             ON CONFLICT (tenant, source, event_id) DO NOTHING",
        )
        .bind(id)
        .bind(tenant)
        .bind(kind)
        .bind(name)
        .bind(text("/actor/subject"))
        .bind(text("/actor/client"))
        .bind(resource)
        .bind(text("/outcome"))
        .bind(text("/code"))
        .bind(text("/request_id"))
        .bind(trace_id)
        .bind(event.source.clone())
        .bind(event.id.clone())
        .bind(event.sequence())
        .bind(event.time.unwrap_or(now))
        .bind(now)
        .bind(data.to_string())
        .run()
        .await?;
        Ok(())
    }
}
