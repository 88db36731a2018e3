//! Where the queues are, as one address: `sqs://REGION/PREFIX?topic_arn=...`.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use florin_queue::port::QueueError;
use url::Url;

use crate::names;

/// Where the queues are and how they are used.
///
/// Its text form is `sqs://REGION/PREFIX`, for example `sqs://eu-central-1/florin`, with these in the query:
/// - `topic_arn`: the SNS topic that events are published to;
/// - `endpoint`: another address for SQS and SNS, for example an emulator's;
/// - `create=true`: make what is not there; for development and tests, elsewhere infrastructure makes it;
/// - `wait_s`: seconds of a long poll, 1 to 20, 20 unless told;
/// - `visibility_s`: seconds that a message is held at a time, 2 to 43200, 60 unless told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqsConfig {
    /// For example `eu-central-1`.
    pub region: String,
    /// What the names of all queues begin with; may be empty.
    pub prefix: String,
    /// The topic that events are published to; without one they are sent straight to the queues.
    pub topic_arn: Option<String>,
    /// Another address for SQS and SNS. On a loopback address over plain http no real credentials are used.
    pub endpoint: Option<String>,
    /// Whether to make queues, topic and subscriptions that are not there.
    pub create: bool,
    /// How long a poll waits for messages.
    pub wait: Duration,
    /// How long a message is held before the hold is renewed or lost.
    pub visibility: Duration,
}

const KNOWN: &str = "topic_arn, endpoint, create, wait_s and visibility_s";

impl SqsConfig {
    /// The queues of this region whose names begin with this prefix, with nothing else said.
    pub fn new(region: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            prefix: prefix.into(),
            topic_arn: None,
            endpoint: None,
            create: false,
            wait: Duration::from_secs(20),
            visibility: Duration::from_secs(60),
        }
    }

    /// The name of a function's queue: `florin-audit-record_event` for `audit.record_event` under `florin`.
    pub fn queue_name(&self, function: &str) -> String {
        names::queue(&self.prefix, function)
    }

    /// The name of the queue beside it, for what no function can answer.
    pub fn dead_queue_name(&self, function: &str) -> String {
        names::dead(&self.queue_name(function))
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), QueueError> {
        match key {
            "topic_arn" => {
                topic_region(value)?;
                self.topic_arn = Some(value.to_owned());
            }
            "endpoint" => {
                let url = Url::parse(value).ok();
                if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
                    return Err(QueueError("endpoint is an http or https URL".to_owned()));
                }
                self.endpoint = Some(value.to_owned());
            }
            "create" => {
                self.create = value.parse().map_err(|_| QueueError("create is true or false".to_owned()))?;
            }
            "wait_s" => self.wait = seconds(key, value, 1..=20)?,
            "visibility_s" => self.visibility = seconds(key, value, 2..=43_200)?,
            _ => return Err(QueueError(format!("{key:?} is not known in an sqs:// address: {KNOWN} are"))),
        }
        Ok(())
    }
}

impl FromStr for SqsConfig {
    type Err = QueueError;

    fn from_str(text: &str) -> Result<Self, QueueError> {
        let shape = || QueueError("the address of SQS is sqs://REGION/PREFIX".to_owned());
        let url = Url::parse(text).map_err(|_| shape())?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url.fragment().is_none();
        let region = url.host_str().unwrap_or_default();
        let region_shape = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if url.scheme() != "sqs" || !plain || region.is_empty() || !region.bytes().all(region_shape) {
            return Err(shape());
        }
        let mut config = Self::new(region, url.path().strip_prefix('/').unwrap_or_default());
        // With a function of one character, so that an empty prefix passes.
        names::check(&config.queue_name("f"))?;
        let mut seen = Vec::new();
        for (key, value) in url.query_pairs() {
            if seen.contains(&key) {
                return Err(QueueError(format!("{key:?} stands twice in the sqs:// address")));
            }
            config.set(&key, &value)?;
            seen.push(key);
        }
        Ok(config)
    }
}

/// The region of a topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`.
pub(crate) fn topic_region(arn: &str) -> Result<&str, QueueError> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "sns", region, _, name]
            if !region.is_empty() && !name.is_empty() && !name.ends_with(".fifo") =>
        {
            Ok(region)
        }
        _ => Err(QueueError(
            "topic_arn is arn:PARTITION:sns:REGION:ACCOUNT:NAME of a standard topic".to_owned(),
        )),
    }
}

fn seconds(key: &str, value: &str, range: RangeInclusive<u64>) -> Result<Duration, QueueError> {
    let parsed = value.parse().ok().filter(|seconds| range.contains(seconds));
    parsed.map(Duration::from_secs).ok_or_else(|| {
        QueueError(format!("{key} is a whole number of seconds, {} to {}", range.start(), range.end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_the_queues_are() {
        let plain: SqsConfig = "sqs://eu-central-1/florin".parse().unwrap();
        assert_eq!(plain, SqsConfig::new("eu-central-1", "florin"));
        assert_eq!(plain.queue_name("audit.record_event"), "florin-audit-record_event");
        assert_eq!(plain.dead_queue_name("audit.record_event"), "florin-audit-record_event-dead");

        let full: SqsConfig = "sqs://us-east-1/?endpoint=http://127.0.0.1:5000&create=true&wait_s=1\
                               &topic_arn=arn:aws:sns:us-east-1:123456789012:florin&visibility_s=120"
            .parse()
            .unwrap();
        let expected = SqsConfig {
            topic_arn: Some("arn:aws:sns:us-east-1:123456789012:florin".to_owned()),
            endpoint: Some("http://127.0.0.1:5000".to_owned()),
            create: true,
            wait: Duration::from_secs(1),
            visibility: Duration::from_secs(120),
            ..SqsConfig::new("us-east-1", "")
        };
        assert_eq!(full, expected);
    }

    #[test]
    fn an_address_with_anything_unknown_is_refused_by_name() {
        for (address, named) in [
            ("amqp://eu-central-1/florin", "sqs://REGION/PREFIX"),
            ("sqs:///florin", "sqs://REGION/PREFIX"),
            ("sqs://key:secret@eu-central-1/florin", "sqs://REGION/PREFIX"),
            ("sqs://eu-central-1/flo/rin", "no name for a queue"),
            ("sqs://eu-central-1/florin.fifo", "no name for a queue"),
            ("sqs://eu-central-1/florin?topic=x", "\"topic\""),
            ("sqs://eu-central-1/florin?topic_arn=florin", "topic_arn"),
            ("sqs://eu-central-1/florin?topic_arn=arn:aws:sns:eu-central-1:1:a.fifo", "topic_arn"),
            ("sqs://eu-central-1/florin?endpoint=localhost:5000", "endpoint"),
            ("sqs://eu-central-1/florin?create=1", "create"),
            ("sqs://eu-central-1/florin?wait_s=21", "wait_s"),
            ("sqs://eu-central-1/florin?wait_s=2&wait_s=3", "\"wait_s\""),
            ("sqs://eu-central-1/florin?visibility_s=0", "visibility_s"),
        ] {
            let refusal = address.parse::<SqsConfig>().unwrap_err().to_string();
            assert!(refusal.contains(named), "{address}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }
}
