//! Blocks of the Terraform module that let somebody in, allow something or decide what is delivered, as a whole.
//!
//! The rules beside this name the line to mend for what is known to go wrong. What nobody thought of (a principal, a
//! condition, a second route, `ignore_changes`) shows as a block that says something else than it did when a person last
//! read it. Whoever means the change seals the block anew, here, where a reviewer sees it.

use aws_lc_rs::digest::{SHA256, digest};

use super::hcl::Block;

/// A block as it was read.
struct Sealed {
    file: &'static str,
    block: &'static str,
    /// The first bytes of the SHA-256 of its words, without comments and white space.
    seal: &'static str,
}

const fn sealed(file: &'static str, block: &'static str, seal: &'static str) -> Sealed {
    Sealed { file, block, seal }
}

/// All of them.
#[rustfmt::skip]
const SEALED: &[Sealed] = &[
    sealed("catalog.tf", "locals", "536cc458a8f7"),
    sealed("catalog.tf", r#"resource "terraform_data" "checks""#, "91b201ace3d6"),
    sealed("functions.tf", "locals", "ee998e334dc7"),
    sealed("functions.tf", r#"resource "aws_lambda_function" "this""#, "d2fa0e1d1efd"),
    sealed("functions.tf", r#"resource "aws_lambda_alias" "live""#, "8fd0d99ba5b5"),
    sealed("http_api.tf", r#"resource "aws_apigatewayv2_api" "this""#, "507d266578a8"),
    sealed("http_api.tf", r#"resource "aws_apigatewayv2_authorizer" "jwt""#, "05e723e0bcbf"),
    sealed("http_api.tf", r#"resource "aws_apigatewayv2_integration" "lambda""#, "8d4eba06e4b1"),
    sealed("http_api.tf", r#"resource "aws_apigatewayv2_route" "operation""#, "a7c95d578e7b"),
    sealed("http_api.tf", r#"resource "aws_apigatewayv2_stage" "default""#, "d82d013366c5"),
    sealed("http_api.tf", r#"resource "aws_lambda_permission" "api""#, "fbdfe7c7cd0b"),
    sealed("keys.tf", r#"resource "aws_kms_key" "this""#, "85550c7600aa"),
    sealed("keys.tf", r#"data "aws_iam_policy_document" "key""#, "3e10b4e949a0"),
    sealed("queues.tf", r#"resource "aws_sns_topic" "events""#, "ba2e0ae3f802"),
    sealed("queues.tf", r#"resource "aws_sqs_queue" "dead""#, "43ebf496ef34"),
    sealed("queues.tf", r#"resource "aws_sqs_queue" "function""#, "e30452639df7"),
    sealed("queues.tf", r#"resource "aws_sqs_queue_redrive_allow_policy" "dead""#, "6e970c4c0c88"),
    sealed("queues.tf", "locals", "79d64f98ab1c"),
    sealed("queues.tf", r#"data "aws_iam_policy_document" "fan_out""#, "447f821a3952"),
    sealed("queues.tf", r#"resource "aws_sqs_queue_policy" "fan_out""#, "3a0d6994af41"),
    sealed("queues.tf", r#"resource "aws_sns_topic_subscription" "function""#, "9e74ae01b12b"),
    sealed("queues.tf", r#"resource "aws_lambda_event_source_mapping" "queue""#, "ea7b6e05fc06"),
    sealed("roles.tf", r#"data "aws_iam_policy_document" "assume_lambda""#, "f49e0c2a6b50"),
    sealed("roles.tf", r#"resource "aws_iam_role" "lambda""#, "a0259272ebe1"),
    sealed("roles.tf", r#"resource "aws_iam_role_policy" "lambda""#, "0e43bd2176fa"),
    sealed("roles.tf", r#"data "aws_iam_policy_document" "lambda""#, "ae1fd29081b8"),
    sealed("schedules.tf", r#"resource "aws_scheduler_schedule_group" "this""#, "c9daf11109fb"),
    sealed("schedules.tf", r#"data "aws_iam_policy_document" "assume_scheduler""#, "0003bb093079"),
    sealed("schedules.tf", r#"resource "aws_iam_role" "scheduler""#, "6be7191a620c"),
    sealed("schedules.tf", r#"data "aws_iam_policy_document" "scheduler""#, "e0bedcafc157"),
    sealed("schedules.tf", r#"resource "aws_iam_role_policy" "scheduler""#, "2dfb6faf259b"),
    sealed("schedules.tf", r#"resource "aws_lambda_function_event_invoke_config" "tick""#, "5c2faf4adb87"),
    sealed("schedules.tf", r#"resource "aws_scheduler_schedule" "job""#, "1537247e42f0"),
];

/// What is not as it was sealed: the line, and what to say of it. Those blocks are left out of which something better is
/// known.
pub(super) fn broken(
    file: &str,
    blocks: &[Block<'_>],
    known: impl Fn(&Block<'_>) -> bool,
) -> Vec<(usize, String)> {
    let mut said = Vec::new();
    for sealed in SEALED.iter().filter(|sealed| sealed.file == file) {
        let Some(block) = blocks.iter().find(|block| block.header == sealed.block) else {
            said.push((1, format!("`{}` is missing, and is sealed", sealed.block)));
            continue;
        };
        let seal = seal(block);
        if seal != sealed.seal && !known(block) {
            said.push((
                block.line,
                format!(
                    "`{}` says something else than when it was sealed as {}: undo it, or seal it as {seal}",
                    sealed.block, sealed.seal
                ),
            ));
        }
    }
    said
}

fn seal(block: &Block<'_>) -> String {
    let words = digest(&SHA256, block.words().as_bytes());
    hex::encode(&words.as_ref()[..6])
}
