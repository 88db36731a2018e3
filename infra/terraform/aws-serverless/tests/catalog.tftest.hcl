# What follows from the catalog, planned without AWS: `terraform test` in the module's directory.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/florin" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000000" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:florin" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:florin-audit-record_event" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:florin", version = "7" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = {
      arn        = "arn:aws:lambda:eu-central-1:123456789012:function:florin:live"
      invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:florin:live/invocations"
    }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:florin" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "https://api.example.com"
      execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:api"
    }
  }
  mock_resource "aws_apigatewayv2_domain_name" {
    defaults = {
      domain_name_configuration = { target_domain_name = "d-1.execute-api.eu-central-1.amazonaws.com", hosted_zone_id = "Z1" }
    }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:florin" }
  }
}

variables {
  package_file = "./tests/package.zip"
  jwt_issuer   = "https://issuer.example.com"
  settings     = { FLORIN_CARD_URL = "https://card.example.com" }
}

run "a_lambda_function_for_each_service" {
  command = apply

  assert {
    condition     = toset(keys(aws_lambda_function.this)) == toset(keys(local.catalog.services))
    error_message = "Without own_functions there is one Lambda function for each service."
  }
  assert {
    condition     = alltrue([for name, lambda in aws_lambda_function.this : lambda.environment[0].variables.FLORIN_FUNCTIONS == "${name}.*"])
    error_message = "Each serves all of its service."
  }
  assert {
    condition     = alltrue([for lambda in aws_lambda_function.this : lambda.runtime == "provided.al2023" && lambda.architectures[0] == "arm64"])
    error_message = "They run on arm64 unless told otherwise."
  }
  assert {
    condition     = aws_lambda_function.this["payments"].environment[0].variables.FLORIN_PUBLIC_URL == "https://api.example.com" && !can(aws_lambda_function.this["audit"].environment[0].variables.FLORIN_CARD_URL)
    error_message = "A setting that the catalog names for a service is told to that service alone."
  }
  assert {
    condition     = length(aws_apigatewayv2_route.operation) == length(local.routes) && length(local.routes) > 0
    error_message = "A route for each HTTP operation."
  }
  assert {
    condition     = alltrue([for name, route in aws_apigatewayv2_route.operation : (route.authorization_type == "JWT") == (length(local.routes[name].route.scopes) > 0)])
    error_message = "Whatever has a scope asks for a token."
  }
  assert {
    condition     = alltrue([for mapping in aws_lambda_event_source_mapping.queue : contains(mapping.function_response_types, "ReportBatchItemFailures")])
    error_message = "A mapping reports what failed of a batch."
  }
  assert {
    condition     = alltrue([for name, queue in aws_sqs_queue.function : queue.visibility_timeout_seconds >= 6 * aws_lambda_function.this[local.functions[name].lambda].timeout])
    error_message = "A message stays invisible for six times the function's time-out."
  }
  assert {
    condition     = alltrue([for name, subscription in aws_sns_topic_subscription.function : jsondecode(subscription.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead[name].arn])
    error_message = "What the topic cannot give to a queue goes to the one beside it."
  }
  assert {
    condition     = toset(keys(aws_sqs_queue_policy.fan_out)) == toset(flatten([for name in keys(local.queues) : [name, "${name}-dead"]]))
    error_message = "The topic may send to both queues of a reaction."
  }
  assert {
    condition     = alltrue([for name, schedule in aws_scheduler_schedule.job : jsondecode(schedule.target[0].input).florin.job == name])
    error_message = "A schedule ticks its job by name."
  }
}

run "a_function_that_is_asked_for_has_a_lambda_function_of_its_own" {
  command = apply

  variables {
    own_functions = ["payments.get_payment"]
  }

  assert {
    condition     = aws_lambda_function.this["payments.get_payment"].environment[0].variables.FLORIN_FUNCTIONS == "payments.get_payment"
    error_message = "It serves nothing else."
  }
  assert {
    condition     = !contains(split(",", aws_lambda_function.this["payments"].environment[0].variables.FLORIN_FUNCTIONS), "payments.get_payment")
    error_message = "Its service no longer serves it."
  }
  assert {
    condition     = !can(aws_lambda_function.this["payments.get_payment"].environment[0].variables.FLORIN_CARD_CREDENTIAL)
    error_message = "It reads only: it is not given what a payment needs."
  }
}

run "a_role_has_a_name_that_fits" {
  command = apply

  variables {
    name          = "florin-in-production"
    own_functions = ["payments.return_from_authentication"]
  }

  assert {
    condition     = aws_iam_role.lambda["payments"].name == "florin-in-production-payments-eu-central-1" && length(aws_iam_role.lambda["payments.return_from_authentication"].name) == 64
    error_message = "At most 64 characters, and otherwise function and region."
  }
}

run "one_service_alone" {
  command = apply

  variables {
    services = ["audit"]
    settings = {}
  }

  assert {
    condition     = toset(keys(aws_lambda_function.this)) == toset(["audit"])
    error_message = "Only what was asked for."
  }
  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.operation : strcontains(route.route_key, "/v1/audit/")])
    error_message = "Only its routes."
  }
}

