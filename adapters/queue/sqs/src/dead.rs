//! The move to a dead queue of what cannot be decoded.

use aws_sdk_sqs::types::{Message, MessageAttributeValue};

use crate::Inner;
use crate::trouble::{AwsError, Trouble};

/// Says on a dead message why it is there.
pub(crate) const WHY: &str = "florin-why";
/// The most attributes that a message had and keeps: one is ours, and ten are the most of all.
const KEPT: usize = 9;
/// The most characters of the reason.
const LONGEST: usize = 1_000;

impl Inner {
    /// Copies a message to the dead queue of this name as it is, with the reason as an attribute. Only then may it be
    /// deleted; a crash between the two leaves it in both.
    ///
    /// The redrive policy would move it as well, after a hundred deliveries; so people see it at once, and why.
    pub(crate) async fn bury(&self, dead: &str, message: &Message, why: &str) -> Result<(), AwsError> {
        let url = self.url(dead).await?;
        let body = message.body.as_deref().unwrap_or_default();
        let send = || self.sqs.send_message().queue_url(&url).message_body(body);
        let mut call = send().message_attributes(WHY, text(why));
        for (name, value) in message.message_attributes.iter().flatten().take(KEPT) {
            call = call.message_attributes(name, value.clone());
        }
        match call.send().await.map_err(AwsError::from) {
            // The reason made it too long, or an attribute is not one to send: the body is what counts.
            Err(error) if error.trouble == Trouble::Messages => {
                send().send().await.map(|_| ()).map_err(AwsError::from)
            }
            sent => sent.map(|_| ()),
        }
    }
}

/// The reason in characters that SQS takes.
fn text(why: &str) -> MessageAttributeValue {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { '?' } else { c };
    let why: String = why.chars().take(LONGEST).map(plain).collect();
    let value = MessageAttributeValue::builder().data_type("String").string_value(why);
    value.build().expect("the data type is set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_only_characters_that_sqs_takes_and_is_bounded() {
        let of = |why: &str| text(why).string_value().map(str::to_owned).unwrap();
        assert_eq!(of("no \"ü\u{7}\u{FFFE}\n\""), "no \"ü???\"");
        assert_eq!(of(&"ü".repeat(2_000)), "ü".repeat(1_000));
    }
}
