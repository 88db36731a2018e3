//! `florin catalog verify`: what is deployed is what the code says, and where it is not the line to mend is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn infra() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra")
}

/// A copy of infra/ to break.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a scratch directory");
    copy_tree(&infra(), copy.path());
    copy
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("infra/ is there").flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_tree(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a file is copied");
        }
    }
}

fn verify(infra: &Path) -> (bool, String) {
    let mut florin = Command::new(env!("CARGO_BIN_EXE_florin"));
    let ended = florin.args(["catalog", "verify", "--infra"]).arg(infra).output().expect("the binary starts");
    let words = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(words).expect("the output is text"))
}

/// Breaks one line of one file; the command must name that file and line.
fn check(file: &str, line: &str, broken: &str, said: &[&str]) {
    let copy = copy();
    let path = copy.path().join(file);
    let text = fs::read_to_string(&path).expect("the file is there");
    let number = text.lines().position(|one| one.trim() == line).expect("the line is there") + 1;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if broken.is_empty() {
        lines.remove(number - 1);
    } else {
        lines[number - 1] = broken.to_owned();
    }
    fs::write(&path, lines.join("\n") + "\n").expect("the file is broken");
    let (succeeded, words) = verify(copy.path());
    assert!(!succeeded, "{file}: `{broken}` for `{line}` was not noticed");
    for said in said.iter().map(|said| said.replace("LINE", &number.to_string())) {
        assert!(words.contains(&said), "{said} is not said:\n{words}");
    }
}

#[test]
fn what_is_checked_in_is_what_the_code_says() {
    let (succeeded, words) = verify(&infra());
    assert!(succeeded, "{words}");
}

#[test]
fn a_function_that_the_code_no_longer_has_is_named_in_every_generated_file() {
    for file in ["catalog/terraform.json", "helm/florin/catalog.json"] {
        let copy = copy();
        let path = copy.path().join(file);
        let text = fs::read_to_string(&path).expect("the file is there");
        // As if the code had it when the file was written.
        let more = text.replacen("payments.get_payment", "payments.removed_since", 1);
        let line =
            text.lines().position(|one| one.contains("payments.get_payment")).expect("it is there") + 1;
        fs::write(&path, more).expect("the file is written");
        let (succeeded, words) = verify(copy.path());
        assert!(!succeeded);
        let place = format!("{file}:{line}: ");
        assert!(words.contains(&place) && words.contains("payments.removed_since"), "{place}\n{words}");
    }
}

#[test]
fn a_time_out_that_the_code_changed_is_named() {
    let said = ["catalog/terraform.json:LINE: `\"timeout_seconds\": 30,` must be `\"timeout_seconds\": 29,`"];
    check("catalog/terraform.json", "\"timeout_seconds\": 29,", "\"timeout_seconds\": 30,", &said);
    let said = ["helm/florin/catalog.json:LINE: "];
    check("helm/florin/catalog.json", "\"timeout_seconds\": 29,", "\"timeout_seconds\": 30,", &said);
}

#[test]
fn a_mapping_that_forgets_to_report_what_failed_is_named() {
    let file = "terraform/aws-serverless/queues.tf";
    let line = "function_response_types = [\"ReportBatchItemFailures\"]";
    check(
        file,
        line,
        "",
        &["queues.tf:", "`function_response_types = [\"ReportBatchItemFailures\"]` is missing"],
    );
    check(file, line, "  function_response_types = []", &["queues.tf:LINE: ", "brings back its whole batch"]);
    check(file, line, "  # function_response_types = [\"ReportBatchItemFailures\"]", &["is missing"]);
}

#[test]
fn settings_of_the_module_that_the_program_relies_on_are_named() {
    for (file, line, broken) in [
        (
            "queues.tf",
            "visibility_timeout_seconds = each.value.queue.visibility_timeout_seconds",
            "  visibility_timeout_seconds = 30",
        ),
        ("queues.tf", "maxReceiveCount     = each.value.queue.max_receive_count", "    maxReceiveCount = 5"),
        ("queues.tf", "raw_message_delivery = true", "  raw_message_delivery = false"),
        (
            "queues.tf",
            "redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn })",
            "  redrive_policy = null",
        ),
        ("http_api.tf", "payload_format_version = \"2.0\"", "  payload_format_version = \"1.0\""),
        ("http_api.tf", "authorization_scopes = each.value.route.scopes", "  authorization_scopes = []"),
        (
            "catalog.tf",
            "timeout       = max([for function in local.functions : function.timeout_seconds if function.lambda == lambda]...)",
            "      timeout = 60",
        ),
        (
            "catalog.tf",
            "routes    = { for name, function in local.functions : name => function if can(function.route) }",
            "  routes = {}",
        ),
        (
            "http_api.tf",
            "authorizer_id        = length(each.value.route.scopes) == 0 ? null : aws_apigatewayv2_authorizer.jwt.id",
            "  authorizer_id = null",
        ),
        ("http_api.tf", "issuer   = var.jwt_issuer", "    issuer = \"https://issuer.example\""),
        ("queues.tf", "for_each = local.topic_sends_to", "  for_each = local.queues"),
        (
            "queues.tf",
            "function_name    = aws_lambda_alias.live[each.value.lambda].arn",
            "  function_name = aws_lambda_alias.live[\"payments\"].arn",
        ),
        (
            "queues.tf",
            "batch_size       = each.value.queue.batch_size",
            "  enabled = false\n  batch_size = each.value.queue.batch_size",
        ),
        ("queues.tf", "scaling_config {", "  filter_criteria {"),
        ("schedules.tf", "kms_key_arn         = local.kms_key_arn", "  state = \"DISABLED\""),
        ("schedules.tf", "input    = jsonencode(each.value.schedule.input)", "    input = \"{}\""),
        (
            "functions.tf",
            "role                           = aws_iam_role.lambda[each.key].arn",
            "  role = var.role",
        ),
    ] {
        check(&format!("terraform/aws-serverless/{file}"), line, broken, &[&format!("{file}:LINE: ")]);
    }
}

