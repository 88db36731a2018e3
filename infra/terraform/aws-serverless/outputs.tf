output "api_url" {
  description = "The HTTP API's own address."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "routes" {
  description = "The function behind each route."
  value       = { for name, function in local.routes : function.route.key => name }
}

output "functions" {
  description = "The Lambda function, its alias `live` and its newest version, by service or own function."
  value = {
    for name, lambda in local.lambdas : name => {
      name    = aws_lambda_function.this[name].function_name
      alias   = aws_lambda_alias.live[name].arn
      version = aws_lambda_function.this[name].version
      serves  = lambda.functions
    }
  }
}

output "topic_arn" {
  description = "The topic that every event is published to."
  value       = aws_sns_topic.events.arn
}

output "queues" {
  description = "The queue of each reaction, and the one beside it for what no function could take."
  value = {
    for name in keys(local.queues) : name => {
      url      = aws_sqs_queue.function[name].url
      arn      = aws_sqs_queue.function[name].arn
      dead_url = aws_sqs_queue.dead[name].url
      dead_arn = aws_sqs_queue.dead[name].arn
    }
  }
}

output "secrets" {
  description = "The secret that holds each secret setting. Those the module made are empty until somebody gives them a value."
  value       = { for name in local.secrets_wanted : name => local.secret_arns[name] }
}

output "database_endpoint" {
  description = "The writer's address of the Aurora cluster; null where the database is an existing one."
  value       = one(aws_rds_cluster.this[*].endpoint)
}

output "functions_security_group_id" {
  description = "The functions' security group, for what they reach and for CloudShell, which takes a group that reaches the database; null without `vpc`."
  value       = one(aws_security_group.lambda[*].id)
}

output "database_owner_secret_arn" {
  description = "Name and password of the database's owner, for `florin migrate`, kept and rotated by RDS; null where the database is an existing one."
  value       = try(one(aws_rds_cluster.this[*].master_user_secret)[0].secret_arn, null)
}

output "kms_key_arn" {
  description = "The key that encrypts what rests."
  value       = local.kms_key_arn
}

output "kms_key_policy" {
  description = "What the key's policy must allow: that of the module's own key. One that you bring (kms_key_arn) needs the statements Logs, FanOut and Schedules."
  value       = data.aws_iam_policy_document.key.json
}

output "domain" {
  description = "What a record of the domain's name points to (an alias to name and zone_id, or a CNAME to name); null without `domain`."
  value = try({
    name    = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
  }, null)
}