run "a_service_that_was_released_alone_keeps_its_package" {
  command = plan

  variables {
    packages      = { audit = "./tests/released.zip" }
    own_functions = ["audit.record_event"]
  }

  assert {
    condition     = { for name, lambda in aws_lambda_function.this : name => lambda.filename } == { audit = "./tests/released.zip", "audit.record_event" = "./tests/released.zip", payments = "./tests/package.zip" }
    error_message = "Every Lambda function of the service runs what was released, and its neighbours the common package."
  }

  assert {
    condition     = aws_lambda_function.this["audit"].source_code_hash == filebase64sha256("./tests/released.zip")
    error_message = "What was released is compared with what runs."
  }
}

run "a_canary_gets_its_share" {
  command = apply

  variables {
    stable_versions = { payments = "6" }
    canary_weight   = 0.1
  }

  assert {
    condition     = aws_lambda_alias.live["payments"].function_version == "6" && aws_lambda_alias.live["payments"].routing_config[0].additional_version_weights["7"] == 0.1
    error_message = "A tenth of the calls goes to the newest version."
  }
  assert {
    condition     = length(aws_lambda_alias.live["audit"].routing_config) == 0
    error_message = "Whatever has no stable version has no canary."
  }
}

run "aurora_has_room_for_every_environment" {
  command = plan

  variables {
    vpc    = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    aurora = { max_connections = 200 }

    database_client_security_group_ids = ["sg-1"]
  }

  # EC2 takes no other characters in them, and the provider lets any through.
  assert {
    condition = alltrue([for said in concat(
      aws_security_group.lambda[*].description, aws_security_group.database[*].description,
      values(aws_vpc_security_group_egress_rule.anywhere)[*].description, aws_vpc_security_group_egress_rule.database[*].description,
      aws_vpc_security_group_ingress_rule.database[*].description, values(aws_vpc_security_group_ingress_rule.database_client)[*].description,
    ) : can(regex("^[-a-zA-Z0-9. _:/()#,@\\[\\]+=&;{}!$*]+$", said))])
    error_message = "AWS takes the descriptions of security groups and their rules."
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.database_client : rule.referenced_security_group_id] == ["sg-1"]
    error_message = "What migrates reaches the database."
  }
  assert {
    condition     = one([for parameter in aws_rds_cluster_parameter_group.this[0].parameter : parameter.value if parameter.name == "max_connections"]) == "200"
    error_message = "The limit that is checked is the one that is set."
  }
}

run "a_name_of_ones_own" {
  command = apply

  variables {
    domain = { name = "pay.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }

  assert {
    condition     = aws_apigatewayv2_api_mapping.this[0].stage == aws_apigatewayv2_stage.default.id && aws_apigatewayv2_domain_name.this[0].domain_name == "pay.example.com"
    error_message = "The name leads to the API."
  }
  assert {
    condition     = aws_lambda_function.this["payments"].environment[0].variables.FLORIN_PUBLIC_URL == "https://pay.example.com"
    error_message = "Browsers come back to the name."
  }
}

run "functions_in_a_network_reach_what_they_are_told" {
  command = plan

  variables {
    vpc                    = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    existing_database_port = 6432
    egress_ports           = [443, 8443]
    otlp_endpoint          = "http://collector.example:4318"
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.anywhere : rule.from_port]) == toset([443, 4318, 8443])
    error_message = "The ports that were said, and the collector's."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.database[0].from_port == 6432
    error_message = "The existing database's own port."
  }
}

run "a_collector_without_a_port_is_reached_at_that_of_its_scheme" {
  command = plan

  variables {
    vpc           = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    otlp_endpoint = "http://collector.example/otlp"
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.anywhere : rule.from_port]) == toset([80, 443])
    error_message = "HTTP is port 80."
  }
}

# What ARCHITECTURE.md promises: a new operation, and even a new service, is data, and no file of the module changes.
run "a_new_function_of_any_kind_is_data_alone" {
  command = apply

  variables {
    catalog_file = "./tests/parcels.json"
    settings     = {}
  }

  assert {
    condition     = aws_lambda_function.this["parcels"].environment[0].variables.FLORIN_FUNCTIONS == "parcels.*"
    error_message = "The service has a Lambda function."
  }
  assert {
    condition     = aws_apigatewayv2_route.operation["parcels.get_parcel"].route_key == "GET /v1/parcels/{id}" && aws_apigatewayv2_route.operation["parcels.get_parcel"].authorization_scopes == toset(["parcels:read"])
    error_message = "The query has a route with its scope."
  }
  assert {
    condition     = aws_sqs_queue.function["parcels.send_parcel_when_paid"].name == "florin-parcels-send_parcel_when_paid" && aws_sqs_queue.dead["parcels.send_parcel_when_paid"].name == "florin-parcels-send_parcel_when_paid-dead"
    error_message = "The reaction has a queue, and one beside it."
  }
  assert {
    condition     = aws_sns_topic_subscription.function["parcels.send_parcel_when_paid"].filter_policy == "{\"type\":[\"florin.payment.succeeded.v1\"]}"
    error_message = "The reaction's queue gets what it wants."
  }
  assert {
    condition     = aws_scheduler_schedule.job["parcels.track_parcels"].schedule_expression == "rate(5 minutes)"
    error_message = "The job has a schedule."
  }
}
