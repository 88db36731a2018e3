# Which part of Florin, under which name.

variable "name" {
  description = "What every resource is called: its names begin with this."
  type        = string
  default     = "florin"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "The name has 2 to 20 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "catalog_file" {
  description = "The generated catalog (`florin catalog --format terraform`). Null: the one of this checkout."
  type        = string
  default     = null
}

variable "services" {
  description = "The services to deploy. Null: all of the catalog."
  type        = set(string)
  default     = null
}

variable "own_functions" {
  description = "Functions (`service.verb_noun`) that get a Lambda function, a role and a limit of their own. The others share their service's."
  type        = set(string)
  default     = []
}

variable "tags" {
  description = "Tags on everything, besides those of the module."
  type        = map(string)
  default     = {}
}

# The program.

variable "package_file" {
  description = "The zip that holds `bootstrap` (the florin binary, built with the features lambda and sqs) for the architecture."
  type        = string

  validation {
    condition     = endswith(var.package_file, ".zip")
    error_message = "The package is a .zip file."
  }
}

variable "packages" {
  description = "The zip of a service that does not run the common package: what a pipeline released for it alone, so that an apply changes no code."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for package in values(var.packages) : endswith(package, ".zip")])
    error_message = "Each package is a .zip file."
  }
}

variable "architecture" {
  description = "arm64 (the cheaper one) or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "memory_mb" {
  description = "Memory of each Lambda function in MB. Its share of a processor grows with it."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "The memory is a whole number of MB from 128 to 10240."
  }
}

variable "reserved_concurrency" {
  description = "How many environments of each Lambda function may run at once, which is how many connections it takes from the database. By service, or by a function of own_functions; the others have default_reserved_concurrency."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for limit in values(var.reserved_concurrency) : limit >= 2])
    error_message = "At least 2 each: an event source mapping takes no lower limit."
  }
}

variable "default_reserved_concurrency" {
  description = "As reserved_concurrency, for those that it does not name. The account's quota of concurrent executions must leave 100 besides all of them."
  type        = number
  default     = 20

  validation {
    condition     = var.default_reserved_concurrency >= 2
    error_message = "At least 2: an event source mapping takes no lower limit."
  }
}

variable "stable_versions" {
  description = "The version that the alias `live` points to, by service or own function. Without one it is the newest."
  type        = map(string)
  default     = {}
}

variable "canary_weight" {
  description = "The share of calls (0 to 1) that the newest version gets where stable_versions names another one."
  type        = number
  default     = 0

  validation {
    condition     = var.canary_weight >= 0 && var.canary_weight <= 1
    error_message = "The weight is from 0 to 1."
  }
}

variable "layers" {
  description = "ARNs of layers of every function: for example an OpenTelemetry collector, or the certificates of the database."
  type        = list(string)
  default     = []
}

variable "code_signing_config_arn" {
  description = "The code signing configuration that says whose packages run. Null: anybody's who may deploy."
  type        = string
  default     = null
}

# What the program is told.

variable "jwt_issuer" {
  description = "Who issues the tokens: an https URL, exactly as in their `iss`."
  type        = string

  validation {
    condition     = startswith(var.jwt_issuer, "https://")
    error_message = "The issuer is an https URL."
  }
}

variable "jwt_audience" {
  description = "Whom the tokens must be for: their `aud`."
  type        = string
  default     = "florin"
}

variable "public_url" {
  description = "The address under which browsers reach the API. Null: that of `domain`, else the API's own."
  type        = string
  default     = null
}

variable "settings" {
  description = "FLORIN_ settings that are not secret. Those that the catalog names for a service must be here (FLORIN_CARD_URL for payments)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "FLORIN_")])
    error_message = "The names of settings begin with FLORIN_."
  }
}

variable "secret_arns" {
  description = "Secrets of Secrets Manager that exist, by the setting whose value they hold (FLORIN_DATABASE_URL, FLORIN_CARD_CREDENTIAL). The module makes an empty secret for each that the catalog names and that is not here."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.secret_arns) : can(regex("^arn:[^:]+:secretsmanager:", arn))])
    error_message = "Each is the ARN of a secret."
  }
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

variable "otlp_endpoint" {
  description = "Where traces and metrics go by OTLP over HTTP. Null: nowhere; X-Ray has the invocations either way."
  type        = string
  default     = null
}

# The HTTP API.

variable "domain" {
  description = "A name of your own for the API, and the certificate of ACM for it, in the API's region. Null: the API has only its own address. The name's record is yours to make and to turn: output `domain`."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9-]+([.][a-z0-9-]+)+$", var.domain.name))
    error_message = "The name is a host name in lower-case letters."
  }

  validation {
    condition     = var.domain == null || can(regex("^arn:[^:]+:acm:", var.domain.certificate_arn))
    error_message = "The certificate is the ARN of one in ACM."
  }
}

