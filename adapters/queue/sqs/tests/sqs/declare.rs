//! Queues that are made, or found.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use florin_queue::port::{Subscriber, Subscription};
use florin_sqs::{Sqs, SqsConfig};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::world::{AUDIT, INVOICE, config, raw, url};

async fn attributes(sqs: &Sqs, queue: &str) -> HashMap<Attribute, String> {
    let call = raw(sqs).get_queue_attributes().queue_url(url(sqs, queue).await);
    call.attribute_names(Attribute::All).send().await.unwrap().attributes.unwrap()
}

#[tokio::test]
async fn a_declared_queue_keeps_messages_for_14_days_and_gives_up_after_100_deliveries() {
    let Some(config) = config() else { return };
    let sqs = Sqs::connect(config).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    sqs.declare(&[AUDIT]).await.unwrap();
    let queue = sqs.config().queue_name(AUDIT.function);
    let dead = attributes(&sqs, &format!("{queue}-dead")).await;
    let made = attributes(&sqs, &queue).await;
    assert_eq!(made[&Attribute::MessageRetentionPeriod], "1209600");
    assert_eq!(dead[&Attribute::MessageRetentionPeriod], "1209600");
    assert_eq!(made[&Attribute::VisibilityTimeout], "60");
    let redrive: Value = serde_json::from_str(&made[&Attribute::RedrivePolicy]).unwrap();
    assert_eq!(redrive["maxReceiveCount"], json!(100));
    assert_eq!(redrive["deadLetterTargetArn"], json!(dead[&Attribute::QueueArn]));
}

#[tokio::test]
async fn a_queue_that_is_there_gets_the_attributes_of_now() {
    let Some(config) = config() else { return };
    Sqs::connect(config.clone()).await.declare(&[AUDIT]).await.unwrap();
    let changed = Sqs::connect(SqsConfig { visibility: Duration::from_secs(90), ..config }).await;
    changed.declare(&[AUDIT]).await.unwrap();
    let made = attributes(&changed, &changed.config().queue_name(AUDIT.function)).await;
    assert_eq!(made[&Attribute::VisibilityTimeout], "90");
}

#[tokio::test]
async fn where_infrastructure_makes_the_queues_a_missing_one_is_named() {
    let Some(config) = config() else { return };
    Sqs::connect(config.clone()).await.declare(&[AUDIT]).await.unwrap();
    let sqs = Sqs::connect(SqsConfig { create: false, ..config }).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    let error = sqs.declare(&[AUDIT, INVOICE]).await.unwrap_err().to_string();
    assert!(error.contains(&sqs.config().queue_name(INVOICE.function)), "{error}");
}

#[tokio::test]
async fn a_topic_of_another_account_is_not_made() {
    let Some(config) = config() else { return };
    let topic_arn = Some("arn:aws:sns:eu-central-1:999999999999:florin".to_owned());
    let sqs = Sqs::connect(SqsConfig { topic_arn, ..config }).await;
    let error = sqs.declare(&[AUDIT]).await.unwrap_err().to_string();
    assert!(error.contains("999999999999"), "{error}");
}

#[tokio::test]
async fn a_function_whose_queue_would_have_a_bad_name_is_refused_before_anything_is_made() {
    let sqs = Sqs::connect(SqsConfig::new("eu-central-1", "x".repeat(60))).await;
    let long = Subscription { function: "audit.record_every_event", on: AUDIT.on };
    assert!(sqs.declare(&[long]).await.unwrap_err().to_string().contains("75 characters"));
    assert!(sqs.route(&[long]).is_err());
}

#[tokio::test]
async fn while_aws_is_away_a_declaration_waits() {
    let mut failures = 4;
    let fake = Fake::start(move |call| {
        if failures > 0 {
            failures -= 1;
            return (503, "{}".to_owned());
        }
        assert_eq!(call.operation, "AmazonSQS.GetQueueUrl");
        (200, json!({ "QueueUrl": "http://127.0.0.1/1/q" }).to_string())
    })
    .await;
    let sqs = Sqs::connect(fake.config()).await;
    sqs.declare(&[AUDIT]).await.unwrap();
    assert_eq!(fake.calls(), 5);
}
