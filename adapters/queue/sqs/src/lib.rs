//! The queue port on Amazon SQS, with SNS fan-out where there is a topic.
