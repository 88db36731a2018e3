//! What an operator does by a command beside the doors: recorded like every operation, in the act's own transaction.

use crate::caller::{Caller, TenantId};
use crate::cx::Operation;
use crate::db::{DbResult, Tx};
use crate::rows::operations::OperationKind;
use crate::rows::outbox;
use crate::service::Service;

/// One act, as its record names it.
pub(crate) struct Act<'a> {
    /// What is done: `retry_effect` and so on, behind the service's name.
    pub(crate) verb: &'static str,
    /// Whose rows it touches. A letter whose event named no tenant has none.
    pub(crate) tenant: &'a str,
    /// The resource it is about.
    pub(crate) resource: &'a str,
}

impl Service {
    /// Writes an act's record into its transaction. The audit service, which tells nobody of its own operations, tells
    /// of these: who drops one of its letters drops an audit record. Without a tenant nobody could read the record:
    /// then the log alone has it.
    pub(crate) async fn record_act(&self, tx: Tx, act: Act<'_>) -> DbResult<Tx> {
        let function = format!("{}.{}", self.name(), act.verb);
        tracing::info!(florin.function = function, florin.resource = act.resource, "an operator acts");
        let Ok(tenant) = act.tenant.parse::<TenantId>() else { return Ok(tx) };
        let mut cx = self.context(tx, &Caller::system(Caller::OPERATOR, tenant.clone()), None);
        cx.about(act.resource);
        let id = self.ids.new_id::<OperationKind>().to_string();
        let record =
            Operation { id: &id, function: &function, outcome: "succeeded", code: None, request_id: None };
        let (now, event) = (cx.now(), cx.operation_record(&record));
        outbox::insert(&mut cx.view.tx, &tenant, now, &[event]).await?;
        Ok(cx.view.tx)
    }
}
