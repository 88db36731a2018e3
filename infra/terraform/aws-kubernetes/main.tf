# What Florin's Helm chart needs on AWS around an EKS cluster that exists: keys, secrets, and who may read them.

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

# Who signs the tokens of the cluster's ServiceAccounts. `eksctl utils associate-iam-oidc-provider` makes it where there is none.
data "aws_iam_openid_connect_provider" "cluster" {
  url = local.issuer
}

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  vpc_id           = data.aws_eks_cluster.this.vpc_config[0].vpc_id
  cluster_group_id = data.aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  # By a name that is known before AWS is asked.
  clients  = merge({ cluster = local.cluster_group_id }, { for group in var.client_security_group_ids : group => group })
  issuer   = data.aws_eks_cluster.this.identity[0].oidc[0].issuer
  root_arn = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"
}

data "aws_iam_policy_document" "key" {
  # What AWS gives a key without a policy of its own: the account's IAM policies decide.
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = [local.root_arn]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }
    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${data.aws_partition.this.partition}:logs:${var.region}:${data.aws_caller_identity.this.account_id}:log-group:*"]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Florin: ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# Made empty: their values never pass through Terraform.
resource "aws_secretsmanager_secret" "setting" {
  for_each = var.secrets

  name        = "${var.name}/${each.key}"
  description = "The value of ${each.key}"
  kms_key_id  = aws_kms_key.this.arn

  recovery_window_in_days = var.secret_recovery_days
}

# An IAM role for a ServiceAccount: its token is exchanged for this role, and no key of AWS lies in the cluster. EKS Pod Identity
# cannot serve here: it knows only the ServiceAccount that a pod runs as, and the operator asks in the name of another
# (external-secrets/external-secrets#2951).
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [data.aws_iam_openid_connect_provider.cluster.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${trimprefix(local.issuer, "https://")}:sub"
      values   = ["system:serviceaccount:${var.namespace}:${var.service_account}"]
    }
    condition {
      test     = "StringEquals"
      variable = "${trimprefix(local.issuer, "https://")}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "secrets" {
  name               = "${var.name}-secrets-${var.region}"
  description        = "Reads Florin's secrets for the cluster"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

data "aws_iam_policy_document" "secrets" {
  statement {
    sid     = "ReadSecrets"
    actions = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    # The database owner's, too, which RDS made: the migration connects with it.
    resources = concat(
      [for secret in aws_secretsmanager_secret.setting : secret.arn],
      aws_db_instance.this.master_user_secret[*].secret_arn,
    )
  }

  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
  }
}

resource "aws_iam_role_policy" "secrets" {
  name   = "read"
  role   = aws_iam_role.secrets.id
  policy = data.aws_iam_policy_document.secrets.json
}
