//! A queue, a subscription and a mapping for each reaction.

use std::collections::BTreeMap;

use florin_kernel::catalog::By;
use serde_json::{Value, json};

use super::functions::serving;
use crate::aws::{Aws, elements};
use crate::{NAME, entries};

async fn attributes(aws: &Aws, queue: &str) -> Value {
    let url = aws.target("sqs", "AmazonSQS.GetQueueUrl", &json!({ "QueueName": queue })).await;
    let asked = json!({ "QueueUrl": url["QueueUrl"], "AttributeNames": ["All"] });
    aws.target("sqs", "AmazonSQS.GetQueueAttributes", &asked).await["Attributes"].clone()
}

#[tokio::test]
async fn each_reaction_has_a_queue_that_sets_aside_what_kills_its_process() {
    let aws = Aws::here();
    for entry in entries().filter(|entry| matches!(entry.by, By::Events(_))) {
        let name = format!("{NAME}-{}", entry.name.replace('.', "-"));
        let queue = attributes(&aws, &name).await;
        let dead = attributes(&aws, &format!("{name}-dead")).await;
        let redrive: Value =
            serde_json::from_str(queue["RedrivePolicy"].as_str().expect("a redrive policy")).expect("JSON");
        assert_eq!(redrive["deadLetterTargetArn"], dead["QueueArn"]);
        assert_eq!(redrive["maxReceiveCount"], 100);
        let visible_after: u64 = queue["VisibilityTimeout"].as_str().expect("text").parse().expect("seconds");
        let timeout = serving(&aws, &entry.name).await["Timeout"].as_u64().expect("seconds");
        assert!(visible_after >= 6 * timeout, "{name}: {visible_after} s for {timeout} s");
    }
}

#[tokio::test]
async fn each_queue_is_subscribed_to_what_its_function_wants() {
    let aws = Aws::here();
    let form = BTreeMap::from([("Action", "ListSubscriptions"), ("Version", "2010-03-31")]);
    let list = aws.form("sns", &form).await;
    for entry in entries() {
        let By::Events(on) = entry.by else { continue };
        let queue = attributes(&aws, &format!("{NAME}-{}", entry.name.replace('.', "-"))).await;
        let arn = queue["QueueArn"].as_str().expect("an ARN");
        let subscriptions: Vec<&str> = elements(&list, "member");
        let subscription =
            subscriptions.iter().find(|one| one.contains(arn)).expect("the queue is subscribed");
        let id = elements(subscription, "SubscriptionArn")[0];
        let form = BTreeMap::from([
            ("Action", "GetSubscriptionAttributes"),
            ("SubscriptionArn", id),
            ("Version", "2010-03-31"),
        ]);
        let said = aws.form("sns", &form).await.replace("&quot;", "\"").replace("&#34;", "\"");
        let value = |name: &str| {
            let after = said.split_once(&format!("<key>{name}</key>"))?.1;
            elements(after, "value").first().map(|text| (*text).to_owned())
        };
        assert_eq!(value("RawMessageDelivery").as_deref(), Some("true"), "{said}");
        let filter: Value =
            value("FilterPolicy").map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"));
        let dead = attributes(&aws, &format!("{NAME}-{}-dead", entry.name.replace('.', "-"))).await;
        let redrive: Value =
            serde_json::from_str(&value("RedrivePolicy").expect("a redrive policy")).expect("JSON");
        assert_eq!(redrive["deadLetterTargetArn"], dead["QueueArn"], "what SNS cannot deliver is kept");
        let policy = dead["Policy"].as_str().expect("a policy");
        assert!(policy.contains("sns.amazonaws.com"), "the topic may send there: {policy}");
        // The one that the program itself would make.
        assert_eq!(filter, florin_sqs::filter_policy(on).unwrap_or(Value::Null), "{}", entry.name);
    }
}

#[tokio::test]
async fn each_mapping_reports_what_failed_of_a_batch() {
    let aws = Aws::here();
    let mappings = aws.get("lambda", "/2015-03-31/event-source-mappings/").await;
    let mappings = mappings["EventSourceMappings"].as_array().expect("a list");
    let reactions: Vec<_> = entries().filter(|entry| matches!(entry.by, By::Events(_))).collect();
    assert_eq!(mappings.len(), reactions.len());
    for entry in reactions {
        let queue = format!(":{NAME}-{}", entry.name.replace('.', "-"));
        let mapping = mappings
            .iter()
            .find(|mapping| mapping["EventSourceArn"].as_str().is_some_and(|arn| arn.ends_with(&queue)))
            .expect("the queue has a mapping");
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
        assert_eq!(mapping["BatchSize"], 10);
        assert_eq!(mapping["State"], "Enabled");
        let lambda = serving(&aws, &entry.name).await;
        let name = lambda["FunctionName"].as_str().expect("a name");
        assert!(
            mapping["FunctionArn"].as_str().is_some_and(|arn| arn.contains(&format!(":{name}:"))),
            "{mapping}"
        );
    }
}
