# The functions' own security group: they reach the database and a few ports, and nothing reaches them.

locals {
  database_port = var.aurora == null ? var.existing_database_port : 5432

  # The collector's port is in its address, or follows from its scheme.
  otlp_port = var.otlp_endpoint == null ? null : try(
    tonumber(regex("^[a-z]+://[^/]+:([0-9]+)(?:/|$)", var.otlp_endpoint)[0]),
    startswith(var.otlp_endpoint, "https:") ? 443 : 80,
  )
  # An existing database may be anywhere, and its rule is one of its own: AWS takes no second one like it.
  egress_ports = setsubtract(
    setunion(var.egress_ports, local.otlp_port == null ? [] : [local.otlp_port]),
    var.aurora == null ? [local.database_port] : [],
  )
}

resource "aws_security_group" "lambda" {
  count = var.vpc == null ? 0 : 1

  name        = "${var.name}-functions"
  description = "Functions of Florin"
  vpc_id      = var.vpc.id
  tags        = local.tags
}

resource "aws_vpc_security_group_egress_rule" "anywhere" {
  for_each = var.vpc == null ? [] : toset([for port in local.egress_ports : tostring(port)])

  security_group_id = aws_security_group.lambda[0].id
  description       = "AWS, the keys of the issuer, the card provider or the collector"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
}

resource "aws_vpc_security_group_egress_rule" "database" {
  count = var.vpc == null ? 0 : 1

  security_group_id            = aws_security_group.lambda[0].id
  description                  = "The database"
  referenced_security_group_id = var.aurora == null ? null : aws_security_group.database[0].id
  cidr_ipv4                    = var.aurora == null ? "0.0.0.0/0" : null
  ip_protocol                  = "tcp"
  from_port                    = local.database_port
  to_port                      = local.database_port
}
