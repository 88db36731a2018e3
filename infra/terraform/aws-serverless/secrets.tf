# Secrets that the catalog names and nobody brought. They are made empty: their values never pass through Terraform.

locals {
  secrets_wanted = toset(flatten([for lambda in values(local.lambdas) : lambda.secrets]))
  secret_arns    = merge({ for name, secret in aws_secretsmanager_secret.this : name => secret.arn }, var.secret_arns)
}

resource "aws_secretsmanager_secret" "this" {
  for_each = setsubtract(local.secrets_wanted, keys(var.secret_arns))

  name        = "${var.name}/${each.key}"
  description = "The value of ${each.key}, read by Florin when it starts"
  kms_key_id  = local.kms_key_arn
  tags        = local.tags

  recovery_window_in_days = var.secret_recovery_days
}
