//! Real processes under load are told to end, are killed, and lose their broker: what was accepted is recorded once.

mod town;

use florin_conformance::site::Broker;
use florin_testkit::servers::own_rabbitmq;
use florin_testkit::suite::Engine;

use town::{Brings, Town};

/// Every process is told to end in the middle of its work, one after the other, and started again.
async fn sigterm(engine: Engine, brings: Brings) {
    let Some(mut town) = Town::start(engine, brings).await else { return };
    let load = town.pay();
    for number in 0..town.processes() {
        load.goes_on().await;
        town.terminate(number).await;
    }
    load.goes_on().await;
    town.assert_everything_is_recorded_once(load).await;
}

/// Every process is killed in the middle of its work, one after the other, and started again.
async fn sigkill(engine: Engine, brings: Brings) {
    let Some(mut town) = Town::start(engine, brings).await else { return };
    let load = town.pay();
    for number in 0..town.processes() {
        load.goes_on().await;
        town.kill(number).await;
    }
    load.goes_on().await;
    town.assert_everything_is_recorded_once(load).await;
}

/// The broker is killed in the middle of its work and started again.
async fn broker_killed(engine: Engine) {
    let Some(mut node) = own_rabbitmq() else { return };
    let brings = Brings::Itself(Broker::OwnRabbitMq(node.url()));
    let Some(town) = Town::start(engine, brings).await else { return };
    // RabbitMQ 3.10 finds no leader for a queue that is killed before its directory of queues is on the disk, which it
    // writes every five seconds, and when it is told to end.
    tokio::task::block_in_place(|| node.restart()).expect("RabbitMQ starts");
    let load = town.pay();
    town.has_recorded().await;
    load.goes_on().await;
    tokio::task::block_in_place(|| node.crash());
    // Requests do not notice.
    load.goes_on().await;
    tokio::task::block_in_place(|| node.resume()).expect("RabbitMQ starts");
    load.goes_on().await;
    town.assert_everything_is_recorded_once(load).await;
}

/// A test for each kind of end, broker and database, for the same reason as the cases of the suite.
macro_rules! ends {
    ($($name:ident: $end:ident($engine:expr, $brings:expr);)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $end($engine, $brings).await;
            }
        )*
    };
}

ends! {
    sigterm_over_the_embedded_queue_from_sqlite: sigterm(Engine::Sqlite, Brings::Itself(Broker::Embedded));
    sigterm_over_the_embedded_queue_from_postgresql: sigterm(Engine::Postgres, Brings::Itself(Broker::Embedded));
    sigterm_over_rabbitmq_from_sqlite: sigterm(Engine::Sqlite, Brings::Itself(Broker::RabbitMq));
    sigterm_over_rabbitmq_from_postgresql: sigterm(Engine::Postgres, Brings::Itself(Broker::RabbitMq));
    sigterm_over_sqs_from_sqlite: sigterm(Engine::Sqlite, Brings::Itself(Broker::Sqs));
    sigterm_over_sqs_from_postgresql: sigterm(Engine::Postgres, Brings::Itself(Broker::Sqs));
    sigterm_over_sns_and_sqs_from_sqlite: sigterm(Engine::Sqlite, Brings::Itself(Broker::SqsWithTopic));
    sigterm_over_sns_and_sqs_from_postgresql: sigterm(Engine::Postgres, Brings::Itself(Broker::SqsWithTopic));
    sigterm_over_cloudevents_from_sqlite: sigterm(Engine::Sqlite, Brings::ToTheDoor);
    sigterm_over_cloudevents_from_postgresql: sigterm(Engine::Postgres, Brings::ToTheDoor);
    sigkill_over_the_embedded_queue_from_sqlite: sigkill(Engine::Sqlite, Brings::Itself(Broker::Embedded));
    sigkill_over_the_embedded_queue_from_postgresql: sigkill(Engine::Postgres, Brings::Itself(Broker::Embedded));
    sigkill_over_rabbitmq_from_sqlite: sigkill(Engine::Sqlite, Brings::Itself(Broker::RabbitMq));
    sigkill_over_rabbitmq_from_postgresql: sigkill(Engine::Postgres, Brings::Itself(Broker::RabbitMq));
    sigkill_over_sqs_from_sqlite: sigkill(Engine::Sqlite, Brings::Itself(Broker::Sqs));
    sigkill_over_sqs_from_postgresql: sigkill(Engine::Postgres, Brings::Itself(Broker::Sqs));
    sigkill_over_sns_and_sqs_from_sqlite: sigkill(Engine::Sqlite, Brings::Itself(Broker::SqsWithTopic));
    sigkill_over_sns_and_sqs_from_postgresql: sigkill(Engine::Postgres, Brings::Itself(Broker::SqsWithTopic));
    sigkill_over_cloudevents_from_sqlite: sigkill(Engine::Sqlite, Brings::ToTheDoor);
    sigkill_over_cloudevents_from_postgresql: sigkill(Engine::Postgres, Brings::ToTheDoor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_loses_nothing_of_sqlite() {
    broker_killed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_loses_nothing_of_postgresql() {
    broker_killed(Engine::Postgres).await;
}
