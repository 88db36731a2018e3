# A route for each HTTP operation, with its scope, and none besides.

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "Florin's HTTP operations"
  protocol_type = "HTTP"
  tags          = local.tags
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt_issuer
    audience = [var.jwt_audience]
  }
}

resource "aws_apigatewayv2_integration" "lambda" {
  for_each = { for name, lambda in local.lambdas : name => lambda if lambda.serves_http }

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_alias.live[each.key].invoke_arn
  payload_format_version = "2.0"
  # The longest there is; the function's own time ends before it.
  timeout_milliseconds = 30000
}

resource "aws_apigatewayv2_route" "operation" {
  for_each = local.routes

  api_id               = aws_apigatewayv2_api.this.id
  route_key            = each.value.route.key
  target               = "integrations/${aws_apigatewayv2_integration.lambda[each.value.lambda].id}"
  authorization_type   = length(each.value.route.scopes) == 0 ? "NONE" : "JWT"
  authorizer_id        = length(each.value.route.scopes) == 0 ? null : aws_apigatewayv2_authorizer.jwt.id
  authorization_scopes = each.value.route.scopes
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default" # A named stage would stand before every path.
  auto_deploy = true
  tags        = local.tags

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_rate_limit    = var.throttling_rate
    throttling_burst_limit   = var.throttling_burst
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    # No query and no header: they may hold what is secret.
    format = jsonencode({
      "@timestamp"                     = "$context.requestTime"
      "http.request.id"                = "$context.requestId"
      "http.request.method"            = "$context.httpMethod"
      "http.route"                     = "$context.routeKey"
      "http.response.status_code"      = "$context.status"
      "http.response.body.bytes"       = "$context.responseLength"
      "event.duration_ms"              = "$context.responseLatency"
      "florin.integration.duration_ms" = "$context.integrationLatency"
      "florin.authorizer.error"        = "$context.authorizer.error"
      "error.message"                  = "$context.error.message"
      "client.address"                 = "$context.identity.sourceIp"
    })
  }
}

# The name that browsers and merchants know. Its record stays with whoever turns it: output `domain`.
resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name
  tags        = local.tags

  domain_name_configuration {
    certificate_arn = var.domain.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.default.id
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = local.tags
}

resource "aws_lambda_permission" "api" {
  for_each = aws_apigatewayv2_integration.lambda

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.key].function_name
  qualifier     = aws_lambda_alias.live[each.key].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