variable "throttling_rate" {
  description = "Requests per second that each route takes in the long run."
  type        = number
  default     = 500

  validation {
    condition     = var.throttling_rate > 0
    error_message = "More than 0."
  }
}

variable "throttling_burst" {
  description = "Requests that each route takes at once."
  type        = number
  default     = 1000

  validation {
    condition     = var.throttling_burst > 0
    error_message = "More than 0."
  }
}

# The network and the database.

variable "vpc" {
  description = "The VPC that the functions run in, with private subnets that reach the AWS APIs and the card provider (a NAT gateway or endpoints). Needed with `aurora`; null where the database is reached without."
  type = object({
    id         = string
    subnet_ids = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null || try(length(var.vpc.subnet_ids) >= 2, false)
    error_message = "At least two subnets, in two availability zones."
  }
}

variable "aurora" {
  description = "Makes an Aurora PostgreSQL cluster (serverless v2). Null: the secret FLORIN_DATABASE_URL names an existing database."
  type = object({
    # A major version alone: AWS chooses the minor one, and raises it.
    engine_version        = optional(string, "16")
    min_acu               = optional(number, 0.5)
    max_acu               = optional(number, 4)
    max_connections       = optional(number, 200)
    instances             = optional(number, 2)
    backup_retention_days = optional(number, 14)
    deletion_protection   = optional(bool, true)
    final_snapshot        = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.aurora == null || try(var.aurora.min_acu >= 0 && var.aurora.max_acu >= 1 && var.aurora.max_acu <= 256 && var.aurora.min_acu <= var.aurora.max_acu, false)
    error_message = "Capacity is 0 to 256 units, the most at least 1, and the least not above the most."
  }

  validation {
    condition     = var.aurora == null || var.vpc != null
    error_message = "Aurora needs vpc: it has no address outside of one."
  }

  validation {
    # An ACU is about 2 GiB; the engine's own default is one connection for each 9,531,392 bytes.
    condition     = var.aurora == null || try(var.aurora.max_connections <= var.aurora.max_acu * 180, false)
    error_message = "That many connections need more memory: at most 180 for each unit of max_acu."
  }

  validation {
    condition     = var.aurora == null || try(var.aurora.instances >= 1 && var.aurora.instances <= 16, false)
    error_message = "1 to 16 instances; 2 survive the loss of an availability zone."
  }

  validation {
    condition     = var.aurora == null || try(var.aurora.backup_retention_days >= 1 && var.aurora.backup_retention_days <= 35, false)
    error_message = "Backups are kept 1 to 35 days."
  }
}

variable "database_client_security_group_ids" {
  description = "Security groups that reach Aurora besides the functions': that of the machine, CloudShell or pipeline's runner which migrates."
  type        = set(string)
  default     = []
}

variable "existing_database_connections" {
  description = "How many connections an existing database has for these functions. Ignored with `aurora`."
  type        = number
  default     = 100

  validation {
    condition     = var.existing_database_connections >= 2
    error_message = "At least 2."
  }
}

variable "existing_database_port" {
  description = "The TCP port of an existing database: the functions in a VPC reach no other. Ignored with `aurora`."
  type        = number
  default     = 5432

  validation {
    condition     = var.existing_database_port >= 1 && var.existing_database_port <= 65535
    error_message = "A TCP port is from 1 to 65535."
  }
}

variable "egress_ports" {
  description = "TCP ports that functions in a VPC may reach anywhere, besides the database's and the collector's: those of AWS, the issuer and the card provider."
  type        = set(number)
  default     = [443]

  validation {
    condition     = alltrue([for port in var.egress_ports : port >= 1 && port <= 65535])
    error_message = "A TCP port is from 1 to 65535."
  }
}

# Keys, logs, alarms.

variable "kms_key_arn" {
  description = "The key that encrypts queues, topic, secrets, logs and database; its policy must allow what the output kms_key_policy says. Null: the module makes one."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "The ARN of a KMS key."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept. A year is what PCI DSS 10.5.1 asks for."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "One of the periods that CloudWatch Logs knows."
  }
}

variable "alarm_actions" {
  description = "ARNs that alarms tell, usually an SNS topic."
  type        = list(string)
  default     = []
}

variable "alarm_p99_ms" {
  description = "An alarm tells when the slowest hundredth of a function's invocations takes longer, for five minutes of ten."
  type        = number
  default     = 5000
}

variable "alarm_queue_age_seconds" {
  description = "An alarm tells when the oldest message of a queue is older."
  type        = number
  default     = 300
}
