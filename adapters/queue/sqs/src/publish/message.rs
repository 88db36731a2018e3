//! An event as a message, and messages in batches that AWS takes.

use florin_kernel::cloudevents::{SqsMessage, encode_sqs};
use florin_kernel::event::Event;
use florin_queue::port::PublishError;

/// The most messages of one call.
const MOST: usize = 10;
/// The most bytes of one call, and of one message: what SNS takes, and SQS with queues made before August 2025.
pub(super) const MOST_BYTES: usize = 262_144;
/// What AWS counts for the data type of an attribute, `String`.
const TYPE_BYTES: usize = 6;

/// An event's message.
pub(super) struct Outgoing {
    /// Which event of the publish.
    pub(super) index: usize,
    pub(super) message: SqsMessage,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn of(index: usize, event: &Event) -> Result<Self, PublishError> {
        let message = encode_sqs(event).map_err(|error| PublishError::Refused(error.to_string()))?;
        let attributes = message.attributes.iter();
        let bytes = message.body.len()
            + attributes.map(|(name, value)| name.len() + value.len() + TYPE_BYTES).sum::<usize>();
        if bytes > MOST_BYTES {
            let why = format!("the event has {bytes} bytes as a message, and {MOST_BYTES} are the most");
            return Err(PublishError::Refused(why));
        }
        Ok(Self { index, message, bytes })
    }
}

/// The messages, in their order, in as few batches as that allows.
pub(super) fn batches<'m>(messages: impl IntoIterator<Item = &'m Outgoing>) -> Vec<Vec<&'m Outgoing>> {
    let mut batches: Vec<Vec<&Outgoing>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST && bytes + message.bytes <= MOST_BYTES => {
                batch.push(message);
                bytes += message.bytes;
            }
            _ => {
                batches.push(vec![message]);
                bytes = message.bytes;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sizes(bytes: &[usize]) -> Vec<usize> {
        let message = || SqsMessage { body: String::new(), attributes: BTreeMap::new() };
        let of = |(index, bytes): (usize, &usize)| Outgoing { index, message: message(), bytes: *bytes };
        let messages: Vec<Outgoing> = bytes.iter().enumerate().map(of).collect();
        batches(&messages).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_has_at_most_ten_messages_and_256_kib() {
        assert_eq!(sizes(&[]), [0_usize; 0]);
        assert_eq!(sizes(&[1; 10]), [10]);
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[MOST_BYTES; 3]), [1, 1, 1]);
        assert_eq!(sizes(&[MOST_BYTES - 1, 1, 1]), [2, 1]);
        assert_eq!(sizes(&[100_000; 5]), [2, 2, 1]);
    }
}
