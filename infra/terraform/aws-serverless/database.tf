# Aurora PostgreSQL serverless v2, where it is asked for.

resource "aws_db_subnet_group" "this" {
  count = var.aurora == null ? 0 : 1

  name        = var.name
  description = "Database of Florin"
  subnet_ids  = var.vpc.subnet_ids
  tags        = local.tags
}

resource "aws_security_group" "database" {
  count = var.aurora == null ? 0 : 1

  name        = "${var.name}-database"
  description = "Database of Florin"
  vpc_id      = var.vpc.id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  count = var.aurora == null ? 0 : 1

  security_group_id            = aws_security_group.database[0].id
  description                  = "Functions of Florin"
  referenced_security_group_id = aws_security_group.lambda[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "database_client" {
  for_each = var.aurora == null ? [] : var.database_client_security_group_ids

  security_group_id            = aws_security_group.database[0].id
  description                  = "What migrates"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_rds_cluster_parameter_group" "this" {
  count = var.aurora == null ? 0 : 1

  name        = var.name
  description = "Database of Florin"
  family      = "aurora-postgresql${split(".", var.aurora.engine_version)[0]}"
  tags        = local.tags

  # Said here, so that the functions' reserved concurrency can be checked against it.
  parameter {
    name         = "max_connections"
    value        = tostring(var.aurora.max_connections)
    apply_method = "pending-reboot"
  }

  parameter {
    name         = "rds.force_ssl"
    value        = "1"
    apply_method = "pending-reboot"
  }

  # Statements that change the schema; those with data would put it into the log. This one logs the password of a CREATE ROLE or
  # ALTER ROLE: psql's \password sends no password.
  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
}

# RDS writes to the group of this name, and would make it itself, without an end to its logs.
resource "aws_cloudwatch_log_group" "database" {
  count = var.aurora == null ? 0 : 1

  name              = "/aws/rds/cluster/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = local.tags
}

resource "aws_rds_cluster" "this" {
  count = var.aurora == null ? 0 : 1

  cluster_identifier              = var.name
  engine                          = "aurora-postgresql"
  engine_mode                     = "provisioned"
  engine_version                  = var.aurora.engine_version
  database_name                   = "florin"
  master_username                 = "florin_master"
  manage_master_user_password     = true
  master_user_secret_kms_key_id   = local.kms_key_arn
  db_subnet_group_name            = aws_db_subnet_group.this[0].name
  vpc_security_group_ids          = [aws_security_group.database[0].id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this[0].name
  storage_encrypted               = true
  kms_key_id                      = local.kms_key_arn
  backup_retention_period         = var.aurora.backup_retention_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.aurora.deletion_protection
  skip_final_snapshot             = !var.aurora.final_snapshot
  final_snapshot_identifier       = var.aurora.final_snapshot ? "${var.name}-final" : null
  enabled_cloudwatch_logs_exports = ["postgresql"]
  tags                            = local.tags

  iam_database_authentication_enabled = true

  serverlessv2_scaling_configuration {
    min_capacity             = var.aurora.min_acu
    max_capacity             = var.aurora.max_acu
    seconds_until_auto_pause = var.aurora.min_acu == 0 ? 900 : null
  }

  depends_on = [aws_cloudwatch_log_group.database]
}

resource "aws_rds_cluster_instance" "this" {
  count = var.aurora == null ? 0 : var.aurora.instances

  identifier                      = "${var.name}-${count.index}"
  cluster_identifier              = aws_rds_cluster.this[0].id
  instance_class                  = "db.serverless"
  engine                          = aws_rds_cluster.this[0].engine
  engine_version                  = aws_rds_cluster.this[0].engine_version
  db_subnet_group_name            = aws_db_subnet_group.this[0].name
  auto_minor_version_upgrade      = true
  copy_tags_to_snapshot           = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = local.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring[0].arn
  tags                            = local.tags
}

data "aws_iam_policy_document" "assume_monitoring" {
  count = var.aurora == null ? 0 : 1

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  count = var.aurora == null ? 0 : 1

  name               = "${var.name}-database-monitoring-${local.region}"
  description        = "Lets RDS write the database's enhanced metrics"
  assume_role_policy = data.aws_iam_policy_document.assume_monitoring[0].json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  count = var.aurora == null ? 0 : 1

  role       = aws_iam_role.monitoring[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
