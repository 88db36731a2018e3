# Florin on AWS, complete: its own network, Aurora, and every service of the catalog.
# It applies as it is, given a package, the card provider's address, and an issuer whose discovery document AWS can read:
# `terraform apply -var package_file=florin.zip -var jwt_issuer=https://... -var card_url=https://...`.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "package_file" {
  description = "The zip that holds `bootstrap`."
  type        = string
}

variable "jwt_issuer" {
  description = "Who issues the tokens: an https URL, exactly as in their `iss`."
  type        = string
}

variable "card_url" {
  description = "The card provider's base address."
  type        = string
}

variable "architecture" {
  description = "arm64 or x86_64, as the package was built."
  type        = string
  default     = "arm64"
}

variable "aurora" {
  description = "Whether to make a database; else the secret FLORIN_DATABASE_URL names an existing one."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether the database refuses to be destroyed."
  type        = bool
  default     = true
}

variable "keeps_what_is_destroyed" {
  description = "Whether a destroyed database leaves a snapshot and destroyed secrets can be brought back for 30 days; their names are taken then."
  type        = bool
  default     = true
}

variable "database_client_security_group_ids" {
  description = "Security groups that reach the database besides the functions': that of what migrates."
  type        = set(string)
  default     = []
}

variable "domain" {
  description = "A name of your own for the API and its certificate in ACM; null: its own address alone."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "public_url" {
  description = "The address under which browsers reach the API, where that is another one than its own."
  type        = string
  default     = null
}

variable "otlp_endpoint" {
  description = "Where traces and metrics go by OTLP over HTTP; null: nowhere."
  type        = string
  default     = null
}

variable "alarm_actions" {
  description = "ARNs that alarms tell."
  type        = list(string)
  default     = []
}

variable "default_reserved_concurrency" {
  description = "How many environments of each Lambda function may run at once. The account's quota must leave 100 besides all of them."
  type        = number
  default     = 20
}

variable "packages" {
  description = "The zip of a service that a pipeline released alone."
  type        = map(string)
  default     = {}
}

variable "stable_versions" {
  description = "The version that gets the calls, where it is not the newest."
  type        = map(string)
  default     = {}
}

variable "canary_weight" {
  description = "The newest version's share of the calls beside stable_versions."
  type        = number
  default     = 0
}

module "florin" {
  source = "../.."

  package_file    = var.package_file
  packages        = var.packages
  stable_versions = var.stable_versions
  canary_weight   = var.canary_weight
  architecture    = var.architecture
  jwt_issuer      = var.jwt_issuer
  settings        = { FLORIN_CARD_URL = var.card_url }
  own_functions   = ["audit.record_event"]
  domain          = var.domain
  public_url      = var.public_url
  otlp_endpoint   = var.otlp_endpoint
  alarm_actions   = var.alarm_actions
  vpc             = { id = aws_vpc.this.id, subnet_ids = aws_subnet.private[*].id }
  aurora          = var.aurora ? { deletion_protection = var.deletion_protection, final_snapshot = var.keeps_what_is_destroyed } : null

  default_reserved_concurrency       = var.default_reserved_concurrency
  secret_recovery_days               = var.keeps_what_is_destroyed ? 30 : 0
  database_client_security_group_ids = var.database_client_security_group_ids
}

output "api_url" {
  description = "Where the API is."
  value       = module.florin.api_url
}

output "domain" {
  description = "What a record of the domain's name points to; null without `domain`."
  value       = module.florin.domain
}

output "database_endpoint" {
  description = "The database's address; null where it is an existing one."
  value       = module.florin.database_endpoint
}

output "functions_security_group_id" {
  description = "The functions' security group."
  value       = module.florin.functions_security_group_id
}

output "database_owner_secret_arn" {
  description = "The secret with name and password of the database's owner; null where the database is an existing one."
  value       = module.florin.database_owner_secret_arn
}

output "secrets" {
  description = "The secrets that want a value."
  value       = module.florin.secrets
}

output "functions" {
  description = "The Lambda functions."
  value       = module.florin.functions
}

output "queues" {
  description = "The queues."
  value       = module.florin.queues
}

output "topic_arn" {
  description = "The topic."
  value       = module.florin.topic_arn
}
