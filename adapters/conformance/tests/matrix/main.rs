//! The same payments on every database and over every broker: what happens stands once in the audit records.

mod all_in_one;
mod apart;
mod cloudevents;
mod moving;
