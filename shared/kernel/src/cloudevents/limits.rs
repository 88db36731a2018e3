//! How much memory a stranger's message may take.

/// Bounds on what is decoded. They hold per message; how many messages are decoded at once is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One event on the wire, attributes and data, in bytes.
    pub max_event_bytes: usize,
    /// How many events a batch may hold.
    pub max_batch: usize,
    /// A whole batch on the wire, in bytes.
    pub max_batch_bytes: usize,
    /// How many attributes an event may have, the required ones among them.
    pub max_attributes: usize,
    /// One attribute's value, in bytes of UTF-8.
    pub max_attribute_bytes: usize,
    /// How deep arrays and objects in JSON data may nest. More than 127 has no effect: there the parser stops by itself.
    pub max_depth: usize,
}

impl Default for Limits {
    /// 1 MiB an event, which is the most SQS carries and five times what Florin emits; batches of 100
    /// and 4 MiB; 64 attributes of 4 KiB; 64 levels of JSON.
    fn default() -> Self {
        Self {
            max_event_bytes: 1_048_576,
            max_batch: 100,
            max_batch_bytes: 4 * 1_048_576,
            max_attributes: 64,
            max_attribute_bytes: 4_096,
            max_depth: 64,
        }
    }
}
