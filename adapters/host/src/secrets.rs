//! Settings whose value is a secret's name: `secretsmanager:ARN` is asked of AWS Secrets Manager when a function starts.
//!
//! So no secret stands in a function's environment, where whoever may look at the function sees it, nor in the state
//! of what deployed it. A value that is rotated reaches the environments that start after it.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;

use crate::config::Config;
use crate::deployment::HostError;

/// What such a value begins with.
const PREFIX: &str = "secretsmanager:";
/// The bound on one question with its retries: Lambda gives an environment ten seconds to start.
const PATIENCE: Duration = Duration::from_secs(5);

/// The configuration with the values of the secrets it names. Without one, AWS is not asked anything.
///
/// # Errors
/// A secret cannot be read, or is not text. The error names the setting and never a value.
pub async fn read(mut config: Config) -> Result<Config, HostError> {
    let named = named(&config);
    if named.is_empty() {
        return Ok(config);
    }
    let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
    let loaded = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await;
    let client = Client::new(&loaded);
    let each = named.iter().map(|(key, name)| value(&client, key, name));
    for (key, value) in futures_util::future::try_join_all(each).await? {
        config = config.with(key, Some(value));
    }
    Ok(config)
}

/// The settings that name a secret, and which.
fn named(config: &Config) -> Vec<(String, String)> {
    let named = config.iter().filter_map(|(key, value)| Some((key, value.strip_prefix(PREFIX)?)));
    named.map(|(key, name)| (key.to_owned(), name.to_owned())).collect()
}

async fn value<'a>(client: &Client, key: &'a str, name: &str) -> Result<(&'a str, String), HostError> {
    let setting = || format!("FLORIN_{}", key.to_ascii_uppercase());
    let answer = client.get_secret_value().secret_id(name).send().await.map_err(|error| {
        HostError(format!("{}: the secret cannot be read: {}", setting(), DisplayErrorContext(&error)))
    })?;
    match answer.secret_string {
        Some(text) => Ok((key, text)),
        None => Err(HostError(format!("{}: the secret is not text", setting()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_names_a_secret_is_asked_for() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:florin/card";
        let config = Config::default()
            .with("card_credential", Some(format!("secretsmanager:{arn}")))
            .with("card_url", Some("https://card.example".to_owned()));
        assert_eq!(named(&config), [("card_credential".to_owned(), arn.to_owned())]);
    }

    #[tokio::test]
    async fn without_a_named_secret_nobody_is_asked() {
        let config = Config::default().with("database_url", Some("postgres://a".to_owned()));
        let read = read(config).await.expect("no question, no error");
        assert_eq!(read.database_url("payments"), "postgres://a");
    }
}
