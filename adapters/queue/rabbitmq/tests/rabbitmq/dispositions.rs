//! What a handler answers decides when, and whether, the message comes again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use florin_kernel::corridor::Disposition;
use florin_queue::port::{Subscriber, Subscription};
use florin_rabbitmq::RabbitMq;

use crate::site::{PAYMENTS, consume, event, ids, on_broker, publish_all};

/// Answers these in turn, then `Done`.
fn script(answers: impl Into<Vec<Disposition>>) -> impl Fn() -> Disposition {
    let answers = answers.into();
    let turn = AtomicUsize::new(0);
    move || answers.get(turn.fetch_add(1, Ordering::SeqCst)).cloned().unwrap_or(Disposition::Done)
}

#[test]
fn a_retry_comes_after_its_step_of_the_ladder_and_not_before() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let answers = script([
            Disposition::Retry { after: Duration::from_millis(700) },
            Disposition::Retry { after: Duration::from_millis(1_500) },
        ]);
        let answers = Arc::new(answers);
        let mut consumer = consume(&broker, PAYMENTS, 1, move |_| std::future::ready(answers()));
        let sent = event("slow");
        publish_all(&broker, std::slice::from_ref(&sent)).await;
        // The steps are one second, and five.
        let mut before: Option<Instant> = None;
        for at_least_ms in [0, 1_000, 5_000] {
            assert_eq!(consumer.next().await, sent, "it comes again as it was");
            let now = Instant::now();
            if let Some(before) = before {
                let waited = now - before;
                assert!(waited >= Duration::from_millis(at_least_ms), "it came after {waited:?}");
            }
            before = Some(now);
        }
        consumer.stopped().await;
    });
}

#[test]
fn a_retry_does_not_hold_up_other_events() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let mut consumer = consume(&broker, PAYMENTS, 1, |event| async move {
            match event.id.as_str() {
                "0" => Disposition::Retry { after: Duration::from_secs(3_600) },
                _ => Disposition::Done,
            }
        });
        publish_all(&broker, &(0..20).map(event).collect::<Vec<_>>()).await;
        assert_eq!(consumer.see_all(ids(0..20)).await, 20);
        consumer.stopped().await;
    });
}

/// The next thing that a consumer sees is what is published now.
async fn assert_nothing_is_left(broker: &RabbitMq, subscription: Subscription) {
    publish_all(broker, &[event("marker")]).await;
    let mut consumer = consume(broker, subscription, 1, async |_| Disposition::Done);
    assert_eq!(consumer.next().await.id, "marker");
    consumer.stopped().await;
}

#[test]
fn done_duplicate_and_permanent_do_not_come_again() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let answers = script([Disposition::Done, Disposition::Duplicate]);
        let answers = Arc::new(answers);
        let mut consumer = consume(&broker, PAYMENTS, 1, move |event| {
            let answer = match event.id.as_str() {
                "2" => Disposition::Permanent { code: "payment_unknown".to_owned() },
                _ => answers(),
            };
            std::future::ready(answer)
        });
        publish_all(&broker, &(0..3).map(event).collect::<Vec<_>>()).await;
        consumer.see_all(ids(0..3)).await;
        consumer.stopped().await;
        assert_nothing_is_left(&broker, PAYMENTS).await;
        assert!(broker.set_aside(&[PAYMENTS], 10).await.unwrap().is_empty());
    });
}

#[test]
fn not_attempted_costs_nothing_however_often() {
    on_broker(async |site| {
        let broker = site.declared(&[PAYMENTS]).await;
        let left = Arc::new(AtomicUsize::new(250));
        let mut consumer = consume(&broker, PAYMENTS, 1, move |_| {
            let away =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            std::future::ready(if away { Disposition::NotAttempted } else { Disposition::Done })
        });
        let sent = event("patient");
        publish_all(&broker, std::slice::from_ref(&sent)).await;
        // Far more often than the broker's own limit of 100.
        for _ in 0..251 {
            assert_eq!(consumer.next().await, sent);
        }
        consumer.stopped().await;
        assert!(broker.set_aside(&[PAYMENTS], 10).await.unwrap().is_empty());
    });
}

#[test]
fn a_consumer_pauses_after_not_attempted() {
    on_broker(async |site| {
        let mut config = site.config();
        (config.pause_first, config.pause_longest) = (Duration::from_secs(2), Duration::from_secs(2));
        let broker = RabbitMq::connect(config).unwrap();
        broker.declare(&[PAYMENTS]).await.unwrap();
        let answers = Arc::new(script([Disposition::NotAttempted]));
        let mut consumer = consume(&broker, PAYMENTS, 1, move |_| std::future::ready(answers()));
        publish_all(&broker, &(0..2).map(event).collect::<Vec<_>>()).await;
        consumer.next().await;
        let began = Instant::now();
        consumer.next().await;
        // Chance takes at most half of the pause.
        assert!(began.elapsed() >= Duration::from_millis(950), "it went on after {:?}", began.elapsed());
        consumer.stopped().await;
    });
}
