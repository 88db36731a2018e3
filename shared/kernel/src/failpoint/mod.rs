//! Named points at which a process can be killed, so that chaos can show what a kill there loses: nothing.
//!
//! Without the feature `failpoints`, which no shipped build has, all of this compiles to nothing. With it, the
//! variable `FAILPOINTS` names a directory by which the points are counted, armed and the clock is moved.

#[cfg(feature = "failpoints")]
mod armed;
#[cfg(feature = "failpoints")]
mod clock;

#[cfg(feature = "failpoints")]
pub use armed::{directory, during, hit};
#[cfg(feature = "failpoints")]
pub(crate) use clock::moved;

/// The variable that names the directory of control.
pub const VARIABLE: &str = "FAILPOINTS";

/// A command's change, its events, effects and key are written; COMMIT was not sent (tx1).
pub const COMMAND_BEFORE_COMMIT: &str = "command.before_commit";
/// A command's change is committed; nobody was told.
pub const COMMAND_AFTER_COMMIT: &str = "command.after_commit";
/// An effect's request is built; the peer has seen nothing.
pub const EFFECT_BEFORE_CALL: &str = "effect.before_call";
/// The request is under way, or the peer at work on it.
pub const EFFECT_DURING_CALL: &str = "effect.during_call";
/// The peer has answered; nothing of it is written.
pub const EFFECT_AFTER_CALL: &str = "effect.after_call";
/// The outcome, its events and the waiting key are written; COMMIT was not sent (tx2).
pub const RECORD_BEFORE_COMMIT: &str = "record.before_commit";
/// The outcome is committed; whoever waits was not told.
pub const RECORD_AFTER_COMMIT: &str = "record.after_commit";
/// The sweep holds the lease of an effect that was due.
pub const SWEEP_LEASED: &str = "sweep.leased";
/// Events are claimed; the broker has seen none of them.
pub const RELAY_BEFORE_PUBLISH: &str = "relay.before_publish";
/// Some of the batch may be with the broker.
pub const RELAY_DURING_PUBLISH: &str = "relay.during_publish";
/// The broker has confirmed; the rows are not marked.
pub const RELAY_AFTER_PUBLISH: &str = "relay.after_publish";
/// The rows are marked.
pub const RELAY_AFTER_MARKED: &str = "relay.after_marked";
/// The inbox row is written; the reaction has not run.
pub const DELIVERY_INBOX: &str = "delivery.inbox";
/// The reaction has run; COMMIT was not sent.
pub const DELIVERY_BEFORE_COMMIT: &str = "delivery.before_commit";
/// Inbox row and change are committed; the broker was not told.
pub const DELIVERY_BEFORE_ACK: &str = "delivery.before_ack";
/// A failed attempt is counted, and that is committed; the transport was not told when to deliver again.
pub const DELIVERY_ATTEMPT_COUNTED: &str = "delivery.attempt_counted";
/// RabbitMQ has confirmed a message in the queue that it is to wait in; it still holds the one it was moved from.
pub const MOVED_BEFORE_ACK: &str = "rabbitmq.moved_before_ack";
/// SQS was not told when the message is to come again.
pub const BEFORE_VISIBILITY: &str = "sqs.before_visibility";
/// A dead letter is written; COMMIT was not sent.
pub const DEAD_LETTER_BEFORE_COMMIT: &str = "dead_letter.before_commit";
/// A dead letter is committed; the broker still holds the message.
pub const DEAD_LETTER_BEFORE_ACK: &str = "dead_letter.before_ack";
/// A job has its slot; COMMIT was not sent.
pub const JOB_BEFORE_SLOT: &str = "job.before_slot";
/// A job's slot is committed; no item was run.
pub const JOB_AFTER_SLOT: &str = "job.after_slot";
/// A job's item is written; COMMIT was not sent.
pub const JOB_ITEM_BEFORE_COMMIT: &str = "job.item_before_commit";
/// A job's item is committed; its effects were not started.
pub const JOB_ITEM_AFTER_COMMIT: &str = "job.item_after_commit";
/// A drain has begun: the process says that it is not ready, and still serves.
pub const DRAIN_BEGUN: &str = "drain.begun";
/// A drain has finished the requests and the effects; what they committed may not be published.
pub const DRAIN_BEFORE_LAST_PUBLISH: &str = "drain.before_last_publish";
/// A frozen process has handled its event and published what it could; the platform has no answer.
pub const LAMBDA_BEFORE_ANSWER: &str = "lambda.before_answer";

/// Nothing: this build cannot be killed by a point's name.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn hit(_: &str) {}

/// The future itself: this build cannot be killed by a point's name.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn during<F: Future>(_: &'static str, future: F) -> F {
    future
}
