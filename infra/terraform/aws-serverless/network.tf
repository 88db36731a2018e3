# The functions' own security group: they reach the database and HTTPS, and nothing reaches them.

resource "aws_security_group" "lambda" {
  count = var.vpc == null ? 0 : 1

  name        = "${var.name}-functions"
  description = "Florin's functions"
  vpc_id      = var.vpc.id
  tags        = local.tags
}

resource "aws_vpc_security_group_egress_rule" "https" {
  count = var.vpc == null ? 0 : 1

  security_group_id = aws_security_group.lambda[0].id
  description       = "AWS, the issuer's keys and the card provider"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "database" {
  count = var.vpc == null ? 0 : 1

  security_group_id            = aws_security_group.lambda[0].id
  description                  = "The database"
  referenced_security_group_id = var.aurora == null ? null : aws_security_group.database[0].id
  cidr_ipv4                    = var.aurora == null ? "0.0.0.0/0" : null
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
