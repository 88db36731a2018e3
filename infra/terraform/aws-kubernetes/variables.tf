variable "region" {
  description = "The AWS region."
  type        = string
}

variable "name" {
  description = "What every resource is called: its names begin with this."
  type        = string
  default     = "florin"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "The name has 2 to 20 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "tags" {
  description = "Tags on everything, besides those of the root."
  type        = map(string)
  default     = {}
}

variable "cluster_name" {
  description = "The EKS cluster that Florin's chart is installed into. It exists, with an IAM OIDC provider; nothing of it is changed."
  type        = string
}

variable "namespace" {
  description = "The namespace that the chart is installed into."
  type        = string
  default     = "florin"
}

variable "service_account" {
  description = "The ServiceAccount in that namespace which may read the secrets below: that of the store in infra/external-secrets."
  type        = string
  default     = "florin-secrets"
}

variable "subnet_ids" {
  description = "Private subnets of the cluster's VPC, in at least two availability zones, for database and broker."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "At least two subnets, in two availability zones."
  }
}

variable "secrets" {
  description = "Settings whose values are secrets, as the catalog names them. They are made empty."
  type        = set(string)
  default     = ["FLORIN_DATABASE_URL", "FLORIN_QUEUE_URL", "FLORIN_CARD_CREDENTIAL"]
}

variable "database" {
  description = "The RDS PostgreSQL instance."
  type = object({
    # A major version alone: AWS chooses the minor one, and raises it.
    engine_version        = optional(string, "16")
    instance_class        = optional(string, "db.t4g.medium")
    storage_gb            = optional(number, 50)
    max_storage_gb        = optional(number, 500)
    multi_az              = optional(bool, true)
    backup_retention_days = optional(number, 14)
    deletion_protection   = optional(bool, true)
    final_snapshot        = optional(bool, true)
  })
  default = {}

  validation {
    condition     = var.database.max_storage_gb >= var.database.storage_gb
    error_message = "The most storage is not less than the storage."
  }

  validation {
    condition     = var.database.backup_retention_days >= 1 && var.database.backup_retention_days <= 35
    error_message = "Backups are kept 1 to 35 days."
  }
}

variable "broker" {
  description = "Amazon MQ for RabbitMQ. Quorum queues, which Florin declares, want the cluster of three."
  type = object({
    engine_version = optional(string, "3.13")
    instance_type  = optional(string, "mq.m5.large")
    clustered      = optional(bool, true)
  })
  default = {}
}

variable "broker_password" {
  description = "The password of the broker's first user. It stands in Terraform's state."
  type        = string
  sensitive   = true

  validation {
    # https://docs.aws.amazon.com/amazon-mq/latest/api-reference/brokers-broker-id-users-username.html
    condition     = length(var.broker_password) >= 12 && length(var.broker_password) <= 250 && !can(regex("[,:=]", var.broker_password))
    error_message = "12 to 250 characters without comma, colon and equals sign: Amazon MQ takes no other."
  }
}

variable "client_security_group_ids" {
  description = "Security groups that reach database and broker besides the cluster's own: that of the nodes, where they have another."
  type        = set(string)
  default     = []
}

variable "secret_recovery_days" {
  description = "How long a secret that was destroyed can be brought back: 7 to 30 days, in which its name is taken, or 0."
  type        = number
  default     = 30

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "0, or 7 to 30 days."
  }
}

variable "log_retention_days" {
  description = "How long the database's logs are kept. A year is what PCI DSS 10.5.1 asks for."
  type        = number
  default     = 365
}

variable "alarm_actions" {
  description = "ARNs that alarms tell, usually an SNS topic."
  type        = list(string)
  default     = []
}
