//! The queue port on SQS and SNS: against moto, and against a fake where moto cannot fail.

mod answers;
mod calls;
mod dead;
mod declare;
mod fake;
mod fan_out;
mod publish;
mod stop;
mod world;
