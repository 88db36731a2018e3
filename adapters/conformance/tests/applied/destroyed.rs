//! After destroy nothing is left.

use std::collections::BTreeMap;

use serde_json::json;

use crate::aws::{Aws, elements};

#[tokio::test]
async fn nothing_is_left() {
    let aws = Aws::here();
    for (service, path, list) in [
        ("lambda", "/2015-03-31/functions", "Functions"),
        ("lambda", "/2015-03-31/event-source-mappings/", "EventSourceMappings"),
        ("apigateway", "/v2/apis", "items"),
        ("scheduler", "/schedules", "Schedules"),
    ] {
        assert_eq!(aws.get(service, path).await[list], json!([]), "{path}");
    }
    let queues = aws.target("sqs", "AmazonSQS.ListQueues", &json!({})).await;
    assert!(queues["QueueUrls"].as_array().is_none_or(Vec::is_empty), "{queues}");
    let secrets = aws.target("secretsmanager", "secretsmanager.ListSecrets", &json!({})).await;
    assert_eq!(secrets["SecretList"], json!([]));
    let groups = aws.target("logs", "Logs_20140328.DescribeLogGroups", &json!({})).await;
    assert_eq!(groups["logGroups"], json!([]));
    let topics = BTreeMap::from([("Action", "ListTopics"), ("Version", "2010-03-31")]);
    assert!(elements(&aws.form("sns", &topics).await, "TopicArn").is_empty());
    let roles = BTreeMap::from([("Action", "ListRoles"), ("Version", "2010-05-08")]);
    assert!(elements(&aws.form("iam", &roles).await, "RoleName").is_empty());
    let alarms = BTreeMap::from([("Action", "DescribeAlarms"), ("Version", "2010-08-01")]);
    assert!(elements(&aws.form("monitoring", &alarms).await, "AlarmName").is_empty());
    let clusters = BTreeMap::from([("Action", "DescribeDBClusters"), ("Version", "2014-10-31")]);
    assert!(elements(&aws.form("rds", &clusters).await, "DBClusterIdentifier").is_empty());
}