#[test]
fn a_role_that_allows_more_or_less_than_its_functions_need_is_named() {
    let file = "terraform/aws-serverless/roles.tf";
    for (line, broken, said) in [
        (
            r#"actions   = ["secretsmanager:GetSecretValue"]"#,
            r#"    actions = ["secretsmanager:*"]"#,
            "`actions = [\"secretsmanager:*\"]` must be",
        ),
        (
            "resources = [for secret in each.value.secrets : local.secret_arns[secret]]",
            r#"    resources = ["*"]"#,
            "`resources = [\"*\"]` must be",
        ),
        (r#""ec2:DescribeSubnets","#, r#"        "ec2:RunInstances","#, "ec2:RunInstances"),
        ("sid       = \"Trace\"", "    sid = \"More\"", "`sid = \"More\"` must be `\"Trace\"`"),
        (
            "for_each = each.value.publishes ? [aws_sns_topic.events.arn] : []",
            "    for_each = [aws_sns_topic.events.arn]",
            "`for_each = [aws_sns_topic.events.arn]` must be",
        ),
        (r#"effect = "Deny""#, "      sid = \"LeaveVpcToLambda\"", "`effect = ` must be `\"Deny\"`"),
        (
            "for_each = local.lambdas",
            "  for_each = local.lambdas\n  managed_policy_arns = [var.more]",
            "`managed_policy_arns` must not be there",
        ),
    ] {
        check(file, line, broken, &["roles.tf:", said]);
    }
    let copy = copy();
    let path = copy.path().join(file);
    let text = fs::read_to_string(&path).expect("the file is there");
    let more = "  statement {\n    actions   = [\"s3:*\"]\n    resources = [\"*\"]\n  }\n}\n";
    let end = text.rfind("}\n").expect("the document ends");
    fs::write(&path, format!("{}{more}", &text[..end])).expect("the file is broken");
    let (succeeded, words) = verify(copy.path());
    assert!(!succeeded && words.contains("is needed by no function"), "{words}");
}

#[test]
fn a_way_in_that_no_code_declares_is_named() {
    let copy = copy();
    let path = copy.path().join("terraform/aws-serverless/back_door.tf");
    let door =
        "# One more.\nresource \"aws_apigatewayv2_route\" \"debug\" {\n  route_key = \"GET /debug\"\n}\n";
    fs::write(&path, door).expect("the file is written");
    let (succeeded, words) = verify(copy.path());
    assert!(!succeeded);
    assert!(words.contains("back_door.tf:2: ") && words.contains("declared by no code"), "{words}");

    for kind in ["aws_iam_role_policy", "aws_lambda_permission", "aws_sns_topic_policy"] {
        fs::write(&path, format!("resource \"{kind}\" \"more\" {{\n}}\n")).expect("the file is written");
        let (succeeded, words) = verify(copy.path());
        assert!(!succeeded && words.contains("back_door.tf:1: "), "{kind}: {words}");
    }
}

#[test]
fn written_anew_the_generated_files_are_right_again() {
    let copy = copy();
    let path = copy.path().join("catalog/terraform.json");
    fs::write(&path, "{}\n").expect("the file is broken");
    let mut florin = Command::new(env!("CARGO_BIN_EXE_florin"));
    let ended = florin.args(["catalog", "verify", "--write", "--infra"]).arg(copy.path()).output();
    assert!(ended.expect("the binary starts").status.success());
    assert_eq!(fs::read(&path).ok(), fs::read(infra().join("catalog/terraform.json")).ok());
}

const MODULE: &str = "terraform/aws-serverless";

/// Says something else in a file of the Terraform module; the command must name that file.
fn check_module(file: &str, there: &str, instead: &str) {
    let copy = copy();
    let path = copy.path().join(MODULE).join(file);
    let text = fs::read_to_string(&path).expect("the file is there");
    assert!(text.contains(there), "{file} does not say {there}");
    fs::write(&path, text.replacen(there, instead, 1)).expect("the file is written");
    let (succeeded, words) = verify(copy.path());
    assert!(!succeeded, "{file}: `{instead}` for `{there}` was not noticed");
    assert!(words.contains(&format!("{MODULE}/{file}:")), "{file} is not named:\n{words}");
}

#[test]
fn a_way_in_is_seen_however_its_block_is_written() {
    for more in [
        "resource \"aws_apigatewayv2_route\" \"debug\" { # for a while\n  route_key = \"ANY /debug\"\n}\n",
        "resource \"aws_lambda_function_url\" \"x\" { authorization_type = \"NONE\" }\n",
        "resource \"aws_lambda_function_url\" \"x\"\n{\n  authorization_type = \"NONE\"\n}\n",
        "  resource \"aws_lambda_function_url\" \"x\" {\n  }\n",
        "resource \"aws_iam_role_policy_attachment\" \"all\" {\n  role = \"x\"\n}\n",
    ] {
        check_module("outputs.tf", "output", &format!("{more}\noutput"));
    }
    // Right behind a block that closes on its own line.
    check_module(
        "catalog.tf",
        "\"aws_region\" \"this\" {}\n",
        "\"aws_region\" \"this\" {}\nresource \"x\" \"y\" { # c\n}\n",
    );
    for (file, text) in [
        ("more.tf.json", "{\"resource\": {\"aws_lambda_function_url\": {}}}"),
        ("override.tf", ""),
        (
            "mapping_override.tf",
            "resource \"aws_lambda_event_source_mapping\" \"queue\" {\n  enabled = false\n}\n",
        ),
        ("again.tf", "resource \"aws_lambda_event_source_mapping\" \"queue\" {\n  enabled = false\n}\n"),
    ] {
        let copy = copy();
        fs::write(copy.path().join(MODULE).join(file), text).expect("the file is written");
        let (succeeded, words) = verify(copy.path());
        assert!(!succeeded, "{file} was not noticed");
        // The one that is there twice is named where it stands the second time.
        assert!(words.contains(file) || words.contains("is there twice"), "{words}");
    }
}

#[test]
fn what_lets_in_allows_or_delivers_cannot_say_something_else_unseen() {
    for (file, there, instead) in [
        ("http_api.tf", "protocol_type = \"HTTP\"", "protocol_type = \"HTTP\"\n  route_key = \"$default\""),
        ("http_api.tf", "authorizer_type  = \"JWT\"", "authorizer_type  = \"REQUEST\""),
        ("http_api.tf", "timeout_milliseconds = 30000", "timeout_milliseconds = 3000"),
        ("http_api.tf", "principal     = \"apigateway.amazonaws.com\"", "principal     = \"*\""),
        (
            "catalog.tf",
            "      for name, function in declared.functions : name",
            "      for name, function in declared.functions : name if name != \"payments.sweep\" : name",
        ),
        (
            "catalog.tf",
            "        lambda  = contains(",
            "        lambda  = name == \"payments.sweep\" || contains(",
        ),
        (
            "catalog.tf",
            "condition     = local.connections_wanted <=",
            "condition     = 0 * local.connections_wanted <=",
        ),
        ("functions.tf", "FLORIN_FUNCTIONS  = length", "FLORIN_FUNCTIONS  = true ? \"*\" : length"),
        ("functions.tf", "function_version = lookup(", "function_version = \"$LATEST\" # lookup("),
        ("functions.tf", "  reserved_concurrent_executions = each.value.concurrency\n", ""),
        ("queues.tf", ">= 6 * local", ">= 1 * local"),
        ("queues.tf", "redrivePermission = \"byQueue\"", "redrivePermission = \"denyAll\""),
        ("queues.tf", "each.value.queue.retention_seconds", "60"),
        ("queues.tf", "actions   = [\"sqs:*\"]", "actions   = [\"sqs:*\", \"sns:*\"]"),
        (
            "queues.tf",
            "  tags                    = local.tags\n\n  scaling_config",
            "  lifecycle {\n    ignore_changes = [function_response_types]\n  }\n  scaling_config",
        ),
        (
            "roles.tf",
            "identifiers = [\"lambda.amazonaws.com\"]",
            "identifiers = [\"lambda.amazonaws.com\", \"ec2.amazonaws.com\"]",
        ),
        ("roles.tf", "role   = aws_iam_role.lambda[each.key].id", "role   = aws_iam_role.scheduler.id"),
        ("roles.tf", "variable = \"lambda:SourceFunctionArn\"", "variable = \"aws:SourceArn\""),
        ("schedules.tf", "actions   = [\"lambda:InvokeFunction\"]", "actions   = [\"*\"]"),
        ("schedules.tf", "mode = \"OFF\"", "mode = \"FLEXIBLE\""),
        ("keys.tf", "identifiers = [\"logs.${local.region}.amazonaws.com\"]", "identifiers = [\"*\"]"),
    ] {
        check_module(file, there, instead);
    }
}

#[test]
fn comments_and_spaces_are_free() {
    let copy = copy();
    let path = copy.path().join(MODULE).join("roles.tf");
    let text = fs::read_to_string(&path).expect("the file is there");
    let text = text.replacen("  name   = \"needs\"", "  # Why.\n  name    =   \"needs\" # said", 1);
    fs::write(&path, text).expect("the file is written");
    let (succeeded, words) = verify(copy.path());
    assert!(succeeded, "{words}");
}
