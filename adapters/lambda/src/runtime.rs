//! The loop: events from the Runtime API, answers to it, until the platform ends the process.

use std::sync::Arc;

use florin_kernel::failpoint;
use florin_kernel::time::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Instrument;

use crate::app::{App, Invocation, InvocationError};
use crate::trace;

/// Serves events until the Runtime API or the platform ends it. Where the environment serves several
/// invocations at once (`AWS_LAMBDA_MAX_CONCURRENCY`), so does this.
///
/// SIGTERM comes only where an extension is registered, and nothing waits for it: each invocation leaves
/// nothing behind. Connections are closed then, because a database server would keep them for hours.
///
/// # Errors
/// The Runtime API is gone or refuses to be spoken to.
///
/// # Panics
/// The variables that Lambda sets for every function are missing.
pub async fn run(app: App) -> Result<(), lambda_runtime::Error> {
    let app = Arc::new(app);
    let mut terminate = signal(SignalKind::terminate())?;
    let serving = Arc::clone(&app);
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let app = Arc::clone(&serving);
        let LambdaEvent { payload, context, .. } = event;
        let span = tracing::info_span!("invocation", faas.invocation_id = context.request_id);
        let invocation = invocation(context);
        async move {
            let answer = app.handle(&payload, &invocation).await.map_err(diagnostic);
            failpoint::hit(failpoint::LAMBDA_BEFORE_ANSWER);
            answer
        }
        .instrument(span)
    });
    let ended = tokio::select! {
        ended = Runtime::new(handler).run_concurrent() => ended,
        _ = terminate.recv() => Ok(()),
    };
    for service in &app.services {
        service.db.close().await;
    }
    ended
}

fn invocation(context: Context) -> Invocation {
    let deadline_ms = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Invocation {
        deadline: Timestamp::from_micros(deadline_ms.saturating_mul(1_000)),
        trace: context.xray_trace_id.as_deref().and_then(trace::from_x_ray),
        request_id: context.request_id,
    }
}

fn diagnostic(error: InvocationError) -> Diagnostic {
    tracing::error!(error.code = error.name(), error.message = %error, "the invocation failed");
    Diagnostic { error_type: error.name().to_owned(), error_message: error.to_string() }
}
