//! Why a message is not a CloudEvent, each reason with a stable code and the attribute's name.

/// A message that is not a CloudEvent 1.0.2, or more of one than the limits allow.
///
/// Names and texts taken from the message are shortened to 40 characters, and the attribute values are
/// never repeated: the error may be logged and told to the sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The event is longer than [`Limits::max_event_bytes`](super::Limits::max_event_bytes).
    #[error("the event has more than {limit} bytes")]
    EventTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The batch is longer than [`Limits::max_batch_bytes`](super::Limits::max_batch_bytes).
    #[error("the batch has more than {limit} bytes")]
    BatchTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// The batch holds more than [`Limits::max_batch`](super::Limits::max_batch).
    #[error("the batch has more than {limit} events")]
    BatchTooLong {
        /// Events.
        limit: usize,
    },
    /// More than [`Limits::max_attributes`](super::Limits::max_attributes).
    #[error("the event has more than {limit} attributes")]
    TooManyAttributes {
        /// Attributes.
        limit: usize,
    },
    /// A value is longer than [`Limits::max_attribute_bytes`](super::Limits::max_attribute_bytes), or than
    /// [`Limits::max_indexed_bytes`](super::Limits::max_indexed_bytes) where it is one of those.
    #[error("attribute {name} has more than {limit} bytes")]
    AttributeTooLarge {
        /// The attribute.
        name: String,
        /// Bytes.
        limit: usize,
    },
    /// The content type says CloudEvents, in a format other than JSON.
    #[error("the event format of content type {content_type:?} is not supported, only JSON is")]
    FormatUnsupported {
        /// As the sender wrote it.
        content_type: String,
    },
    /// The event or batch is not JSON text in UTF-8.
    #[error("not JSON: {reason}")]
    NotJson {
        /// What the parser said: a line, a column, an expectation.
        reason: String,
    },
    /// Well-formed JSON, but an event is an object.
    #[error("an event in JSON is an object")]
    NotAnObject,
    /// Well-formed JSON, but a batch is an array.
    #[error("a batch in JSON is an array")]
    NotAnArray,
    /// `id`, `source`, `type` or `specversion` is not there.
    #[error("attribute {name} is missing")]
    Missing {
        /// The attribute.
        name: &'static str,
    },
    /// An attribute that must not be empty is.
    #[error("attribute {name} is empty")]
    Empty {
        /// The attribute.
        name: &'static str,
    },
    /// Not lower-case letters and digits, or the reserved `data`.
    #[error("attribute name {name:?} is not lower-case letters and digits, or is reserved")]
    Name {
        /// As the sender wrote it.
        name: String,
    },
    /// The same attribute twice.
    #[error("attribute {name} is there more than once")]
    Repeated {
        /// The attribute.
        name: String,
    },
    /// Not of the type that the attribute has, or of no CloudEvents type at all.
    #[error("attribute {name} is not {expected}")]
    Type {
        /// The attribute.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A control character or a Unicode noncharacter, which CloudEvents strings exclude.
    #[error("attribute {name} has a character that CloudEvents excludes")]
    Character {
        /// The attribute.
        name: String,
    },
    /// A header whose quoting or percent-encoding is broken, or does not give UTF-8.
    #[error("attribute {name} is not percent-encoded UTF-8")]
    Encoding {
        /// The attribute.
        name: String,
    },
    /// Another version than 1.0.
    #[error("attribute specversion is not 1.0")]
    Version,
    /// `time` is not an RFC 3339 instant.
    #[error("attribute time is not an RFC 3339 instant of the years 0 to 9999")]
    Time,
    /// `datacontenttype` is not a media type (RFC 2046).
    #[error("attribute datacontenttype is not a media type")]
    ContentType,
    /// `datacontenttype` as an attribute of its own where the carrier's content type is the place for it.
    #[error("attribute datacontenttype belongs into the content type")]
    ContentTypeMisplaced,
    /// Both `data` and `data_base64`.
    #[error("data and data_base64 exclude each other")]
    DataTwice,
    /// `data_base64` is not base64 (RFC 4648, section 4, padded).
    #[error("data_base64 is not base64")]
    DataNotBase64,
    /// The media type says JSON and the data is not.
    #[error("data is declared as JSON and is not: {reason}")]
    DataNotJson {
        /// What the parser said.
        reason: String,
    },
    /// The media type says JSON, and the data comes as bytes; or the other way round. Only when encoding.
    #[error("data and its media type do not fit")]
    DataForm,
    /// JSON data nests deeper than [`Limits::max_depth`](super::Limits::max_depth).
    #[error("data nests more than {limit} levels deep")]
    DataTooDeep {
        /// Levels.
        limit: usize,
    },
    /// An object in JSON data has a key twice: parsers differ in which they take.
    #[error("data has the key {key:?} more than once in one object")]
    DataKeyRepeated {
        /// The key.
        key: String,
    },
    /// `data` is neither JSON by its media type nor a JSON string.
    #[error("data of a media type that is not JSON is not a string")]
    DataNotText,
    /// The `index`-th event of a batch, from zero.
    #[error("event {index} of the batch: {error}")]
    InBatch {
        /// From zero.
        index: usize,
        /// What is wrong with it.
        error: Box<DecodeError>,
    },
}

impl DecodeError {
    /// A stable word for programs and dashboards.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EventTooLarge { .. } => "event_too_large",
            Self::BatchTooLarge { .. } => "batch_too_large",
            Self::BatchTooLong { .. } => "batch_too_long",
            Self::TooManyAttributes { .. } => "too_many_attributes",
            Self::AttributeTooLarge { .. } => "attribute_too_large",
            Self::FormatUnsupported { .. } => "format_unsupported",
            Self::NotJson { .. } => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NotAnArray => "not_an_array",
            Self::Missing { .. } => "attribute_missing",
            Self::Empty { .. } => "attribute_empty",
            Self::Name { .. } => "attribute_name",
            Self::Repeated { .. } => "attribute_repeated",
            Self::Type { .. } => "attribute_type",
            Self::Character { .. } => "attribute_character",
            Self::Encoding { .. } => "attribute_encoding",
            Self::Version => "specversion_unsupported",
            Self::Time => "time_invalid",
            Self::ContentType => "datacontenttype_invalid",
            Self::ContentTypeMisplaced => "datacontenttype_misplaced",
            Self::DataTwice => "data_twice",
            Self::DataNotBase64 => "data_not_base64",
            Self::DataNotJson { .. } => "data_not_json",
            Self::DataForm => "data_form",
            Self::DataTooDeep { .. } => "data_too_deep",
            Self::DataKeyRepeated { .. } => "data_key_repeated",
            Self::DataNotText => "data_not_text",
            Self::InBatch { error, .. } => error.code(),
        }
    }
}

/// The event is not one that CloudEvents 1.0.2 allows: a conformant receiver would refuse it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event is not a CloudEvent: {0}")]
pub struct EncodeError(#[from] DecodeError);

impl EncodeError {
    /// A stable word for programs and dashboards, the one that the receiver would use.
    pub fn code(&self) -> &'static str {
        self.0.code()
    }
}

/// The start of a text from the message, as much of it as belongs into an error.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
