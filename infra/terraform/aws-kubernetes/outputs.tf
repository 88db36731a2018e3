output "cluster_name" {
  description = "The cluster, as in `aws eks update-kubeconfig --name`."
  value       = var.cluster_name
}

output "database_endpoint" {
  description = "Host and port of the database, as in FLORIN_DATABASE_URL: postgres://service:PASSWORD@HOST:5432/florin?sslmode=require."
  value       = aws_db_instance.this.endpoint
}

output "database_owner_secret_arn" {
  description = "Name and password of the database's owner, for the chart's migration job, kept and rotated by RDS."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "broker_endpoint" {
  description = "Host and port of the broker, as in FLORIN_QUEUE_URL: amqps://florin:PASSWORD@HOST:5671/%2f."
  value       = trimprefix(aws_mq_broker.this.instances[0].endpoints[0], "amqps://")
}

output "secret_names" {
  description = "The secret of each setting in Secrets Manager. Empty until somebody gives them a value."
  value       = { for name, secret in aws_secretsmanager_secret.setting : name => secret.name }
}

output "secrets_role_arn" {
  description = "The role of the ServiceAccount that reads the secrets."
  value       = aws_iam_role.secrets.arn
}

output "external_secrets" {
  description = "What infra/external-secrets/aws.env must hold."
  value       = <<-ENV
    name=${var.name}
    region=${var.region}
    role_arn=${aws_iam_role.secrets.arn}
    owner_secret_arn=${one(aws_db_instance.this.master_user_secret[*].secret_arn)}
  ENV
}
