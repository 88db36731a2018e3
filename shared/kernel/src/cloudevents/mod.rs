//! CloudEvents 1.0.2 on the wire: structured and batched JSON, HTTP, AMQP and SQS.
//!
//! One event value, [`Event`](crate::event::Event), four carriers. What goes out is always
//! conformant, or refused with an [`EncodeError`]; what comes in is bounded by [`Limits`] before memory is
//! spent on it, and refused with a [`DecodeError`] that names the attribute. Decoding what was encoded
//! gives the same event on every carrier.
//!
//! Three things the wire says and [`Event`](crate::event::Event) does not keep:
//! - the exact text of `time`: it becomes an instant in microseconds, UTC, and goes out in that one form;
//! - whether an extension was a JSON number, a boolean or a string: the canonical string form is kept;
//! - a `datacontenttype` without data.
//!
//! `source` and `dataschema` are taken as text: senders differ in what they hold for a URI.
//!
//! An event's identity is its `source` and `id` alone. Nothing here compares or hashes anything else:
//! a sender may change `traceparent` at every attempt (knative/specs, eventing data plane).

mod amqp;
mod attributes;
mod batch;
mod data;
mod error;
mod header_text;
mod http;
mod limits;
mod media_type;
mod raw_json;
mod sqs;
mod strict_json;
mod structured;

pub use amqp::{AmqpMessage, decode_amqp, encode_amqp, encode_amqp_structured};
pub use attributes::AttributeValue;
pub use batch::{decode_batch, encode_batch};
pub use error::{DecodeError, EncodeError};
pub use http::{decode_http, encode_http_batched, encode_http_binary, encode_http_structured, mode};
pub use limits::Limits;
pub(crate) use limits::MAX_INDEXED_BYTES;
pub use media_type::{BATCH_MEDIA_TYPE, EVENT_MEDIA_TYPE, Mode};
pub use sqs::{SqsMessage, decode_sqs, encode_sqs};
pub use structured::{decode_structured, encode_structured};
