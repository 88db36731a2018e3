//! What AWS does beside the fronts: polls the queue for the function, and ticks its schedules.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::Client as Sqs;
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use florin_sqs::SqsConfig;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::dice::Dice;
use super::functions::Environment;

/// How long a message stays away that a function did not take. AWS advises six times the function's time-out; here
/// nothing is slept out that long, and a second delivery beside the first changes nothing.
const VISIBILITY_S: i32 = 3;

/// The jobs of payments, with every how many ticks of ours each is run.
const JOBS: [(&str, u64); 4] = [
    ("payments.sweep", 1),
    ("payments.look_up_actions", 2),
    ("payments.expire_authorizations", 5),
    ("payments.purge", 20),
];

/// How often the scheduler ticks, while its clock runs ten times as fast.
const TICK: Duration = Duration::from_millis(500);

/// Ticks for as long as it is polled.
pub(crate) async fn schedule(environment: Environment) {
    for tick in 0_u64.. {
        for (job, every) in JOBS {
            if tick % every == 0 {
                // What was killed is due at the next tick.
                let _ = environment.invoke(&json!({ "florin": { "job": job } })).await;
            }
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The event source mapping of one function's queue.
pub(crate) struct Poller {
    sqs: Sqs,
    queue: String,
    arn: String,
}

impl Poller {
    /// The poller of this function's queue.
    ///
    /// # Errors
    /// The queue is not there.
    pub(crate) async fn of(config: &SqsConfig, function: &str) -> Result<Self, String> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .credentials_provider(Credentials::new("test", "test", None, None, "emulator"));
        if let Some(endpoint) = &config.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let sqs = Sqs::new(&loader.load().await);
        let name = config.queue_name(function);
        let found = sqs.get_queue_url().queue_name(&name).send().await;
        let found = found.map_err(|error| format!("{name}: {error:?}"))?;
        let queue = found.queue_url().unwrap_or_default().to_owned();
        let arn = format!("arn:aws:sqs:{}:123456789012:{name}", config.region);
        Ok(Self { sqs, queue, arn })
    }

    /// Polls for as long as it is polled: batches in another order than they came, and some of them twice.
    pub(crate) async fn run(self: Arc<Self>, environments: Vec<Environment>) {
        let mut polling = JoinSet::new();
        for (number, environment) in environments.into_iter().enumerate() {
            let dice = Dice::new(u64::try_from(number).unwrap_or(0));
            polling.spawn(Arc::clone(&self).poll(environment, dice));
        }
        polling.join_all().await;
    }

    async fn poll(self: Arc<Self>, environment: Environment, mut dice: Dice) {
        loop {
            let mut messages = self.receive().await;
            if messages.is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            messages.sort_by_cached_key(|_| dice.next());
            let event = self.event(&messages);
            let mut answer = environment.invoke(&event).await;
            if dice.percent(10) {
                answer = environment.invoke(&event).await;
            }
            // Nothing said, nothing deleted: the batch comes again.
            if let Some(answer) = answer {
                self.delete(&messages, &answer).await;
            }
        }
    }

    async fn receive(&self) -> Vec<Message> {
        let asked = self.sqs.receive_message().queue_url(&self.queue).max_number_of_messages(10);
        let asked = asked
            .visibility_timeout(VISIBILITY_S)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .wait_time_seconds(1);
        asked.send().await.map(|received| received.messages.unwrap_or_default()).unwrap_or_default()
    }

    fn event(&self, messages: &[Message]) -> Value {
        let count = MessageSystemAttributeName::ApproximateReceiveCount;
        let record = |message: &Message| {
            let count = message.attributes.as_ref().and_then(|all| all.get(&count));
            json!({
                "messageId": message.message_id, "receiptHandle": message.receipt_handle, "body": message.body,
                "attributes": { "ApproximateReceiveCount": count }, "messageAttributes": {},
                "eventSource": "aws:sqs", "eventSourceARN": self.arn, "awsRegion": "eu-central-1",
            })
        };
        json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
    }

    async fn delete(&self, messages: &[Message], answer: &Value) {
        let failed: Vec<&str> = answer["batchItemFailures"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|failure| failure["itemIdentifier"].as_str())
            .collect();
        let done: Vec<DeleteMessageBatchRequestEntry> = messages
            .iter()
            .filter(|message| !failed.contains(&message.message_id().unwrap_or_default()))
            .enumerate()
            .filter_map(|(number, message)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string());
                entry.receipt_handle(message.receipt_handle()?).build().ok()
            })
            .collect();
        if !done.is_empty() {
            // Not deleted, they come again, and are duplicates.
            let _ =
                self.sqs.delete_message_batch().queue_url(&self.queue).set_entries(Some(done)).send().await;
        }
    }
}
