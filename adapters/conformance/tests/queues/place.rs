//! Where a broker keeps the queues of one test, so that they can be counted and cleared from outside.

use std::path::PathBuf;

use florin_conformance::depth;
use florin_sqs::SqsConfig;

use crate::desk::REACTIONS;

#[derive(Clone)]
pub(crate) enum Place {
    /// A data directory.
    Embedded(PathBuf),
    RabbitMq {
        url: String,
        prefix: String,
    },
    Sqs(Box<SqsConfig>),
}

impl Place {
    /// How much there is for a function.
    pub(crate) async fn left(&self, function: &str) -> u64 {
        match self {
            Self::Embedded(directory) => depth::embedded(directory, Some(function)).await,
            Self::RabbitMq { url, prefix } => depth::rabbitmq(url, prefix, function).await,
            Self::Sqs(config) => {
                let endpoint = config.endpoint.as_deref().unwrap_or_default();
                depth::sqs(endpoint, &config.queue_name(function)).await
            }
        }
    }

    /// Deletes what would fill up a broker that many tests use. Files go with their directory, and moto has room.
    pub(crate) async fn clear(&self) {
        match self {
            Self::RabbitMq { url, prefix } => depth::delete_rabbitmq(url, prefix, REACTIONS).await,
            Self::Embedded(_) | Self::Sqs(_) => {}
        }
    }
}
