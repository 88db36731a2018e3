# What the emulator (moto 5.2) cannot take, taken out where the module is applied to it and nowhere else: this file lies
# beside the module's own as `emulator_override.tf` then. Both resources are planned and validated with the rest.

# It does not keep an SQS queue's RedriveAllowPolicy, and the provider waits for it to appear.
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each = {}
}

# It does not have the policies that AWS itself keeps in every account.
resource "aws_iam_role_policy_attachment" "monitoring" {
  count = 0
}
