# What the emulator (moto 5.2) cannot take, taken out where the module is applied to it and nowhere else: this file lies
# beside the module's own as `emulator_override.tf` then. The module as it is is planned and validated with the rest.

# It does not keep an SQS queue's RedriveAllowPolicy, and the provider waits for it to appear.
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each = {}
}

# It does not have the policies that AWS itself keeps in every account.
resource "aws_iam_role_policy_attachment" "monitoring" {
  count = 0
}

# It answers with spaces in this JSON, which the provider takes for a change of the queue and of all that follows from
# it; AWS answers without them. The policy is made as the module says, and the tests look at it.
resource "aws_sqs_queue" "function" {
  lifecycle {
    ignore_changes = [redrive_policy]
  }
}
