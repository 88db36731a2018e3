//! What lies in a function's dead queue, read without taking it away.

use florin_queue::port::{QueueError, SetAside};
use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::types::{AMQPValue, FieldTable};

use crate::broker::Broker;
use crate::failure::{is_not_found, queue_error, within};
use crate::message::REASON;

/// The most of one message that is shown, in characters.
const MOST_SHOWN: usize = 16_384;

/// At most `most` messages of one function's dead queue, the oldest first.
pub(crate) async fn peek(broker: &Broker, function: &str, most: usize) -> Result<Vec<SetAside>, QueueError> {
    let limit = broker.config.connect_timeout;
    match within(limit, "read the dead queue", messages(broker, function, most)).await {
        Ok(found) => Ok(found),
        // Nobody has declared it: nothing can lie there.
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        Err(error) => Err(queue_error(function, &error)),
    }
}

async fn messages(broker: &Broker, function: &str, most: usize) -> lapin::Result<Vec<SetAside>> {
    let channel = broker.consuming.channel().await?;
    let mut held: Vec<Delivery> = Vec::new();
    while held.len() < most {
        let got = channel.basic_get(broker.names.dead(function), BasicGetOptions::default()).await?;
        match got {
            Some(message) => held.push(message.delivery),
            None => break,
        }
    }
    // Held until all are read, so that none is read twice; closing the channel alone would give them back as well.
    if let Some(last) = held.last() {
        last.nack(BasicNackOptions { multiple: true, requeue: true }).await?;
    }
    channel.close(200, "read".into()).await?;
    Ok(held.iter().map(|delivery| shown(function, delivery)).collect())
}

fn shown(function: &str, delivery: &Delivery) -> SetAside {
    let headers = delivery.properties.headers().as_ref().map(FieldTable::inner);
    let header = |name: &str| headers.and_then(|headers| headers.get(name)).and_then(text);
    let why = header(REASON).or_else(|| match header("x-first-death-reason").as_deref() {
        Some("delivery_limit") => Some("delivered again and again, and never answered".to_owned()),
        other => other.map(str::to_owned),
    });
    let mut message = String::new();
    for (name, value) in headers.into_iter().flatten() {
        if let Some(value) = text(value).filter(|_| name.as_str().starts_with("cloudEvents")) {
            message.push_str(&format!("{name}: {value}\n"));
        }
    }
    if let Some(content_type) = delivery.properties.content_type() {
        message.push_str(&format!("content-type: {content_type}\n"));
    }
    message.push('\n');
    message.push_str(&String::from_utf8_lossy(&delivery.data));
    if let Some((end, _)) = message.char_indices().nth(MOST_SHOWN) {
        message.truncate(end);
    }
    SetAside { function: function.to_owned(), message, why: why.unwrap_or_else(|| "unknown".to_owned()) }
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}
