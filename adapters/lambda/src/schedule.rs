//! A tick: Florin's own input to EventBridge Scheduler, or the plain event of an EventBridge rule.

use florin_kernel::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One tick of a schedule. Its time is the slot, so a tick that is delivered twice runs once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The job, `payments.sweep`: said in the input, or the name of the rule.
    pub job: String,
    /// The time the schedule meant, not the time it arrived.
    pub slot: Timestamp,
}

/// Why an event is not a tick.
#[derive(Debug, thiserror::Error)]
pub enum NotATick {
    /// Not the shape of either event.
    #[error("not a tick with a time in RFC 3339: {0}")]
    Shape(#[from] serde_json::Error),
    /// Neither an input that names the job nor a rule.
    #[error(
        "the tick names no job: give the schedule the input {{\"florin\":{{\"job\":\"...\"}},\"time\":\"<aws.scheduler.scheduled-time>\"}}"
    )]
    NoJob,
}

#[derive(Deserialize)]
struct ScheduleEvent {
    time: Timestamp,
    florin: Option<Input>,
    #[serde(default)]
    resources: Vec<String>,
}

#[derive(Deserialize)]
struct Input {
    job: String,
}

impl Tick {
    /// The tick of a schedule's event.
    pub fn of(event: &RawValue) -> Result<Self, NotATick> {
        let event: ScheduleEvent = serde_json::from_str(event.get())?;
        let job = match (event.florin, event.resources.first()) {
            (Some(input), _) => input.job,
            // arn:aws:events:region:account:rule/[bus/]name, arn:aws:scheduler:region:account:schedule/group/name
            (None, Some(arn)) => arn.rsplit('/').next().unwrap_or_default().to_owned(),
            (None, None) => String::new(),
        };
        if job.is_empty() { Err(NotATick::NoJob) } else { Ok(Self { job, slot: event.time }) }
    }
}
