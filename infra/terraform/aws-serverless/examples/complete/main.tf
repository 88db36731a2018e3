# Florin on AWS, complete: its own network, Aurora, and every service of the catalog.
# It applies as it is, given a package and an issuer whose discovery document can be read:
# `terraform apply -var package_file=florin.zip -var jwt_issuer=https://...`.

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
  default     = "florin.zip"
}

variable "jwt_issuer" {
  description = "Who issues the tokens."
  type        = string
  default     = "https://issuer.example.com"
}

variable "card_url" {
  description = "The card provider's base address."
  type        = string
  default     = "https://card.example.com"
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

module "florin" {
  source = "../.."

  package_file  = var.package_file
  architecture  = var.architecture
  jwt_issuer    = var.jwt_issuer
  settings      = { FLORIN_CARD_URL = var.card_url }
  own_functions = ["audit.record_event"]
  vpc           = { id = aws_vpc.this.id, subnet_ids = aws_subnet.private[*].id }
  aurora        = var.aurora ? { deletion_protection = var.deletion_protection } : null
}

output "api_url" {
  description = "Where the API is."
  value       = module.florin.api_url
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
