# What somebody must be told: failures, throttling, slowness, events that wait, and events that nobody could take.

locals {
  function_alarms = merge([
    for name, lambda in local.lambdas : {
      "${name}-errors" = {
        lambda = name, metric = "Errors", statistic = "Sum", threshold = 0, period = 60, periods = 5, of = 3
        why    = "Invocations fail as a whole: a job did not run, or the process died."
      }
      # A job that comes four times an hour, or once, never fails in three minutes of five.
      "${name}-errors-hourly" = {
        lambda = name, metric = "Errors", statistic = "Sum", threshold = 0, period = 3600, periods = 3, of = 3
        why    = "Invocations failed in each of three hours: a job that comes seldom does not run."
      }
      "${name}-throttles" = {
        lambda = name, metric = "Throttles", statistic = "Sum", threshold = 0, period = 60, periods = 5, of = 3
        why    = "Calls are refused: the reserved concurrency is used up."
      }
      "${name}-p99" = {
        lambda = name, metric = "Duration", statistic = "p99", threshold = var.alarm_p99_ms, period = 60, periods = 10, of = 5
        why    = "The slowest hundredth is slower than it may be."
      }
    }
  ]...)

  queue_alarms = merge([
    for name, function in local.queues : {
      "${name}-age" = {
        queue  = aws_sqs_queue.function[name].name, metric = "ApproximateAgeOfOldestMessage"
        limit  = var.alarm_queue_age_seconds, why = "Events wait: the function is not fast enough, or fails."
        period = 60
      }
      "${name}-dead" = {
        queue  = aws_sqs_queue.dead[name].name, metric = "ApproximateNumberOfMessagesVisible"
        limit  = 0, why = "Something that no function could take, or that SNS could not put into the queue: see `florin dead-letters list`."
        period = 300
      }
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.function_alarms

  alarm_name          = "${var.name}-${replace(each.key, ".", "-")}"
  alarm_description   = each.value.why
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.this[each.value.lambda].function_name }
  statistic           = each.value.statistic == "Sum" ? "Sum" : null
  extended_statistic  = each.value.statistic == "Sum" ? null : each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.of
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.queue_alarms

  alarm_name          = "${var.name}-${replace(each.key, ".", "-")}"
  alarm_description   = each.value.why
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.limit
  period              = each.value.period
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = local.tags
}

# The scheduler could not hand a tick over. What a function does with one is the function's own alarm.
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
resource "aws_cloudwatch_metric_alarm" "scheduler" {
  for_each = {
    refused = { metric = "TargetErrorCount", of = 2, why = "Lambda refuses ticks: see the scheduler's role and the functions' limits." }
    # One is enough: a job that comes four times an hour would never have two of them beside each other.
    dropped = { metric = "InvocationDroppedCount", of = 1, why = "Ticks were given up: jobs did not run." }
  }

  alarm_name          = "${var.name}-ticks-${each.key}"
  alarm_description   = each.value.why
  namespace           = "AWS/Scheduler"
  metric_name         = each.value.metric
  dimensions          = { ScheduleGroup = aws_scheduler_schedule_group.this.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = each.value.of
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = local.tags
}

# The topic could not give an event to a queue: it stands in the queue beside it, or, where the second one tells, nowhere.
resource "aws_cloudwatch_metric_alarm" "topic" {
  for_each = {
    undelivered = { metric = "NumberOfNotificationsRedrivenToDlq", why = "Events went past their queues, into those beside them: see the queues' policies and the key's, then move them back." }
    lost        = { metric = "NumberOfNotificationsFailedToRedriveToDlq", why = "Events reached no queue at all: their reactions did not run, and nothing delivers them again by itself." }
  }

  alarm_name          = "${var.name}-topic-${each.key}"
  alarm_description   = each.value.why
  namespace           = "AWS/SNS"
  metric_name         = each.value.metric
  dimensions          = { TopicName = aws_sns_topic.events.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "api" {
  alarm_name          = "${var.name}-api-5xx"
  alarm_description   = "More than one request of a hundred ends with a fault."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = local.tags

  metric_query {
    id          = "share"
    expression  = "IF(requests > 0, 100 * faults / requests, 0)"
    label       = "Share of faults in percent"
    return_data = true
  }

  metric_query {
    id = "faults"
    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "5xx"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id }
      period      = 60
      stat        = "Sum"
    }
  }

  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "Count"
      dimensions  = { ApiId = aws_apigatewayv2_api.this.id }
      period      = 60
      stat        = "Sum"
    }
  }
}
