//! How much waits in a function's queue and on its ladder.

use florin_kernel::corridor::LADDER;
use florin_queue::port::{QueueBacklog, QueueError};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use crate::broker::Broker;
use crate::failure::{is_not_found, queue_error, within};

/// What waits for one function; none while nobody has declared its queue. What a consumer was handed and has not
/// answered is not told by AMQP, and neither is how long a message waits.
pub(crate) async fn of(broker: &Broker, function: &str) -> Result<Option<QueueBacklog>, QueueError> {
    match within(broker.config.connect_timeout, "count a queue", count(broker, function)).await {
        Ok(messages) => {
            Ok(Some(QueueBacklog { function: function.to_owned(), messages, knows_age: false, oldest: None }))
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(queue_error(function, &error)),
    }
}

async fn count(broker: &Broker, function: &str) -> lapin::Result<u64> {
    let channel = broker.consuming.channel().await?;
    let ladder = LADDER.into_iter().map(|step| broker.names.retry(function, step));
    let mut messages = 0;
    for queue in std::iter::once(broker.names.queue(function)).chain(ladder) {
        // Passive: it asks, and makes nothing.
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let there = channel.queue_declare(queue, passive, FieldTable::default()).await?;
        messages += u64::from(there.message_count());
    }
    channel.close(200, "counted".into()).await?;
    Ok(messages)
}
