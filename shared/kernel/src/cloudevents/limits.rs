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
    /// Each of `id`, `source`, `type` and `subject`, in bytes of UTF-8: the databases have these in their indexes.
    pub max_indexed_bytes: usize,
    /// How deep arrays and objects in JSON data may nest. More than 127 has no effect: there the parser stops by itself.
    pub max_depth: usize,
}

/// Two of them, a function's or tenant's name and the entry's own bytes fit the 2,704 bytes that PostgreSQL has for an
/// entry of a B-tree (a third of a page, <https://www.postgresql.org/docs/current/btree.html>). What does not fit could
/// be neither recorded nor set aside, and its queue would bring it for ever.
pub(crate) const MAX_INDEXED_BYTES: usize = 1_024;

impl Default for Limits {
    /// 1 MiB an event, which is the most SQS carries and five times what Florin emits; batches of 100
    /// and 4 MiB; 64 attributes of 4 KiB, those that are looked for of 1 KiB; 64 levels of JSON.
    fn default() -> Self {
        Self {
            max_event_bytes: 1_048_576,
            max_batch: 100,
            max_batch_bytes: 4 * 1_048_576,
            max_attributes: 64,
            max_attribute_bytes: 4_096,
            max_indexed_bytes: MAX_INDEXED_BYTES,
            max_depth: 64,
        }
    }
}
