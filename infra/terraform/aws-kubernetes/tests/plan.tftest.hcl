# The root, planned without AWS: `terraform test` in its directory.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_eks_cluster" {
    defaults = {
      vpc_config = [{ vpc_id = "vpc-1", cluster_security_group_id = "sg-1" }]
      identity   = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/65" }] }]
    }
  }
  mock_data "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/65" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/65" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/florin-secrets-eu-central-1" }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      endpoint           = "florin.example:5432"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-65", secret_status = "active", kms_key_id = "65" }]
    }
  }
  mock_resource "aws_mq_broker" {
    defaults = {
      instances = [{ endpoints = ["amqps://b-65.mq.eu-central-1.amazonaws.com:5671"], console_url = "", ip_address = "" }]
    }
  }
}

variables {
  region          = "eu-central-1"
  cluster_name    = "shop"
  subnet_ids      = ["subnet-1", "subnet-2"]
  broker_password = "a-password-of-a-test"
}

run "nobody_but_the_cluster_reaches_database_and_broker" {
  command = plan

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.database : name => rule.referenced_security_group_id } == { cluster = "sg-1" } && !aws_mq_broker.this.publicly_accessible
    error_message = "Only the cluster's security group may connect."
  }
  # EC2 takes no other characters in them, and the provider lets any through.
  assert {
    condition = alltrue([for said in concat(
      [aws_security_group.database.description, aws_security_group.broker.description],
      values(aws_vpc_security_group_ingress_rule.database)[*].description, values(aws_vpc_security_group_ingress_rule.broker)[*].description,
    ) : said == null || can(regex("^[-a-zA-Z0-9. _:/()#,@\\[\\]+=&;{}!$*]+$", said))])
    error_message = "AWS takes the descriptions of security groups and their rules."
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.manage_master_user_password && aws_db_instance.this.multi_az
    error_message = "Encrypted, in two zones, with a password that RDS keeps."
  }
  assert {
    condition     = aws_mq_broker.this.deployment_mode == "CLUSTER_MULTI_AZ" && length(aws_mq_broker.this.subnet_ids) == 2
    error_message = "Quorum queues want a cluster."
  }
}

run "nodes_with_a_group_of_their_own_reach_both" {
  variables {
    client_security_group_ids = ["sg-2"]
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.database : rule.referenced_security_group_id]) == toset(["sg-1", "sg-2"])
    error_message = "The database."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.broker : "${rule.referenced_security_group_id}:${rule.from_port}"]) == toset(["sg-1:443", "sg-1:5671", "sg-2:443", "sg-2:5671"])
    error_message = "The broker."
  }
}

run "one_subnet_and_a_short_password_are_refused" {
  command = plan

  variables {
    subnet_ids      = ["subnet-1"]
    broker_password = "short"
  }

  expect_failures = [var.subnet_ids, var.broker_password]
}

run "the_role_reads_every_secret_the_owners_too_and_nothing_else" {
  assert {
    condition = length(aws_secretsmanager_secret.setting) == 3 && data.aws_iam_policy_document.secrets.statement[0].resources == toset(concat(
      [for secret in aws_secretsmanager_secret.setting : secret.arn],
      ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-65"],
    ))
    error_message = "The secrets of the settings and the one that RDS made."
  }
  assert {
    condition     = data.aws_iam_policy_document.secrets.statement[1].resources == toset([aws_db_instance.this.master_user_secret_kms_key_id])
    error_message = "The key that encrypts the owner's secret is one that the role may decrypt with."
  }
}

run "infra_external_secrets_asks_for_what_is_made" {
  assert {
    condition = toset(flatten([
      for name in ["database", "queue", "card"] :
      [for one in yamldecode(file("../../external-secrets/${name}.yaml")).spec.data : one.remoteRef.key]
    ])) == toset(values(output.secret_names))
    error_message = "Its ExternalSecrets read other secrets than those of output.secret_names."
  }
  assert {
    condition = { for one in data.aws_iam_policy_document.assume.statement[0].condition : one.variable => join(" ", one.values) } == {
      "oidc.eks.eu-central-1.amazonaws.com/id/65:aud" = "sts.amazonaws.com"
      "oidc.eks.eu-central-1.amazonaws.com/id/65:sub" = join(":", [
        "system:serviceaccount",
        yamldecode(file("../../external-secrets/kustomization.yaml")).namespace,
        yamldecode(file("../../external-secrets/store.yaml")).spec.provider.aws.auth.jwt.serviceAccountRef.name,
      ])
    }
    error_message = "The role trusts another ServiceAccount than that of its SecretStore."
  }
  assert {
    condition = [
      for line in split("\n", trimspace(file("../../external-secrets/aws.env"))) : split("=", line)[0]
      ] == [
      for line in split("\n", trimspace(output.external_secrets)) : split("=", line)[0]
    ]
    error_message = "output.external_secrets has other names than its aws.env."
  }
  assert {
    condition     = strcontains(output.external_secrets, "owner_secret_arn=arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-65\n")
    error_message = "aws.env would not say which secret is the owner's."
  }
  assert {
    condition     = output.broker_endpoint == "b-65.mq.eu-central-1.amazonaws.com:5671"
    error_message = "Host and port alone."
  }
}
