//! The AWS Lambda front: API Gateway, ALB, function URL, SQS, SNS and schedules.
