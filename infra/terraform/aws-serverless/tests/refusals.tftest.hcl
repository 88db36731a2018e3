# What the module refuses, and by which name.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  package_file = "./tests/package.zip"
  jwt_issuer   = "https://issuer.example.com"
  settings     = { FLORIN_CARD_URL = "https://card.example.com" }
}

run "more_environments_than_the_database_has_connections" {
  command = plan

  variables {
    existing_database_connections = 30
  }

  expect_failures = [terraform_data.checks]
}

run "a_function_that_the_catalog_does_not_have" {
  command = plan

  variables {
    own_functions = ["payments.make_coffee"]
  }

  expect_failures = [terraform_data.checks]
}

run "a_package_of_a_service_that_the_catalog_does_not_have" {
  command = plan

  variables {
    packages = { coffee = "./tests/package.zip" }
  }

  expect_failures = [terraform_data.checks]
}

run "a_service_without_its_settings" {
  command = plan

  variables {
    settings = {}
  }

  expect_failures = [terraform_data.checks]
}

run "aurora_without_a_network" {
  command = plan

  variables {
    aurora = { max_connections = 200 }
  }

  expect_failures = [var.aurora]
}

run "values_that_are_out_of_range" {
  command = plan

  variables {
    name                          = "Florin"
    architecture                  = "mips"
    memory_mb                     = 64
    jwt_issuer                    = "http://issuer.example.com"
    canary_weight                 = 2
    log_retention_days            = 366
    default_reserved_concurrency  = 1
    existing_database_connections = 1
    kms_key_arn                   = "key"
    secret_arns                   = { FLORIN_DATABASE_URL = "postgres://" }
    settings                      = { CARD_URL = "https://card.example.com" }
    reserved_concurrency          = { payments = 1 }
    throttling_rate               = 0
    throttling_burst              = 0
    package_file                  = "florin"
    existing_database_port        = 0
    egress_ports                  = [70000]
    domain                        = { name = "https://pay.example.com", certificate_arn = "certificate" }
  }

  expect_failures = [
    var.name,
    var.architecture,
    var.memory_mb,
    var.jwt_issuer,
    var.canary_weight,
    var.log_retention_days,
    var.default_reserved_concurrency,
    var.existing_database_connections,
    var.kms_key_arn,
    var.secret_arns,
    var.settings,
    var.reserved_concurrency,
    var.throttling_rate,
    var.throttling_burst,
    var.package_file,
    var.existing_database_port,
    var.egress_ports,
    var.domain,
  ]
}

run "more_connections_than_the_memory_has_room_for" {
  command = plan

  variables {
    vpc    = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    aurora = { max_acu = 1, max_connections = 1000 }
  }

  expect_failures = [var.aurora]
}

run "a_network_in_one_zone" {
  command = plan

  variables {
    vpc = { id = "vpc-1", subnet_ids = ["subnet-1"] }
  }

  expect_failures = [var.vpc]
}
