//! Who has a valid token and may not enter leaves a record.

use super::HttpCall;
use crate::cx::Operation;
use crate::function::Function;
use crate::problem::{Problem, codes};
use crate::rows::operations::OperationKind;
use crate::service::Service;
use crate::stop::Stop;

impl Service {
    /// A 403 is audited: somebody with a valid token tried. A 401 names nobody; the front counts it.
    pub(super) async fn record_forbidden(
        &self,
        function: &'static Function,
        call: &HttpCall,
        problem: &Problem,
    ) {
        let (Some(caller), true) = (&call.caller, problem.code == codes::FORBIDDEN) else { return };
        if !self.definition.audited {
            return;
        }
        let id = self.ids.new_id::<OperationKind>().to_string();
        let recorded = async {
            let mut cx = self.begin(caller, call.trace.as_ref()).await?;
            let record = Operation {
                id: &id,
                function: function.name,
                outcome: "forbidden",
                code: Some(problem.code.code),
                request_id: call.request_id.as_deref(),
            };
            self.write(&mut cx, &record, None).await?;
            cx.view.tx.commit().await.map_err(|error| Stop::from(error.into_error()))
        };
        match recorded.await {
            Ok(()) => self.committed(),
            Err(stop) => tracing::error!(error.message = stop.said(), "a 403 could not be recorded"),
        }
    }
}
