//! The settings of the Terraform module that the program relies on, each with what goes wrong without it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Finding;
use super::hcl::Hcl;
use super::sealed;
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
const ROLE: &str = r#"resource "aws_iam_role" "lambda""#;
const ROLE_POLICY: &str = r#"resource "aws_iam_role_policy" "lambda""#;
const ROLE_DOCUMENT: &str = r#"data "aws_iam_policy_document" "lambda""#;
const QUEUE_POLICY: &str = r#"resource "aws_sqs_queue_policy" "fan_out""#;
const FAN_OUT: &str = r#"data "aws_iam_policy_document" "fan_out""#;
const AUTHORIZER: &str = r#"resource "aws_apigatewayv2_authorizer" "jwt""#;
const LOCALS: &str = "locals";

/// All of them.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule("catalog.tf", LOCALS, "routes", "{ for name, function in local.functions : name => function if can(function.route) }", "each HTTP operation of the catalog has a route"),
    rule("catalog.tf", LOCALS, "queues", "{ for name, function in local.functions : name => function if can(function.queue) }", "each reaction of the catalog has a queue"),
    rule("catalog.tf", LOCALS, "schedules", "{ for name, function in local.functions : name => function if can(function.schedule) }", "each job of the catalog has a schedule"),
    rule("catalog.tf", LOCALS, "timeout", "max([for function in local.functions : function.timeout_seconds if function.lambda == lambda]...)", "the catalog says it"),
    rule("catalog.tf", LOCALS, "publishes", "anytrue([for function in local.functions : function.needs.publish if function.lambda == lambda])", "a role allows what its functions need and nothing else"),
    rule("catalog.tf", LOCALS, "consumes", "sort([for name, function in local.functions : name if function.lambda == lambda && function.needs.consume])", "a role allows what its functions need and nothing else"),
    rule("catalog.tf", LOCALS, "secrets", "sort(distinct(flatten([for function in local.functions : function.needs.secrets if function.lambda == lambda])))", "a role allows what its functions need and nothing else"),
    rule("queues.tf", MAPPING, "for_each", "local.queues", "each reaction has a mapping"),
    rule("queues.tf", MAPPING, "function_response_types", r#"["ReportBatchItemFailures"]"#, "without it one failed message brings back its whole batch"),
    rule("queues.tf", MAPPING, "batch_size", "each.value.queue.batch_size", "the catalog says it"),
    rule("queues.tf", MAPPING, "event_source_arn", "aws_sqs_queue.function[each.key].arn", "the function takes its own queue"),
    rule("queues.tf", MAPPING, "function_name", "aws_lambda_alias.live[each.value.lambda].arn", "the queue's own function takes it"),
    rule("queues.tf", QUEUE_POLICY, "for_each", "local.topic_sends_to", "without it SNS may put no event into a queue, and none into the one beside it"),
    rule("queues.tf", QUEUE_POLICY, "policy", "data.aws_iam_policy_document.fan_out[each.key].json", "without it SNS may put no event into the queue"),
    rule("queues.tf", FAN_OUT, "for_each", "local.topic_sends_to", "without it SNS may put no event into a queue, and none into the one beside it"),
    rule("queues.tf", FAN_OUT, "actions", r#"["sqs:SendMessage"]"#, "SNS puts events into queues and does nothing else there"),
    rule("queues.tf", FAN_OUT, "values", "[aws_sns_topic.events.arn]", "no other topic puts anything into the queues"),
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
    rule("http_api.tf", ROUTE, "authorizer_id", "length(each.value.route.scopes) == 0 ? null : aws_apigatewayv2_authorizer.jwt.id", "whatever has a scope asks for a token"),
    rule("http_api.tf", ROUTE, "target", r#""integrations/${aws_apigatewayv2_integration.lambda[each.value.lambda].id}""#, "the operation's own function answers"),
    rule("http_api.tf", AUTHORIZER, "issuer", "var.jwt_issuer", "tokens are those of the issuer that the functions trust"),
    rule("http_api.tf", AUTHORIZER, "audience", "[var.jwt_audience]", "tokens are for Florin"),
    rule("schedules.tf", SCHEDULE, "for_each", "local.schedules", "each job has a schedule"),
    rule("schedules.tf", SCHEDULE, "schedule_expression", "each.value.schedule.expression", "the catalog says it"),
    rule("schedules.tf", SCHEDULE, "input", "jsonencode(each.value.schedule.input)", "the input is the job's explicit tick"),
    rule("schedules.tf", SCHEDULE, "arn", "aws_lambda_alias.live[each.value.lambda].arn", "the job's own function is ticked"),
    rule("functions.tf", FUNCTION, "timeout", "each.value.timeout", "the catalog says it"),
    rule("functions.tf", FUNCTION, "role", "aws_iam_role.lambda[each.key].arn", "each has a role of its own"),
    rule("roles.tf", ROLE_POLICY, "policy", "data.aws_iam_policy_document.lambda[each.key].json", "a role allows what its functions need and nothing else"),
];

/// Kinds of which there are these blocks and no other: one more would be a way in, or a right, that no code declares.
const ONLY: &[(&str, &[&str])] = &[
    ("aws_apigatewayv2_authorizer", &[AUTHORIZER]),
    ("aws_apigatewayv2_integration", &[INTEGRATION]),
    ("aws_apigatewayv2_route", &[ROUTE]),
    ("aws_iam_policy", &[]),
    ("aws_iam_policy_attachment", &[]),
    (
        "aws_iam_role",
        &[ROLE, r#"resource "aws_iam_role" "scheduler""#, r#"resource "aws_iam_role" "monitoring""#],
    ),
    ("aws_iam_role_policies_exclusive", &[]),
    ("aws_iam_role_policy", &[ROLE_POLICY, r#"resource "aws_iam_role_policy" "scheduler""#]),
    ("aws_iam_role_policy_attachment", &[r#"resource "aws_iam_role_policy_attachment" "monitoring""#]),
    ("aws_kms_grant", &[]),
    ("aws_kms_key_policy", &[]),
    ("aws_lambda_event_source_mapping", &[MAPPING]),
    ("aws_lambda_function_url", &[]),
    ("aws_lambda_permission", &[r#"resource "aws_lambda_permission" "api""#]),
    ("aws_scheduler_schedule", &[SCHEDULE]),
    ("aws_secretsmanager_secret_policy", &[]),
    ("aws_security_group_rule", &[]),
    ("aws_sns_topic_policy", &[]),
    ("aws_sns_topic_subscription", &[SUBSCRIPTION]),
    ("aws_sqs_queue_policy", &[QUEUE_POLICY]),
    (
        "aws_vpc_security_group_ingress_rule",
        &[
            r#"resource "aws_vpc_security_group_ingress_rule" "database""#,
            r#"resource "aws_vpc_security_group_ingress_rule" "database_client""#,
        ],
    ),
];

/// A setting that would switch off what the catalog declares, or allow what it does not need.
struct Never {
    file: &'static str,
    block: &'static str,
    setting: &'static str,
    why: &'static str,
}

/// All of them.
#[rustfmt::skip]
const NEVER: &[Never] = &[
    Never { file: "queues.tf", block: MAPPING, setting: "enabled", why: "nobody would take the queue's messages" },
    Never { file: "queues.tf", block: MAPPING, setting: "filter_criteria", why: "what it leaves out is deleted" },
    Never { file: "roles.tf", block: ROLE, setting: "inline_policy", why: "a role has the one policy of its functions' needs" },
    Never { file: "roles.tf", block: ROLE, setting: "managed_policy_arns", why: "a role has the one policy of its functions' needs" },
    Never { file: "roles.tf", block: ROLE_DOCUMENT, setting: "override_policy_documents", why: "its statements are seen by nobody" },
    Never { file: "roles.tf", block: ROLE_DOCUMENT, setting: "source_policy_documents", why: "its statements are seen by nobody" },
    Never { file: "schedules.tf", block: SCHEDULE, setting: "state", why: "the job would not run" },
];

/// A statement of a function's role, as written without spaces.
struct Allowed {
    sid: &'static str,
    for_each: &'static str,
    effect: &'static str,
    actions: &'static str,
    resources: &'static str,
}

/// What a function's role allows and what it takes back: in this order, and nothing more.
#[rustfmt::skip]
const ALLOWED: &[Allowed] = &[
    Allowed { sid: "Log", for_each: "", effect: "", actions: r#"["logs:CreateLogStream","logs:PutLogEvents"]"#, resources: r#"["${aws_cloudwatch_log_group.lambda[each.key].arn}:*"]"# },
    Allowed { sid: "Trace", for_each: "", effect: "", actions: r#"["xray:PutTelemetryRecords","xray:PutTraceSegments"]"#, resources: r#"["*"]"# },
    Allowed { sid: "ReadSecrets", for_each: "", effect: "", actions: r#"["secretsmanager:GetSecretValue"]"#, resources: "[forsecretineach.value.secrets:local.secret_arns[secret]]" },
    Allowed { sid: "Publish", for_each: "each.value.publishes?[aws_sns_topic.events.arn]:[]", effect: "", actions: r#"["sns:Publish"]"#, resources: "[statement.value]" },
    Allowed { sid: "Consume", for_each: "length(each.value.consumes)==0?[]:[[fornameineach.value.consumes:aws_sqs_queue.function[name].arn]]", effect: "", actions: r#"["sqs:ChangeMessageVisibility","sqs:DeleteMessage","sqs:GetQueueAttributes","sqs:GetQueueUrl","sqs:ReceiveMessage"]"#, resources: "statement.value" },
    Allowed { sid: "Decrypt", for_each: "", effect: "", actions: r#"concat(["kms:Decrypt"],each.value.publishes?["kms:GenerateDataKey"]:[])"#, resources: "[local.kms_key_arn]" },
    Allowed { sid: "JoinVpc", for_each: "var.vpc==null?[]:[true]", effect: "", actions: r#"["ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:UnassignPrivateIpAddresses",]"#, resources: r#"["*"]"# },
    Allowed { sid: "LeaveVpcToLambda", for_each: "var.vpc==null?[]:[true]", effect: r#""Deny""#, actions: r#"["ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:DetachNetworkInterface","ec2:UnassignPrivateIpAddresses",]"#, resources: r#"["*"]"# },
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
    for never in NEVER {
        let path = module.join(never.file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        findings.extend(switched_off(never, &path, &text));
    }
    let path = module.join("roles.tf");
    findings.extend(unneeded(&path, &std::fs::read_to_string(&path).unwrap_or_default()));
    let mut files: Vec<PathBuf> = std::fs::read_dir(&module)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut twice = BTreeSet::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".tf.json") || name.ends_with("override.tf") {
            let what = "its settings are seen by nobody: Terraform reads it besides the others, or over them"
                .to_owned();
            findings.push(Finding { file: path, line: 1, what });
        } else if name.ends_with(".tf") {
            let text = std::fs::read_to_string(&path)?;
            findings.extend(undeclared(&path, &text));
            findings.extend(unread(&path, &text, &mut twice));
            let known: Vec<usize> = findings.iter().filter(|f| f.file == path).map(|f| f.line).collect();
            findings.extend(resealed(&name, &path, &text, &known));
        }
    }
    Ok(findings)
}

/// What none of the rules can see, because it is not written as `terraform fmt` does, or stands there twice.
fn unread(file: &Path, text: &str, twice: &mut BTreeSet<String>) -> Vec<Finding> {
    let hcl = Hcl::of(text);
    let unread = hcl.unread().into_iter().map(|line| {
        (
            line,
            "it is not read: a block opens at the end of a line, without a comment behind the brace"
                .to_owned(),
        )
    });
    let named = |header: &str| header.contains('"');
    let blocks = hcl.blocks();
    let again = blocks.iter().filter(|block| named(block.header) && !twice.insert(block.header.to_owned()));
    let again = again.map(|block| (block.line, format!("`{}` is there twice", block.header)));
    unread.chain(again).map(|(line, what)| Finding { file: file.to_owned(), line, what }).collect()
}

/// Sealed blocks that say something else; not those in which a rule names the `known` line to mend.
fn resealed(name: &str, file: &Path, text: &str, known: &[usize]) -> Vec<Finding> {
    let hcl = Hcl::of(text);
    let blocks = hcl.blocks();
    let broken = sealed::broken(name, &blocks, |block| known.iter().any(|line| block.lines().contains(line)));
    broken.into_iter().map(|(line, what)| Finding { file: file.to_owned(), line, what }).collect()
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

fn switched_off(never: &Never, file: &Path, text: &str) -> Option<Finding> {
    let hcl = Hcl::of(text);
    let blocks = hcl.blocks();
    let block = blocks.iter().find(|block| block.header == never.block)?;
    let line = block.mention(never.setting)?;
    let what = format!("`{}` must not be there: {}", never.setting, never.why);
    Some(Finding { file: file.to_owned(), line, what })
}

/// What the functions' role documents allow beside what the catalog says they need, or do not allow of it.
fn unneeded(file: &Path, text: &str) -> Vec<Finding> {
    let hcl = Hcl::of(text);
    let blocks = hcl.blocks();
    let Some(block) = blocks.iter().find(|block| block.header == ROLE_DOCUMENT) else {
        let what = format!("`{ROLE_DOCUMENT}` is missing: a role allows what its functions need");
        return vec![Finding { file: file.to_owned(), line: 1, what }];
    };
    let mut findings = Vec::new();
    let mut wanted = ALLOWED.iter();
    for statement in block.statements() {
        let Some(allowed) = wanted.next() else {
            findings.push((statement.line, format!("{} is needed by no function", statement.sid)));
            break;
        };
        let wrong = [
            ("sid", &statement.sid, format!("\"{}\"", allowed.sid)),
            ("for_each", &statement.for_each, allowed.for_each.to_owned()),
            ("effect", &statement.effect, allowed.effect.to_owned()),
            ("actions", &statement.actions, allowed.actions.to_owned()),
            ("resources", &statement.resources, allowed.resources.to_owned()),
        ]
        .into_iter()
        .find(|(_, there, wanted)| *there != wanted);
        if let Some((setting, there, wanted)) = wrong {
            let what =
                format!("`{setting} = {there}` must be `{wanted}`: a role allows what its functions need");
            findings.push((statement.line, what));
        }
    }
    findings.extend(
        wanted.map(|one| (block.line, format!("statement {} is missing: a function needs it", one.sid))),
    );
    findings.into_iter().map(|(line, what)| Finding { file: file.to_owned(), line, what }).collect()
}

fn undeclared(file: &Path, text: &str) -> Vec<Finding> {
    let hcl = Hcl::of(text);
    let blocks = hcl.blocks();
    let more = blocks.iter().filter(|block| {
        ONLY.iter().any(|(kind, only)| {
            block.header.starts_with(&format!("resource \"{kind}\" ")) && !only.contains(&block.header)
        })
    });
    more.map(|block| Finding {
        file: file.to_owned(),
        line: block.line,
        what: format!("`{}` is declared by no code", block.header),
    })
    .collect()
}
