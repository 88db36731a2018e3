//! A tick: Florin's own input to EventBridge Scheduler, or the plain event of an EventBridge rule.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Why an event is not a tick.
#[derive(Debug, thiserror::Error)]
pub enum NotATick {
    /// Not the shape of either event.
    #[error("not a tick: {0}")]
    Shape(#[from] serde_json::Error),
    /// Neither an input that names the job nor a rule.
    #[error("the tick names no job: give the schedule the input {{\"florin\":{{\"job\":\"...\"}}}}")]
    NoJob,
}

#[derive(Deserialize)]
struct ScheduleEvent {
    florin: Option<Input>,
    #[serde(default)]
    resources: Vec<String>,
}

#[derive(Deserialize)]
struct Input {
    job: String,
}

/// The job that a schedule's event ticks, `payments.sweep`: said in the input, or the name of the rule.
///
/// The event's own time is not read. The corridor runs a job once for the slot that now falls into, so a tick
/// that is delivered twice runs once, and one that is late does not run for a slot that is over.
pub fn job(event: &RawValue) -> Result<String, NotATick> {
    let event: ScheduleEvent = serde_json::from_str(event.get())?;
    let job = match (event.florin, event.resources.first()) {
        (Some(input), _) => input.job,
        // arn:aws:events:region:account:rule/[bus/]name, arn:aws:scheduler:region:account:schedule/group/name
        (None, Some(arn)) => arn.rsplit('/').next().unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    };
    if job.is_empty() { Err(NotATick::NoJob) } else { Ok(job) }
}
