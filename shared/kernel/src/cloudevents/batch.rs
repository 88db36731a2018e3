//! Several events as one JSON array (CloudEvents JSON format 1.0.2, section 4).

use crate::event::Event;

use super::error::{DecodeError, EncodeError};
use super::limits::Limits;
use super::raw_json;
use super::structured::{Structured, decode_structured};

/// Events as one JSON array, in their order. The HTTP binding wants batches sent only to who asked for them.
///
/// # Errors
/// One of the events is not one that CloudEvents allows; its index is in the message.
pub fn encode_batch(events: &[Event]) -> Result<Vec<u8>, EncodeError> {
    let mut batch = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        batch.push(Structured::of(event).map_err(|error| in_batch(index, error))?);
    }
    Ok(serde_json::to_vec(&batch).expect("text keys, and values that are JSON"))
}

/// The events of a JSON array, each decoded by itself: a bad one spoils no other and names its index.
///
/// # Errors
/// The text is no JSON array, or passes the limits of a batch.
pub fn decode_batch(body: &[u8], limits: &Limits) -> Result<Vec<Result<Event, DecodeError>>, DecodeError> {
    if body.len() > limits.max_batch_bytes {
        return Err(DecodeError::BatchTooLarge { limit: limits.max_batch_bytes });
    }
    let Some(entries) = raw_json::array(body, limits.max_batch)? else {
        return Err(DecodeError::BatchTooLong { limit: limits.max_batch });
    };
    let decoded = entries.into_iter().enumerate().map(|(index, entry)| {
        decode_structured(entry.get().as_bytes(), limits).map_err(|error| in_batch(index, error))
    });
    Ok(decoded.collect())
}

fn in_batch(index: usize, error: DecodeError) -> DecodeError {
    DecodeError::InBatch { index, error: Box::new(error) }
}
