//! What a function's SNS subscription lets through: its patterns, as far as SNS can say them.

use florin_kernel::catalog::Filter;
use florin_kernel::event::{Event, Pattern};
use florin_queue::port::Subscription;
use serde_json::{Value, json};

/// The SNS filter policy (attribute `type`) of these patterns; none where everything is let through.
///
/// SNS has no wildcard between words, so `a.*.c` lets `a.` and anything through: the queue's consumer drops what
/// the pattern does not want.
pub fn filter_policy(on: &[Pattern]) -> Option<Value> {
    let mut list = Vec::new();
    for filter in on.iter().flat_map(|pattern| Filter::of(*pattern)) {
        list.push(match filter {
            Filter::Any => return None,
            Filter::Is(whole) => json!(whole),
            Filter::StartsWith(start) => json!({ "prefix": start }),
        });
    }
    Some(json!({ "type": list }))
}

/// Whether an event came only because SNS could not say the pattern. Any other event that the subscription does not
/// want was put there on purpose, by a newer release or by a person, and is for the function to judge.
pub(crate) fn stray(subscription: Subscription, event: &Event) -> bool {
    let loose = |pattern: &Pattern| pattern.0.split('.').any(|word| word == "*");
    !subscription.wants(event)
        && subscription
            .on
            .iter()
            .filter(|pattern| loose(pattern))
            .any(|pattern| Filter::of(*pattern).iter().any(|filter| filter.lets_through(&event.kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_policy_says_what_the_patterns_want() {
        let policy = |on: &[Pattern]| filter_policy(on).map_or("all".to_owned(), |policy| policy.to_string());
        let captured = Pattern("florin.payment.captured.v1");
        assert_eq!(policy(&[captured]), r#"{"type":["florin.payment.captured.v1"]}"#);
        assert_eq!(policy(&[Pattern("florin.#")]), r#"{"type":["florin",{"prefix":"florin."}]}"#);
        assert_eq!(policy(&[Pattern("florin.payment.*.v1")]), r#"{"type":[{"prefix":"florin.payment."}]}"#);
        assert_eq!(policy(&[captured, Pattern("#")]), "all");
        assert_eq!(policy(&[Pattern("*.payment")]), "all");
    }
}
