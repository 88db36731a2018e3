//! The applied functions' code works with what was applied: their environment, their queue, their secrets.

use std::path::Path;

use florin_conformance::issuer::Issuer;
use florin_conformance::process::{Environment, Process};
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::lambda_runtime_api::LambdaRuntimeApi;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use serde_json::{Value, json};

use super::functions::serving;
use crate::NAME;
use crate::aws::Aws;

/// A function's code in an environment as Lambda gives it.
struct Running {
    api: LambdaRuntimeApi,
    _process: Process,
}

impl Running {
    /// Starts the code of the Lambda function that serves this function, with its applied variables and, besides them,
    /// only where AWS, the issuer's keys and the provider are in this test.
    async fn start(aws: &Aws, function: &str, here: &[(&str, String)], directory: &Path) -> Self {
        let lambda = serving(aws, function).await;
        let api = LambdaRuntimeApi::start().await.expect("a free port");
        let applied = lambda["Environment"]["Variables"].as_object().expect("variables");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let mut environment: Environment =
            applied.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        environment.extend(api.environment().into_iter().map(|(name, value)| (name.to_owned(), value)));
        for (name, value) in here {
            environment.retain(|(known, _)| known != name);
            environment.push(((*name).to_owned(), value.clone()));
        }
        let log = directory.join(format!("{}.log", text(&lambda["FunctionName"])));
        let process = Process::start(&[], &environment, directory, &log);
        Self { api, _process: process }
    }

    async fn request(&self, request: &HttpRequest) -> (u64, Value) {
        let answer = self.api.invoke(&request.through_http_api()).await.answer();
        let body = answer["body"].as_str().unwrap_or_default();
        let status = answer["statusCode"].as_u64().expect("a status");
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

/// Switches the mappings off: the emulator would run the package in a container of its own for each message, and the
/// test hands the messages to the functions' program.
async fn play_the_mappings(aws: &Aws) {
    let mappings = aws.get("lambda", "/2015-03-31/event-source-mappings/").await;
    for mapping in mappings["EventSourceMappings"].as_array().expect("a list") {
        let id = mapping["UUID"].as_str().expect("an id");
        let path = format!("/2015-03-31/event-source-mappings/{id}");
        aws.put("lambda", &path, &json!({ "Enabled": false })).await;
    }
}

/// What a queue holds, as an event source mapping hands it to a function.
async fn batch_of(aws: &Aws, queue: &str) -> Option<Value> {
    let url =
        aws.target("sqs", "AmazonSQS.GetQueueUrl", &json!({ "QueueName": queue })).await["QueueUrl"].clone();
    let asked = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "AttributeNames": ["All"] });
    let received = aws.target("sqs", "AmazonSQS.ReceiveMessage", &asked).await;
    let records: Vec<Value> = received["Messages"]
        .as_array()?
        .iter()
        .map(|message| {
            json!({
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
                "awsRegion": "eu-central-1",
            })
        })
        .collect();
    (!records.is_empty()).then(|| json!({ "Records": records }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_through_the_applied_functions_is_recorded_through_the_applied_queue() {
    let Some(site) = Site::new(Engine::Postgres, &Broker::Embedded).await else { return };
    let aws = Aws::here();
    play_the_mappings(&aws).await;
    let mut issuer = Issuer::new();
    for (secret, value) in [
        ("FLORIN_DATABASE_URL", site.setting("FLORIN_DATABASE_URL")),
        ("FLORIN_CARD_CREDENTIAL", "the-card-provider-knows-us-by-this".to_owned()),
    ] {
        let put = json!({ "SecretId": format!("{NAME}/{secret}"), "SecretString": value });
        aws.target("secretsmanager", "secretsmanager.PutSecretValue", &put).await;
    }
    let here = [
        ("AWS_ENDPOINT_URL", aws.endpoint.clone()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("FLORIN_JWKS", issuer.jwks()),
        ("FLORIN_CARD_URL", site.sandbox.base().to_owned()),
    ];
    let payments = Running::start(&aws, "payments.create_payment", &here, site.directory()).await;
    let lambda = serving(&aws, "payments.create_payment").await;
    let variable = |name: &str| lambda["Environment"]["Variables"][name].as_str().expect("said").to_owned();
    issuer.name = variable("FLORIN_ISSUER");
    let token = issuer.token(
        &variable("FLORIN_AUDIENCE"),
        &json!({ "sub": "tester", "tenant": "acme", "scope": "payments:write payments:read audit:read" }),
    );
    let bearer = format!("Bearer {token}");

    let body =
        json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa", "confirm": true });
    let create = HttpRequest::new("POST", "/v1/payments")
        .header("authorization", &bearer)
        .header("idempotency-key", "create-1")
        .body("application/json", body.to_string());
    let (status, payment) = payments.request(&create).await;
    assert_eq!(status, 201, "{payment}");
    assert_eq!(payment["status"], "succeeded");

    let schedule = aws.get("scheduler", &format!("/schedules/payments.sweep?groupName={NAME}")).await;
    let tick = schedule["Target"]["Input"].as_str().expect("an input");
    let tick: Value = serde_json::from_str(tick).expect("JSON");
    let record = Running::start(&aws, "audit.record_event", &here, site.directory()).await;
    let audit = Running::start(&aws, "audit.list_records", &here, site.directory()).await;
    let list = HttpRequest::new("GET", "/v1/audit/records")
        .query("resource", payment["id"].as_str().expect("an id"))
        .header("authorization", &bearer);
    until("the payment is recorded", || async {
        // The applied schedule's own input: the sweep publishes what the answer had no time for.
        assert_eq!(payments.api.invoke(&tick).await.answer()["job"], "payments.sweep");
        if let Some(batch) = batch_of(&aws, &format!("{NAME}-audit-record_event")).await {
            let answer = record.api.invoke(&batch).await.answer();
            assert_eq!(answer, json!({ "batchItemFailures": [] }), "{batch}");
        }
        let (status, records) = audit.request(&list).await;
        assert_eq!(status, 200, "{records}");
        records.to_string().contains("florin.payment.succeeded.v1").then_some(())
    })
    .await;
}
