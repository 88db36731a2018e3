# One Lambda function per service, or per function where asked. All run the same program.

locals {
  settings_named = toset(flatten([for service in local.catalog.services : service.settings]))

  public_url = coalesce(var.public_url, try("https://${var.domain.name}", null), aws_apigatewayv2_api.this.api_endpoint)
  settings   = merge({ FLORIN_PUBLIC_URL = local.public_url }, var.settings)
  queue_url  = "sqs://${local.region}/${var.name}?topic_arn=${aws_sns_topic.events.arn}"
}

resource "aws_lambda_function" "this" {
  for_each = local.lambdas

  function_name                  = each.value.resource_name
  description                    = "Florin: ${each.key}"
  role                           = aws_iam_role.lambda[each.key].arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  filename                       = each.value.package
  source_code_hash               = filebase64sha256(each.value.package)
  memory_size                    = var.memory_mb
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.concurrency
  publish                        = true
  layers                         = var.layers
  kms_key_arn                    = local.kms_key_arn
  code_signing_config_arn        = var.code_signing_config_arn
  tags                           = local.tags

  environment {
    variables = merge(
      {
        FLORIN_FUNCTIONS  = length(setsubtract(keys(local.services[each.value.service].functions), each.value.functions)) == 0 ? local.services[each.value.service].choose : join(",", each.value.functions)
        FLORIN_QUEUE_URL  = local.queue_url
        FLORIN_ISSUER     = var.jwt_issuer
        FLORIN_AUDIENCE   = var.jwt_audience
        FLORIN_LOG_FORMAT = "json"
      },
      # What the catalog names for some services is told to those alone.
      { for name, value in local.settings : name => value if !contains(local.settings_named, name) || contains(local.services[each.value.service].settings, name) },
      # The program asks Secrets Manager for these when it starts: no value is here or in Terraform's state.
      { for secret in each.value.secrets : secret => "secretsmanager:${local.secret_arns[secret]}" },
      var.otlp_endpoint == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint },
    )
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = [aws_security_group.lambda[0].id]
    }
  }

  # `.github/deploy/lambda refresh` changes it: a version is published only where something differs.
  lifecycle {
    ignore_changes = [description]
  }

  # Lambda writes to the group of its own name, and would make it itself, without an end to its logs.
  depends_on = [aws_iam_role_policy.lambda, aws_cloudwatch_log_group.lambda, terraform_data.checks]
}

# What calls a function calls this, so that a new version gets calls when it should and loses them in a moment.
resource "aws_lambda_alias" "live" {
  for_each = local.lambdas

  name             = "live"
  description      = "The version that gets the calls"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = lookup(var.stable_versions, each.key, aws_lambda_function.this[each.key].version)

  dynamic "routing_config" {
    for_each = contains(keys(var.stable_versions), each.key) && var.canary_weight > 0 ? [aws_lambda_function.this[each.key].version] : []
    content {
      additional_version_weights = { (routing_config.value) = var.canary_weight }
    }
  }
}

resource "aws_cloudwatch_log_group" "lambda" {
  for_each = local.lambdas

  name              = "/aws/lambda/${each.value.resource_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = local.tags
}
