//! What somebody would write with lapin and sqlx who needs neither outbox nor contract, but the same inserts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool};
use tokio::sync::Semaphore;

use crate::error::{Outcome, Trouble};
use crate::row::Round;
use crate::servers::Place;
use crate::statement_log::{Statement, Transaction, instant};

const QUEUE: &str = "raw";

/// Unconfirmed publishes at a time, as many as our relay claims at once.
const WINDOW: usize = 256;

/// What a consumer asks of the database for one event.
#[derive(Clone, Debug)]
pub struct Taking {
    begin: String,
    insert: Statement,
    event_id: usize,
}

impl Taking {
    /// As the log shows it.
    pub fn of(seen: &[Transaction]) -> Outcome<Self> {
        let found = seen.iter().find(|transaction| transaction.says("INSERT INTO florin_inbox"));
        let Some([begin, insert, _]) = found.map(|transaction| transaction.statements.as_slice()) else {
            return Err(Trouble::failed(format!("a delivery is not BEGIN, INSERT and COMMIT: {found:?}")));
        };
        let event_id = insert
            .values
            .iter()
            .position(|value| value.as_deref().is_some_and(|value| value.starts_with("evt_")));
        let event_id = event_id.ok_or_else(|| Trouble::failed("the inbox names no event"))?;
        Ok(Self { begin: begin.text.clone(), insert: insert.clone(), event_id })
    }
}

/// A queue with a publisher and a consumer on it.
pub struct RawQueue {
    publishing: Channel,
    taken: Arc<AtomicU64>,
    _connections: [Connection; 2],
}

impl RawQueue {
    /// Connects and begins to consume.
    pub async fn start(url: &str, place: &Place, taking: Taking, concurrency: usize) -> Outcome<Self> {
        let options: PgConnectOptions = place.login.parse()?;
        let options = options.options([("search_path", "bench")]).disable_statement_logging();
        let pool =
            PgPoolOptions::new().max_connections(8).test_before_acquire(false).connect_lazy_with(options);
        let open = || Connection::connect(url, ConnectionProperties::default());
        let connections = [open().await?, open().await?];
        let publishing = connections[0].create_channel().await?;
        publishing.confirm_select(ConfirmSelectOptions::default()).await?;
        let consuming = connections[1].create_channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        consuming.queue_declare(QUEUE.into(), durable, arguments).await?;
        let prefetch = u16::try_from(concurrency * 2)?;
        consuming.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let mut consumer = consuming
            .basic_consume(QUEUE.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await?;
        let taken = Arc::new(AtomicU64::new(0));
        let (count, taking) = (Arc::clone(&taken), Arc::new(taking));
        tokio::spawn(async move {
            let room = Arc::new(Semaphore::new(concurrency));
            while let (Some(Ok(delivery)), Ok(permit)) =
                (consumer.next().await, Arc::clone(&room).acquire_owned().await)
            {
                let (pool, taking, count) = (pool.clone(), Arc::clone(&taking), Arc::clone(&count));
                tokio::spawn(async move {
                    let id = delivery.properties.message_id().as_ref().map(ToString::to_string);
                    if take(&pool, &taking, &id.unwrap_or_default()).await.is_ok()
                        && delivery.ack(BasicAckOptions::default()).await.is_ok()
                    {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    drop(permit);
                });
            }
        });
        Ok(Self { publishing, taken, _connections: connections })
    }

    /// Publishes so many messages and waits until all are taken.
    pub async fn round(&self, body: &[u8], events: u64) -> Outcome<Round> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (before, began) = (self.taken.load(Ordering::Relaxed), Instant::now());
        let mut left = usize::try_from(events)?;
        while left > 0 {
            let many = left.min(WINDOW);
            let sending = (0..many).map(|_| async {
                let id = format!("evt_{:032x}", NUMBER.fetch_add(1, Ordering::Relaxed));
                // Persistent (AMQP 0.9.1: delivery mode 2), as ours are.
                let properties = BasicProperties::default().with_message_id(id.into()).with_delivery_mode(2);
                let options = BasicPublishOptions { mandatory: true, immediate: false };
                let confirm =
                    self.publishing.basic_publish("".into(), QUEUE.into(), options, body, properties).await?;
                match confirm.await? {
                    Confirmation::Ack(None) => Ok(()),
                    other => Err(Trouble::failed(format!("not stored: {other:?}"))),
                }
            });
            try_join_all(sending).await?;
            left -= many;
        }
        while self.taken.load(Ordering::Relaxed) < before + events {
            if began.elapsed() > Duration::from_secs(60) {
                return Err(Trouble::failed("messages were not taken within a minute"));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Round { value: crate::rows::per_second(events, began.elapsed()), ..Round::default() })
    }
}

async fn take(pool: &PgPool, taking: &Taking, id: &str) -> sqlx::Result<()> {
    let mut tx = pool.begin_with(AssertSqlSafe(taking.begin.clone())).await?;
    let mut query = sqlx::query(AssertSqlSafe(taking.insert.text.clone()));
    for (index, value) in taking.insert.values.iter().enumerate() {
        query = match (index == taking.event_id, value) {
            (true, _) => query.bind(id.to_owned()),
            (false, Some(value)) => match instant(value) {
                Some(time) => query.bind(time),
                None => query.bind(value.clone()),
            },
            (false, None) => query.bind(None::<String>),
        };
    }
    query.execute(&mut *tx).await?;
    tx.commit().await
}
