//! The envelope that SNS puts around a message on its way to a queue, unless raw delivery is on.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What was published.
pub(crate) struct Notification {
    pub(crate) message: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    r#type: String,
    #[serde(rename = "TopicArn")]
    _topic_arn: String,
    message: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    r#type: String,
    value: String,
}

/// The notification, if this body is an SNS envelope.
pub(crate) fn unwrapped(body: &str) -> Option<Notification> {
    // Parsing only what may be one: the body of a raw delivery is parsed by whoever handles it.
    if !body.contains("\"TopicArn\"") {
        return None;
    }
    let envelope: Envelope = serde_json::from_str(body).ok()?;
    let is_text = |attribute: &Attribute| attribute.r#type != "Binary";
    let attributes = envelope.message_attributes.into_iter().filter(|(_, attribute)| is_text(attribute));
    (envelope.r#type == "Notification").then(|| Notification {
        message: envelope.message,
        attributes: attributes.map(|(name, attribute)| (name, attribute.value)).collect(),
    })
}
