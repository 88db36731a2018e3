//! The settings of the Terraform module that the program relies on, each with what goes wrong without it.

use std::path::{Path, PathBuf};

use super::Finding;
use super::hcl::Hcl;
use crate::deployment::HostError;

/// Where the module lies under infra/.
const MODULE: &str = "terraform/aws-serverless";

/// One setting.
struct Rule {
    file: &'static str,
    block: &'static str,
    setting: &'static str,
    value: &'static str,
    why: &'static str,
}

const fn rule(
    file: &'static str,
    block: &'static str,
    setting: &'static str,
    value: &'static str,
    why: &'static str,
) -> Rule {
    Rule { file, block, setting, value, why }
}

const MAPPING: &str = r#"resource "aws_lambda_event_source_mapping" "queue""#;
const QUEUE: &str = r#"resource "aws_sqs_queue" "function""#;
const SUBSCRIPTION: &str = r#"resource "aws_sns_topic_subscription" "function""#;
const INTEGRATION: &str = r#"resource "aws_apigatewayv2_integration" "lambda""#;
const ROUTE: &str = r#"resource "aws_apigatewayv2_route" "operation""#;
const SCHEDULE: &str = r#"resource "aws_scheduler_schedule" "job""#;
const FUNCTION: &str = r#"resource "aws_lambda_function" "this""#;
const ROLE_POLICY: &str = r#"resource "aws_iam_role_policy" "lambda""#;

/// All of them.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule("queues.tf", MAPPING, "for_each", "local.queues", "each reaction has a mapping"),
    rule("queues.tf", MAPPING, "function_response_types", r#"["ReportBatchItemFailures"]"#, "without it one failed message brings back its whole batch"),
    rule("queues.tf", MAPPING, "batch_size", "each.value.queue.batch_size", "the catalog says it"),
    rule("queues.tf", MAPPING, "event_source_arn", "aws_sqs_queue.function[each.key].arn", "the function takes its own queue"),
    rule("queues.tf", QUEUE, "for_each", "local.queues", "each reaction has a queue"),
    rule("queues.tf", QUEUE, "name", r#""${var.name}-${each.value.queue.name}""#, "the program finds the function by the queue's name"),
    rule("queues.tf", QUEUE, "visibility_timeout_seconds", "each.value.queue.visibility_timeout_seconds", "it is six times the function's time-out, or messages are handed out while they are worked on"),
    rule("queues.tf", QUEUE, "message_retention_seconds", "each.value.queue.retention_seconds", "the inbox counts on it"),
    rule("queues.tf", QUEUE, "deadLetterTargetArn", "aws_sqs_queue.dead[each.key].arn", "what kills its process must leave the queue"),
    rule("queues.tf", QUEUE, "maxReceiveCount", "each.value.queue.max_receive_count", "below it Florin's own attempts end early"),
    rule("queues.tf", SUBSCRIPTION, "for_each", "local.queues", "each queue is subscribed"),
    rule("queues.tf", SUBSCRIPTION, "raw_message_delivery", "true", "the message is the event, without an envelope"),
    rule("queues.tf", SUBSCRIPTION, "filter_policy", "each.value.queue.filter_policy == null ? null : jsonencode(each.value.queue.filter_policy)", "the catalog says what the function wants"),
    rule("queues.tf", SUBSCRIPTION, "redrive_policy", "jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn })", "what the topic cannot give to the queue would be gone"),
    rule("http_api.tf", INTEGRATION, "payload_format_version", r#""2.0""#, "format 1.0 loses cookies and repeated headers"),
    rule("http_api.tf", ROUTE, "for_each", "local.routes", "each HTTP operation has a route"),
    rule("http_api.tf", ROUTE, "route_key", "each.value.route.key", "the catalog says it"),
    rule("http_api.tf", ROUTE, "authorization_type", r#"length(each.value.route.scopes) == 0 ? "NONE" : "JWT""#, "whatever has a scope asks for a token"),
    rule("http_api.tf", ROUTE, "authorization_scopes", "each.value.route.scopes", "the catalog says it"),
    rule("schedules.tf", SCHEDULE, "for_each", "local.schedules", "each job has a schedule"),
    rule("schedules.tf", SCHEDULE, "schedule_expression", "each.value.schedule.expression", "the catalog says it"),
    rule("schedules.tf", SCHEDULE, "input", "jsonencode(each.value.schedule.input)", "the input is the job's explicit tick"),
    rule("functions.tf", FUNCTION, "timeout", "each.value.timeout", "the catalog says it"),
    rule("functions.tf", FUNCTION, "role", "aws_iam_role.lambda[each.key].arn", "each has a role of its own"),
    rule("roles.tf", ROLE_POLICY, "policy", "data.aws_iam_policy_document.lambda[each.key].json", "a role allows what its functions need and nothing else"),
];

/// Kinds of which there is one block and no other: one more would be a way in that no code declares.
const ONLY: &[(&str, &str)] = &[
    ("aws_apigatewayv2_route", ROUTE),
    ("aws_lambda_event_source_mapping", MAPPING),
    ("aws_scheduler_schedule", SCHEDULE),
    ("aws_lambda_function_url", ""),
    ("aws_iam_role_policy_attachment", r#"resource "aws_iam_role_policy_attachment" "monitoring""#),
];

/// What is wrong with the module. Without one there is nothing to say.
pub(super) fn findings(infra: &Path) -> Result<Vec<Finding>, HostError> {
    let module = infra.join(MODULE);
    if !module.is_dir() {
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for rule in RULES {
        let path = module.join(rule.file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        findings.extend(broken(rule, &path, &text));
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&module)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for path in files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "tf")) {
        findings.extend(undeclared(&path, &std::fs::read_to_string(&path)?));
    }
    Ok(findings)
}

fn broken(rule: &Rule, file: &Path, text: &str) -> Option<Finding> {
    let finding = |line, said: String| {
        Some(Finding { file: file.to_owned(), line, what: format!("{said}: {}", rule.why) })
    };
    let hcl = Hcl::of(text);
    let blocks = hcl.blocks();
    let Some(block) = blocks.iter().find(|block| block.header == rule.block) else {
        return finding(1, format!("`{}` is missing", rule.block));
    };
    let Rule { setting, value, .. } = rule;
    match block.setting(setting) {
        Some((_, there)) if there == *value => None,
        Some((line, there)) => finding(line, format!("`{setting} = {there}` must be `{setting} = {value}`")),
        None => finding(block.line, format!("`{setting} = {value}` is missing")),
    }
}

fn undeclared(file: &Path, text: &str) -> Vec<Finding> {
    let hcl = Hcl::of(text);
    let blocks = hcl.blocks();
    let more = blocks.iter().filter(|block| {
        ONLY.iter().any(|(kind, only)| {
            block.header.starts_with(&format!("resource \"{kind}\" ")) && block.header != *only
        })
    });
    more.map(|block| Finding {
        file: file.to_owned(),
        line: block.line,
        what: format!("`{}` is declared by no code", block.header),
    })
    .collect()
}
