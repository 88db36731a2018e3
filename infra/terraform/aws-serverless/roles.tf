# A role for each Lambda function, which allows what its functions need and nothing else.

data "aws_iam_policy_document" "assume_lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

locals {
  # Roles belong to no region, so theirs is in their names; these have at most 64 characters.
  role_names = {
    for name, lambda in local.lambdas : name => (
      length("${lambda.resource_name}-${local.region}") <= 64
      ? "${lambda.resource_name}-${local.region}"
      : "${substr(lambda.resource_name, 0, 55)}-${substr(sha256("${lambda.resource_name}-${local.region}"), 0, 8)}"
    )
  }
}

resource "aws_iam_role" "lambda" {
  for_each = local.lambdas

  name               = local.role_names[each.key]
  description        = "What Florin's ${each.key} may do"
  assume_role_policy = data.aws_iam_policy_document.assume_lambda.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "lambda" {
  for_each = local.lambdas

  name   = "needs"
  role   = aws_iam_role.lambda[each.key].id
  policy = data.aws_iam_policy_document.lambda[each.key].json
}

data "aws_iam_policy_document" "lambda" {
  for_each = local.lambdas

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.lambda[each.key].arn}:*"]
  }

  statement {
    sid       = "Trace"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"] # X-Ray knows no resources.
  }

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for secret in each.value.secrets : local.secret_arns[secret]]
  }

  dynamic "statement" {
    for_each = each.value.publishes ? [aws_sns_topic.events.arn] : []
    content {
      sid       = "Publish"
      actions   = ["sns:Publish"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = length(each.value.consumes) == 0 ? [] : [[for name in each.value.consumes : aws_sqs_queue.function[name].arn]]
    content {
      sid       = "Consume"
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
      resources = statement.value
    }
  }

  statement {
    sid       = "Decrypt"
    actions   = concat(["kms:Decrypt"], each.value.publishes ? ["kms:GenerateDataKey"] : [])
    resources = [local.kms_key_arn]
  }

  dynamic "statement" {
    for_each = var.vpc == null ? [] : [true]
    content {
      sid = "JoinVpc"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"] # As AWSLambdaVPCAccessExecutionRole: Lambda makes the interfaces, and most of these know no resources.
    }
  }

  # Lambda itself needs them and the function's code does not: only calls from the code have a source function.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  dynamic "statement" {
    for_each = var.vpc == null ? [] : [true]
    content {
      sid    = "LeaveVpcToLambda"
      effect = "Deny"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DetachNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = ["arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${each.value.resource_name}"]
      }
    }
  }
}
