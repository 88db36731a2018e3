output "database_endpoint" {
  description = "Host and port of the database."
  value       = aws_db_instance.this.endpoint
}

output "database_owner_secret_arn" {
  description = "Name and password of the database's owner, for the chart's migration job, kept and rotated by RDS."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "broker_endpoints" {
  description = "The broker's address, as in FLORIN_QUEUE_URL: amqps://USER:PASSWORD@HOST:5671/%2f."
  value       = flatten(aws_mq_broker.this.instances[*].endpoints)
}

output "secret_arns" {
  description = "The secret of each setting, for the External Secrets Operator. Empty until somebody gives them a value."
  value       = { for name, secret in aws_secretsmanager_secret.setting : name => secret.arn }
}

output "secrets_role_arn" {
  description = "The role of the ServiceAccount that reads the secrets."
  value       = aws_iam_role.secrets.arn
}
