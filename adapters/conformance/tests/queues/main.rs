//! One suite for every queue, on both databases: each declares its features, and all of them keep what Florin
//! promises of deliveries. The consumer is the real corridor; the brokers are real servers.

mod consuming;
mod corner;
mod desk;
mod features;
mod looks;
mod lost;
mod once;
mod outage;
mod place;
mod platform;
mod retries;
mod sample;
mod travel;

use corner::{Kind, on, on_each_database};
use florin_testkit::suite::Engine;

/// A test for each queue and case, named after both. A loop over the queues would be one test that stops at the
/// first queue that fails; a list by hand would sooner or later leave a case out for one queue.
macro_rules! queue {
    ($name:ident, $kind:expr) => {
        mod $name {
            use super::*;
            queue! { @cases $kind,
                travel::what_is_published_waits_for_its_consumer_and_arrives_as_it_was,
                travel::each_function_gets_its_own_copy_of_what_it_wants_and_nothing_else,
                travel::events_come_in_order_where_the_queue_says_so,
                travel::the_largest_event_travels_and_a_larger_one_is_refused_where_it_is_emitted,
                retries::a_retry_comes_at_its_time_and_not_before,
                retries::one_function_that_fails_leaves_the_others_alone,
                retries::what_is_refused_is_a_dead_letter_and_is_replayed_by_the_ordinary_path,
                retries::our_limit_of_attempts_is_reached_before_the_brokers,
                once::an_event_that_is_published_again_and_again_changes_something_once,
                once::every_order_of_a_things_events_ends_in_one_state,
                once::the_trace_of_the_request_reaches_the_reaction,
                outage::a_database_that_is_away_for_ten_minutes_costs_no_attempt_and_no_event,
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_file_that_another_holds_for_ten_minutes_costs_no_attempt_and_no_event() {
                let case = outage::a_file_that_another_holds_for_ten_minutes_costs_no_attempt_and_no_event;
                on($kind, Engine::Sqlite, case).await;
            }
        }
    };
    (@cases $kind:expr, $($module:ident::$case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                on_each_database($kind, $module::$case).await;
            }
        )*
    };
}

queue!(embedded, Kind::Embedded);
queue!(rabbitmq, Kind::RabbitMq);
queue!(sqs, Kind::Sqs);
queue!(sns_and_sqs, Kind::SqsWithTopic);
queue!(cloudevents, Kind::Pushed);
