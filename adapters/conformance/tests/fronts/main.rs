//! Every front of the same binary: a container and a Knative service over HTTP/1.1 and h2c, and a Lambda function behind
//! each of its fronts. The same request gets the same answer, and what others recorded is understood.

mod cloudevents;
mod data;
mod recorded;
mod same_answers;
mod stage;
