//! What an error of AWS means to us.

use std::error::Error;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use florin_queue::port::QueueError;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// AWS is away, slow or throttling: the same call may succeed later.
    Away,
    /// There is no such queue.
    NoQueue,
    /// AWS will never take these messages as they are.
    Messages,
    /// Credentials, permissions, addresses: a person must change something.
    Configuration,
}

/// An error of AWS, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct AwsError {
    pub(crate) trouble: Trouble,
    pub(crate) said: String,
}

impl<E: ProvideErrorMetadata + Error + Send + Sync + 'static> From<SdkError<E>> for AwsError {
    fn from(error: SdkError<E>) -> Self {
        let trouble = match &error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Trouble::Away,
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => Trouble::Away,
            // Neither, and still known to the SDK: a connection that is closed where the answer should begin. Without
            // credentials this is none.
            SdkError::DispatchFailure(failure) if failure.as_other().is_some() => Trouble::Away,
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                of_code(status, answer.err().code().unwrap_or_default())
            }
            // No credentials, or a request that cannot be built.
            _ => Trouble::Configuration,
        };
        Self { trouble, said: said(&error) }
    }
}

impl From<AwsError> for QueueError {
    fn from(error: AwsError) -> Self {
        Self(error.said)
    }
}

fn of_code(status: u16, code: &str) -> Trouble {
    // SQS names errors with or without this, by protocol.
    match code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code) {
        "NonExistentQueue" | "QueueDoesNotExist" => Trouble::NoQueue,
        "InvalidMessageContents"
        | "BatchRequestTooLong"
        | "InvalidParameterValue"
        | "InvalidParameter"
        | "ParameterValueInvalid" => Trouble::Messages,
        // A queue of this name may be made 60 seconds after another was deleted.
        "QueueDeletedRecently"
        | "RequestThrottled"
        | "KmsThrottled"
        | "KMSThrottling"
        | "KMS.ThrottlingException"
        | "Throttled"
        | "Throttling"
        | "ThrottlingException"
        | "OverLimit" => Trouble::Away,
        _ if status >= 500 || status == 429 => Trouble::Away,
        _ => Trouble::Configuration,
    }
}

/// The error with its causes: the SDK's own text says only which kind it is.
fn said<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> String {
    if let (Some(code), message) = (error.code(), error.message()) {
        return format!("{code}: {}", message.unwrap_or("no message"));
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_whether_to_try_again() {
        for (status, code, trouble) in [
            (400, "AWS.SimpleQueueService.NonExistentQueue", Trouble::NoQueue),
            (400, "QueueDoesNotExist", Trouble::NoQueue),
            (400, "InvalidMessageContents", Trouble::Messages),
            (400, "AWS.SimpleQueueService.BatchRequestTooLong", Trouble::Messages),
            (403, "RequestThrottled", Trouble::Away),
            (400, "QueueDeletedRecently", Trouble::Away),
            (503, "", Trouble::Away),
            (403, "AccessDenied", Trouble::Configuration),
            (403, "InvalidClientTokenId", Trouble::Configuration),
        ] {
            assert_eq!(of_code(status, code), trouble, "{status} {code}");
        }
    }
}
