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
    condition     = aws_vpc_security_group_ingress_rule.database.referenced_security_group_id == "sg-1" && !aws_mq_broker.this.publicly_accessible
    error_message = "Only the cluster's security group may connect."
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

run "one_subnet_and_a_short_password_are_refused" {
  command = plan

  variables {
    subnet_ids      = ["subnet-1"]
    broker_password = "short"
  }

  expect_failures = [var.subnet_ids, var.broker_password]
}
