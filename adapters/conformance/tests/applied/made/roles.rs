//! The role of each Lambda function allows what its functions need and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use florin_kernel::catalog::By;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::functions::{lambdas, serves};
use crate::aws::{Aws, elements};
use crate::entries;

const ALWAYS: &[&str] = &[
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    "secretsmanager:GetSecretValue",
    "kms:Decrypt",
    // In a VPC, as here.
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];
const PUBLISHING: &[&str] = &["sns:Publish", "kms:GenerateDataKey"];
const CONSUMING: &[&str] = &[
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
];

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        _ => value
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one.as_str().expect("text").to_owned())
            .collect(),
    }
}

async fn policy(aws: &Aws, role: &str) -> Value {
    let form = BTreeMap::from([
        ("Action", "GetRolePolicy"),
        ("Version", "2010-05-08"),
        ("RoleName", role),
        ("PolicyName", "needs"),
    ]);
    let answer = aws.form("iam", &form).await;
    let document = elements(&answer, "PolicyDocument")[0].replace("&quot;", "\"").replace("&#34;", "\"");
    let document = percent_decode_str(&document).decode_utf8().expect("UTF-8").into_owned();
    serde_json::from_str(&document).expect("JSON")
}

#[tokio::test]
async fn a_role_allows_exactly_what_its_functions_need() {
    let aws = Aws::here();
    for lambda in lambdas(&aws).await {
        let name = lambda["FunctionName"].as_str().expect("a name");
        let served: Vec<_> = entries().filter(|entry| serves(&lambda, &entry.name)).collect();
        let role = lambda["Role"].as_str().and_then(|arn| arn.rsplit('/').next()).expect("a role");
        for (action, wanted) in [("ListRolePolicies", vec!["needs"]), ("ListAttachedRolePolicies", vec![])] {
            let form = BTreeMap::from([("Action", action), ("Version", "2010-05-08"), ("RoleName", role)]);
            assert_eq!(elements(&aws.form("iam", &form).await, "member"), wanted, "{name}: {action}");
        }
        let policy = policy(&aws, role).await;
        let statements = policy["Statement"].as_array().expect("statements");
        let mut allowed = BTreeSet::new();
        for statement in statements {
            let sid = statement["Sid"].as_str().expect("a name");
            if sid == "LeaveVpcToLambda" {
                assert_eq!(statement["Effect"], "Deny");
                let source = &statement["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"];
                assert_eq!(source, &lambda["FunctionArn"], "what Lambda may do the function's code may not");
                continue;
            }
            assert_eq!(statement["Effect"], "Allow");
            allowed.extend(texts(&statement["Action"]));
            let resources = texts(&statement["Resource"]);
            match sid {
                // These know no resources, or Lambda needs them so.
                "Trace" | "JoinVpc" => {}
                "Log" => assert_eq!(resources.len(), 1, "{resources:?}"),
                _ => assert!(resources.iter().all(|arn| !arn.contains('*')), "{name}: {sid}: {resources:?}"),
            }
            if sid == "Log" {
                assert!(resources[0].ends_with(&format!(":log-group:/aws/lambda/{name}:*")), "{resources:?}");
            }
            if sid == "ReadSecrets" {
                let card = served.iter().any(|entry| entry.needs.peers.contains(&"card"));
                assert_eq!(resources.len(), if card { 2 } else { 1 }, "{name}: {resources:?}");
            }
        }
        let mut needed: BTreeSet<&str> = ALWAYS.iter().copied().collect();
        if served.iter().any(|entry| entry.needs.publishes) {
            needed.extend(PUBLISHING);
        }
        if served.iter().any(|entry| matches!(entry.by, By::Events(_))) {
            needed.extend(CONSUMING);
        }
        assert_eq!(allowed.iter().map(String::as_str).collect::<BTreeSet<_>>(), needed, "{name}");
    }
}
