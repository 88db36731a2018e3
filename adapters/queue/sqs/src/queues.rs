//! The addresses of queues, asked for once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::Inner;
use crate::trouble::{AwsError, Trouble};

/// Addresses by queue name, or by ARN where AWS told it. A queue that is made again has the same.
#[derive(Default)]
pub(crate) struct Urls(Mutex<HashMap<String, String>>);

impl Urls {
    fn get(&self, queue: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).cloned()
    }

    pub(crate) fn put(&self, queue: &str, url: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned(), url.to_owned());
    }
}

impl Inner {
    /// The address of a queue of ours, by its name.
    pub(crate) async fn url(&self, queue: &str) -> Result<String, AwsError> {
        self.look_up(queue, queue, None).await
    }

    /// The address of any queue, by its ARN: `arn:PARTITION:sqs:REGION:ACCOUNT:NAME`.
    pub(crate) async fn url_of_arn(&self, arn: &str) -> Result<String, AwsError> {
        let ["arn", _, "sqs", _, account, name] = arn.split(':').collect::<Vec<_>>()[..] else {
            let said = format!("{arn:?} is not the ARN of a queue");
            return Err(AwsError { trouble: Trouble::Configuration, said });
        };
        self.look_up(arn, name, Some(account)).await
    }

    async fn look_up(&self, key: &str, name: &str, account: Option<&str>) -> Result<String, AwsError> {
        if let Some(url) = self.urls.get(key) {
            return Ok(url);
        }
        let call = self.sqs.get_queue_url().queue_name(name);
        let answer = call.set_queue_owner_aws_account_id(account.map(str::to_owned)).send().await;
        match answer.map_err(AwsError::from) {
            Ok(answer) => {
                let url = answer.queue_url.unwrap_or_default();
                self.urls.put(key, &url);
                Ok(url)
            }
            Err(error) if error.trouble == Trouble::NoQueue => {
                Err(AwsError { said: format!("there is no queue {name}"), ..error })
            }
            Err(error) => Err(error),
        }
    }
}
