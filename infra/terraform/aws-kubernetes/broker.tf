# Amazon MQ for RabbitMQ, reached by the cluster's nodes and nobody else.

resource "aws_security_group" "broker" {
  name        = "${var.name}-broker"
  description = "Broker of Florin"
  vpc_id      = local.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "broker" {
  for_each = merge([
    for client, group in local.clients : {
      "${client}-amqp"       = { group = group, port = 5671, what = "AMQP over TLS" }
      "${client}-management" = { group = group, port = 443, what = "Management, for KEDA and operators" }
    }
  ]...)

  security_group_id            = aws_security_group.broker.id
  description                  = each.value.what
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_mq_broker" "this" {
  broker_name                = var.name
  engine_type                = "RabbitMQ"
  engine_version             = var.broker.engine_version
  host_instance_type         = var.broker.instance_type
  deployment_mode            = var.broker.clustered ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"
  subnet_ids                 = var.broker.clustered ? var.subnet_ids : [var.subnet_ids[0]]
  security_groups            = [aws_security_group.broker.id]
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  apply_immediately          = false

  encryption_options {
    use_aws_owned_key = false
    kms_key_id        = aws_kms_key.this.arn
  }

  # Amazon MQ makes the log group itself, under the broker's id, and keeps its logs for ever: infra/README.md, "On EKS".
  logs {
    general = true
  }

  maintenance_window_start_time {
    day_of_week = "SUNDAY"
    time_of_day = "03:00"
    time_zone   = "UTC"
  }

  # The one value that Amazon MQ wants from Terraform, which therefore keeps it in its state: encrypt that, and change
  # the password in RabbitMQ's own management afterwards where the state is seen by others.
  user {
    username = "florin"
    password = var.broker_password
  }

  lifecycle {
    ignore_changes = [user]
  }
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  alarm_name          = "${var.name}-broker-memory"
  alarm_description   = "The broker uses more than four fifths of its memory: soon it takes no more messages."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  evaluation_periods  = 3
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions

  metric_query {
    id          = "share"
    expression  = "100 * used / most"
    label       = "Share of the memory limit in percent"
    return_data = true
  }

  metric_query {
    id = "used"
    metric {
      namespace   = "AWS/AmazonMQ"
      metric_name = "RabbitMQMemUsed"
      dimensions  = { Broker = aws_mq_broker.this.broker_name }
      period      = 60
      stat        = "Maximum"
    }
  }

  metric_query {
    id = "most"
    metric {
      namespace   = "AWS/AmazonMQ"
      metric_name = "RabbitMQMemLimit"
      dimensions  = { Broker = aws_mq_broker.this.broker_name }
      period      = 60
      stat        = "Maximum"
    }
  }
}
