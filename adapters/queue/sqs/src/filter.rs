//! What a function's SNS subscription lets through: its patterns, as far as SNS can say them.

use florin_kernel::event::{Event, Pattern};
use florin_queue::port::Subscription;
use serde_json::{Value, json};

/// What SNS compares an event's type with.
#[derive(Debug, PartialEq, Eq)]
enum Rule {
    Any,
    Is(String),
    StartsWith(String),
}

impl Rule {
    fn lets_through(&self, kind: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(whole) => kind == whole,
            Self::StartsWith(start) => kind.starts_with(start.as_str()),
        }
    }
}

/// The SNS filter policy (attribute `type`) of these patterns; none where everything is let through.
///
/// SNS has no wildcard between words, so `a.*.c` lets `a.` and anything through: the queue's consumer drops what
/// the pattern does not want.
pub fn filter_policy(on: &[Pattern]) -> Option<Value> {
    let mut list = Vec::new();
    for rule in on.iter().flat_map(|pattern| rules(*pattern)) {
        list.push(match rule {
            Rule::Any => return None,
            Rule::Is(whole) => json!(whole),
            Rule::StartsWith(start) => json!({ "prefix": start }),
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
            .any(|pattern| rules(*pattern).iter().any(|rule| rule.lets_through(&event.kind)))
}

fn rules(Pattern(pattern): Pattern) -> Vec<Rule> {
    let words: Vec<&str> = pattern.split('.').collect();
    let Some(wild) = words.iter().position(|word| matches!(*word, "*" | "#")) else {
        return vec![Rule::Is(pattern.to_owned())];
    };
    if wild == 0 {
        return vec![Rule::Any];
    }
    let start = words[..wild].join(".");
    let after = Rule::StartsWith(format!("{start}."));
    // `#` also stands for no word at all.
    if words[wild] == "#" { vec![Rule::Is(start), after] } else { vec![after] }
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

    #[test]
    fn a_filter_lets_through_whatever_a_pattern_wants() {
        let kinds = ["a", "a.b", "a.b.c", "a.x.c", "ab.c", "b"];
        for pattern in ["a", "a.b", "a.#", "a.*", "a.*.c", "#", "*", "*.b.c"].map(Pattern) {
            for kind in kinds.into_iter().filter(|kind| pattern.matches(kind)) {
                let through = rules(pattern).iter().any(|rule| rule.lets_through(kind));
                assert!(through, "{pattern} loses {kind}");
            }
        }
    }
}
