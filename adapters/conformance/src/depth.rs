//! How much a broker still holds, asked from outside of every `florin` process.

use std::path::Path;
use std::time::Duration;

use florin_kernel::corridor::LADDER;
use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _};

use crate::client::loopback;
use crate::wait::until;

/// What a function's queue in this data directory holds, or all queues together, with what their consumers hold of it.
/// What is set aside waits for nobody.
///
/// # Panics
/// When there is no queue.
pub async fn embedded(data: &Path, function: Option<&str>) -> u64 {
    let options = SqliteConnectOptions::new().filename(data.join("queue.db"));
    let mut on = options.connect().await.expect("the queue's file opens");
    let sql = "SELECT count(*) FROM queue_messages
               WHERE (set_aside IS NULL OR holder IS NOT NULL) AND queue = coalesce($1, queue)";
    let count: i64 =
        sqlx::query_scalar(sql).bind(function).fetch_one(&mut on).await.expect("the queue is counted");
    on.close().await.expect("the queue's file closes");
    u64::try_from(count).expect("a count")
}

/// What a function's queue on RabbitMQ and its ladder hold. What a consumer was handed and has not answered does
/// not count: AMQP tells it to nobody, so look once more when the consumers have stopped.
///
/// # Panics
/// When the broker does not answer.
pub async fn rabbitmq(url: &str, prefix: &str, function: &str) -> u64 {
    let connection =
        Connection::connect(url, ConnectionProperties::default()).await.expect("RabbitMQ answers");
    let channel = connection.create_channel().await.expect("a channel");
    let queue = format!("{prefix}{function}");
    let ladder = LADDER.into_iter().map(|step| format!("{queue}.retry.{}", step.as_secs()));
    let mut waiting = 0;
    for name in std::iter::once(queue.clone()).chain(ladder) {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let there =
            channel.queue_declare(name.into(), passive, FieldTable::default()).await.expect("a queue");
        waiting += u64::from(there.message_count());
    }
    connection.close(200, "counted".into()).await.expect("the connection closes");
    waiting
}

/// Which steps of a function's ladder hold how much: the step's time to live, and the number of messages.
///
/// # Panics
/// When the broker does not answer, or a queue of the ladder has another time to live than its name says.
pub async fn rabbitmq_ladder(url: &str, prefix: &str, function: &str) -> Vec<(Duration, u32)> {
    let connection =
        Connection::connect(url, ConnectionProperties::default()).await.expect("RabbitMQ answers");
    let channel = connection.create_channel().await.expect("a channel");
    let queue = format!("{prefix}{function}");
    let text = |text: &str| AMQPValue::LongString(text.into());
    let mut held = Vec::new();
    for step in LADDER {
        let mut arguments = FieldTable::default();
        for (name, value) in [
            ("x-queue-type", text("quorum")),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&queue)),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-overflow", text("reject-publish")),
            ("x-message-ttl", AMQPValue::LongLongInt(i64::try_from(step.as_millis()).expect("an hour"))),
        ] {
            arguments.insert(name.into(), value);
        }
        // AMQP tells nobody a queue's arguments, and refuses whoever declares it with others.
        let same = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let name = format!("{queue}.retry.{}", step.as_secs());
        let there = channel.queue_declare(name.into(), same, arguments).await.expect("a queue like this");
        held.push((step, there.message_count()));
    }
    connection.close(200, "counted".into()).await.expect("the connection closes");
    held.retain(|(_, messages)| *messages > 0);
    held
}

/// Deletes the queues of these functions and their exchange: a broker that many tests use would fill up.
///
/// # Panics
/// When the broker does not answer.
pub async fn delete_rabbitmq(url: &str, prefix: &str, functions: &[&str]) {
    let connection =
        Connection::connect(url, ConnectionProperties::default()).await.expect("RabbitMQ answers");
    let channel = connection.create_channel().await.expect("a channel");
    for function in functions {
        let queue = format!("{prefix}{function}");
        let ladder = LADDER.into_iter().map(|step| format!("{queue}.retry.{}", step.as_secs()));
        for name in ladder.chain([queue.clone(), format!("{queue}.dead")]) {
            // One that is not there is deleted, too.
            channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.expect("a queue goes");
        }
    }
    let exchange = format!("{prefix}florin.events").into();
    channel.exchange_delete(exchange, ExchangeDeleteOptions::default()).await.expect("the exchange goes");
    connection.close(200, "cleared".into()).await.expect("the connection closes");
}

/// What a queue on SQS holds: messages that wait, that are delayed, and that a consumer was handed.
///
/// # Panics
/// When moto does not answer.
pub async fn sqs(endpoint: &str, queue: &str) -> u64 {
    let found = call(endpoint, "GetQueueUrl", json!({ "QueueName": queue })).await;
    let asked = json!({ "QueueUrl": found["QueueUrl"], "AttributeNames": ["All"] });
    let answer = call(endpoint, "GetQueueAttributes", asked).await;
    let count = |name: &str| {
        let text = answer["Attributes"][name].as_str();
        text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_else(|| panic!("no {name} in {answer}"))
    };
    count("ApproximateNumberOfMessages")
        + count("ApproximateNumberOfMessagesNotVisible")
        + count("ApproximateNumberOfMessagesDelayed")
}

/// When a message with this text in its body can be received again, in milliseconds of the Unix epoch. SQS tells this to
/// nobody; moto shows what it keeps.
///
/// # Panics
/// When moto does not answer, or there is no such message.
pub async fn sqs_visible_at(endpoint: &str, text: &str) -> i64 {
    let client = loopback().build().expect("an HTTP client needs nothing");
    let kept = until("moto shows what it keeps", || async {
        // It looks at what changes meanwhile, and fails then.
        let answer = client.get(format!("{endpoint}/moto-api/data.json")).send().await.ok()?;
        answer.json::<Value>().await.ok().filter(|kept| kept["sqs"]["Message"].is_array())
    })
    .await;
    let mut messages = kept["sqs"]["Message"].as_array().into_iter().flatten();
    let message = messages.find(|message| message["body"].as_str().is_some_and(|body| body.contains(text)));
    let visible_at = message.and_then(|message| message["visible_at"].as_number()).expect("the message");
    let whole = visible_at.to_string();
    whole.split('.').next().and_then(|whole| whole.parse().ok()).expect("milliseconds")
}

/// One call in AWS's JSON protocol. An emulator reads the region from the credential and checks no signature.
async fn call(endpoint: &str, operation: &str, body: Value) -> Value {
    let client = loopback().build().expect("an HTTP client needs nothing");
    let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/sqs/aws4_request, SignedHeaders=host, \
                      Signature=0";
    let request = client.post(endpoint).header("x-amz-target", format!("AmazonSQS.{operation}"));
    let request =
        request.header("content-type", "application/x-amz-json-1.0").header("authorization", credential);
    let answer = request.body(body.to_string()).send().await.expect("moto answers");
    assert!(answer.status().is_success(), "{operation}: {}", answer.status());
    answer.json().await.expect("JSON")
}
