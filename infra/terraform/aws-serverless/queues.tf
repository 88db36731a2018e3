# One topic for every event; for each reaction a queue, and a queue for what never got there or kept killing its process.

resource "aws_sns_topic" "events" {
  name              = var.name
  kms_master_key_id = local.kms_key_arn
  tags              = local.tags
}

resource "aws_sqs_queue" "dead" {
  for_each = local.queues

  name                      = "${var.name}-${each.value.queue.name}-dead"
  message_retention_seconds = each.value.queue.retention_seconds
  # SQS's own key, and not the module's: what that key refuses to let into the other queue must get in here.
  sqs_managed_sse_enabled = true
  tags                    = merge(local.tags, { "florin:function" = each.key })
}

resource "aws_sqs_queue" "function" {
  for_each = local.queues

  # The program finds the function by the name of its queue.
  name                       = "${var.name}-${each.value.queue.name}"
  visibility_timeout_seconds = each.value.queue.visibility_timeout_seconds
  message_retention_seconds  = each.value.queue.retention_seconds
  receive_wait_time_seconds  = 20
  kms_master_key_id          = local.kms_key_arn
  tags                       = merge(local.tags, { "florin:function" = each.key })

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = each.value.queue.max_receive_count
  })

  lifecycle {
    # Else a message that is still being worked on would be handed out again (and AWS refuses less than the time-out).
    precondition {
      condition     = each.value.queue.visibility_timeout_seconds >= 6 * local.lambdas[each.value.lambda].timeout
      error_message = "${each.key}: a message must stay invisible for at least six times the function's time-out."
    }
  }
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each = local.queues

  queue_url = aws_sqs_queue.dead[each.key].id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.function[each.key].arn]
  })
}

locals {
  # The topic sends to both queues of a reaction: what its queue does not take goes to the one beside it.
  topic_sends_to = merge(
    { for name, queue in aws_sqs_queue.function : name => queue },
    { for name, queue in aws_sqs_queue.dead : "${name}-dead" => queue },
  )
}

data "aws_iam_policy_document" "fan_out" {
  for_each = local.topic_sends_to

  statement {
    sid       = "FanOut"
    actions   = ["sqs:SendMessage"]
    resources = [each.value.arn]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.events.arn]
    }
  }

  statement {
    sid       = "OverTlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.arn]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "fan_out" {
  for_each = local.topic_sends_to

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.fan_out[each.key].json
}

resource "aws_sns_topic_subscription" "function" {
  for_each = local.queues

  topic_arn            = aws_sns_topic.events.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.function[each.key].arn
  raw_message_delivery = true
  filter_policy        = each.value.queue.filter_policy == null ? null : jsonencode(each.value.queue.filter_policy)
  filter_policy_scope  = each.value.queue.filter_policy == null ? null : "MessageAttributes"

  # SNS gives up at once where the queue's policy or its key refuses, and after 23 days where SQS is away: the event would be gone.
  # https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn })

  # Else the topic could not send to it yet.
  depends_on = [aws_sqs_queue_policy.fan_out]
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = local.queues

  event_source_arn = aws_sqs_queue.function[each.key].arn
  function_name    = aws_lambda_alias.live[each.value.lambda].arn
  batch_size       = each.value.queue.batch_size
  # Without this one failed message brings back its whole batch, and the function's answer is not read.
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = local.tags

  scaling_config {
    # So that the queue's messages leave room for requests, and are not received only to be throttled.
    maximum_concurrency = max(2, floor(local.lambdas[each.value.lambda].concurrency / 2))
  }
}
