//! The catalog: everything that is known of the functions, read from the one list of them.
//!
//! Four readings of it: [`json`] for programs, [`openapi`] for those who call, [`asyncapi`] for
//! those who listen, and [`event_files`] for the directory events/. [`Deployment`] is what the formats of the platforms
//! are made of. All come in a stable order.

mod asyncapi;
mod deployment;
mod event_files;
mod events;
mod filter;
mod json;
mod openapi;
mod schemas;

pub use asyncapi::asyncapi;
pub use deployment::{By, Deployment, Entry, INVOCATION, MOST_DELIVERIES, Needs};
pub use event_files::event_files;
pub use events::{Emitted, emitted};
pub use filter::Filter;
pub use json::json;
pub use openapi::openapi;

/// The version that the documents carry.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The licence that the documents name (SPDX).
const LICENSE: &str = env!("CARGO_PKG_LICENSE");

/// The first sentence of a text, without its full stop and without markup, which a summary does not have.
fn first_sentence(text: &str) -> String {
    let line = text.split("\n\n").next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.').replace('`', "")
}

/// What a function's name says, as a sentence: `payments.charge_card` reads "Charge card".
fn spoken(name: &str) -> String {
    let verb = name.split_once('.').map_or(name, |(_, verb)| verb);
    let mut letters = verb.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).map(|letter| if letter == '_' { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(first_sentence("Confirm it. A declined card is a 402."), "Confirm it");
        assert_eq!(
            first_sentence("Create it; with `confirm` also confirm it."),
            "Create it; with confirm also confirm it"
        );
        assert_eq!(first_sentence("Where it goes.\n\nIt is public."), "Where it goes");
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn a_name_reads_as_a_sentence() {
        assert_eq!(spoken("payments.expire_authorizations"), "Expire authorizations");
    }
}
