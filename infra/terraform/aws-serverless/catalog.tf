# What the code declares, read from the generated catalog. Nothing here names a function: a new one is data.

data "aws_region" "this" {}
data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}

locals {
  region     = data.aws_region.this.name
  partition  = data.aws_partition.this.partition
  account_id = data.aws_caller_identity.this.account_id

  catalog  = jsondecode(file(coalesce(var.catalog_file, "${path.module}/../../catalog/terraform.json")))
  services = { for name, service in local.catalog.services : name => service if var.services == null ? true : contains(var.services, name) }

  # Every function of every service, with the Lambda function it runs in: its service's, or its own.
  functions = merge([
    for service, declared in local.services : {
      for name, function in declared.functions : name => merge(function, {
        service = service
        lambda  = contains(var.own_functions, name) ? name : service
      })
    }
  ]...)

  routes    = { for name, function in local.functions : name => function if can(function.route) }
  queues    = { for name, function in local.functions : name => function if can(function.queue) }
  schedules = { for name, function in local.functions : name => function if can(function.schedule) }

  # A service whose functions all have Lambda functions of their own needs none itself.
  lambda_names = distinct([for name, function in local.functions : function.lambda])
  lambdas = {
    for lambda in local.lambda_names : lambda => {
      # Names of Lambda functions have no dot; names of functions have no hyphen.
      resource_name = "${var.name}-${replace(lambda, ".", "-")}"
      service       = one(distinct([for function in local.functions : function.service if function.lambda == lambda]))
      package       = lookup(var.packages, one(distinct([for function in local.functions : function.service if function.lambda == lambda])), var.package_file)
      functions     = sort([for name, function in local.functions : name if function.lambda == lambda])
      timeout       = max([for function in local.functions : function.timeout_seconds if function.lambda == lambda]...)
      publishes     = anytrue([for function in local.functions : function.needs.publish if function.lambda == lambda])
      consumes      = sort([for name, function in local.functions : name if function.lambda == lambda && function.needs.consume])
      secrets       = sort(distinct(flatten([for function in local.functions : function.needs.secrets if function.lambda == lambda])))
      serves_http   = anytrue([for function in local.functions : can(function.route) if function.lambda == lambda])
      concurrency   = lookup(var.reserved_concurrency, lambda, var.default_reserved_concurrency)
    }
  }

  connections_wanted = sum([for lambda in values(local.lambdas) : lambda.concurrency])
  connections_there  = var.aurora == null ? var.existing_database_connections : var.aurora.max_connections
  # For `florin migrate`, an operator's session and the superuser's own three.
  connections_kept = 10
}

resource "terraform_data" "checks" {
  lifecycle {
    precondition {
      condition     = var.services == null ? true : length(setsubtract(var.services, keys(local.catalog.services))) == 0
      error_message = "The catalog has no such service: ${join(", ", var.services == null ? [] : setsubtract(var.services, keys(local.catalog.services)))}."
    }

    precondition {
      condition     = length(setsubtract(keys(var.packages), keys(local.services))) == 0
      error_message = "packages names what is no service here: ${join(", ", setsubtract(keys(var.packages), keys(local.services)))}."
    }

    precondition {
      condition     = length(setsubtract(var.own_functions, keys(local.functions))) == 0
      error_message = "The catalog has no such function: ${join(", ", setsubtract(var.own_functions, keys(local.functions)))}."
    }

    precondition {
      condition     = length(setsubtract(keys(var.reserved_concurrency), keys(local.lambdas))) == 0
      error_message = "reserved_concurrency names what is no Lambda function here: ${join(", ", setsubtract(keys(var.reserved_concurrency), keys(local.lambdas)))}."
    }

    precondition {
      condition     = local.connections_wanted <= local.connections_there - (var.aurora == null ? 0 : local.connections_kept)
      error_message = "Reserved concurrency adds up to ${local.connections_wanted} database connections, and there are ${local.connections_there - (var.aurora == null ? 0 : local.connections_kept)}: lower it, or raise the database's."
    }

    precondition {
      condition = alltrue(flatten([
        for service in local.services : [for setting in service.settings : setting == "FLORIN_PUBLIC_URL" || can(var.settings[setting])]
      ]))
      error_message = "These settings are needed: ${join(", ", setsubtract(flatten([for service in local.services : service.settings]), concat(["FLORIN_PUBLIC_URL"], keys(var.settings))))}."
    }
  }
}
