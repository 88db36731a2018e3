# A schedule for each job, whose input is the job's explicit tick.

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
  tags = local.tags
}

data "aws_iam_policy_document" "assume_scheduler" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.name}-scheduler-${local.region}"
  description        = "Lets the scheduler tick Florin's jobs"
  assume_role_policy = data.aws_iam_policy_document.assume_scheduler.json
  tags               = local.tags
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "Tick"
    actions   = ["lambda:InvokeFunction"]
    resources = [for lambda in distinct([for job in values(local.schedules) : job.lambda]) : aws_lambda_alias.live[lambda].arn]
  }

  # The schedules' input is encrypted with the key.
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "tick"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}

# The scheduler hands a tick over and does not wait for its answer. Lambda would then keep a tick for six hours and try a failed one
# twice more, though the next tick does what this one would have done.
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
resource "aws_lambda_function_event_invoke_config" "tick" {
  for_each = toset([for job in values(local.schedules) : job.lambda])

  function_name                = aws_lambda_function.this[each.key].function_name
  qualifier                    = aws_lambda_alias.live[each.key].name
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

resource "aws_scheduler_schedule" "job" {
  for_each = local.schedules

  name                = each.key
  group_name          = aws_scheduler_schedule_group.this.name
  description         = "Ticks ${each.key}"
  schedule_expression = each.value.schedule.expression
  kms_key_arn         = local.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_alias.live[each.value.lambda].arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode(each.value.schedule.input)

    retry_policy {
      # What a missed tick would have done the next one does.
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 2
    }
  }
}
