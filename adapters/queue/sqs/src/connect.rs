//! The clients, made from the configuration and the AWS default chain.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sqs::config::Credentials;
use url::{Host, Url};

use crate::config::topic_region;
use crate::queues::Urls;
use crate::routes::Routes;
use crate::{Inner, Sqs, SqsConfig};

/// The bound on one exchange with AWS; a long poll has its own.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The bound on one call with the SDK's own retries (of connections that break, throttling and 5xx).
const CALL: Duration = Duration::from_secs(10);
/// How often the SDK tries.
const ATTEMPTS: u32 = 3;

impl Sqs {
    /// Makes the clients. Nothing is sent, so nothing can fail: credentials are looked for at the first call.
    pub async fn connect(config: SqsConfig) -> Self {
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        if config.endpoint.as_deref().is_some_and(is_emulator) {
            loader = loader.credentials_provider(Credentials::new("test", "test", None, None, "emulator"));
        }
        let loaded = loader.load().await;
        let mut sqs = aws_sdk_sqs::config::Builder::from(&loaded);
        let mut sns = aws_sdk_sns::config::Builder::from(&loaded);
        // Without an address of ours, those of the environment (AWS_ENDPOINT_URL_SQS and the like) stay.
        if let Some(endpoint) = &config.endpoint {
            sqs.set_endpoint_url(Some(endpoint.clone()));
            sns.set_endpoint_url(Some(endpoint.clone()));
        }
        if let Some(Ok(region)) = config.topic_arn.as_deref().map(topic_region) {
            sns.set_region(Some(Region::new(region.to_owned())));
        }
        Self {
            inner: Arc::new(Inner {
                sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
                sns: aws_sdk_sns::Client::from_conf(sns.build()),
                config,
                urls: Urls::default(),
                routes: Routes::default(),
            }),
        }
    }

    /// What it was made with: the names of the queues come from there.
    pub fn config(&self) -> &SqsConfig {
        &self.inner.config
    }
}

impl Inner {
    /// Time-outs of a call that itself waits this long.
    pub(crate) fn patient(&self, wait: Duration) -> aws_sdk_sqs::config::Builder {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(wait + ATTEMPT)
            .operation_timeout(wait + CALL)
            .build();
        aws_sdk_sqs::Config::builder().timeout_config(timeouts)
    }
}

/// An emulator on this machine takes any credentials, and is not shown the real ones in the clear.
fn is_emulator(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_on_this_machine_is_an_emulator() {
        for (endpoint, emulator) in [
            ("http://127.0.0.1:5000", true),
            ("http://localhost:4566", true),
            ("http://[::1]:5000", true),
            ("https://127.0.0.1:5000", false),
            ("http://moto:5000", false),
            ("http://127.0.0.1.example.com", false),
            ("https://vpce-1.sqs.eu-central-1.vpce.amazonaws.com", false),
        ] {
            assert_eq!(is_emulator(endpoint), emulator, "{endpoint}");
        }
    }
}
