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
    let also_planned = json!({ "IncludePlannedDeletion": true });
    let secrets = aws.target("secretsmanager", "secretsmanager.ListSecrets", &also_planned).await;
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
    let snapshots = BTreeMap::from([("Action", "DescribeDBClusterSnapshots"), ("Version", "2014-10-31")]);
    let snapshots = aws.form("rds", &snapshots).await;
    let snapshots = elements(&snapshots, "DBClusterSnapshotIdentifier");
    // AWS takes its automated ones away with the cluster, the emulator does not.
    assert!(snapshots.iter().all(|name| name.starts_with("rds:")), "{snapshots:?}");
    // AWS keeps a key that is destroyed for a while: nothing can be encrypted with it any more.
    let keys = aws.target("kms", "TrentService.ListKeys", &json!({})).await;
    for key in keys["Keys"].as_array().expect("a list") {
        let asked = json!({ "KeyId": key["KeyId"] });
        let key = aws.target("kms", "TrentService.DescribeKey", &asked).await;
        assert_eq!(key["KeyMetadata"]["KeyState"], "PendingDeletion", "{key}");
    }
}
