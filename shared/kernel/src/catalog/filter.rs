//! What a broker without wildcards between words compares an event's type with: SNS, and a Knative Trigger.

use crate::event::Pattern;

/// One comparison. Of several, one that lets an event through is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Everything.
    Any,
    /// This type.
    Is(String),
    /// Types that begin so.
    StartsWith(String),
}

impl Filter {
    /// The comparisons of a pattern. Where they cannot say it they let more through than it wants, never less: of
    /// `a.*.c` everything that begins with `a.`, and the consumer drops the rest.
    pub fn of(Pattern(pattern): Pattern) -> Vec<Self> {
        let words: Vec<&str> = pattern.split('.').collect();
        let Some(wild) = words.iter().position(|word| matches!(*word, "*" | "#")) else {
            return vec![Self::Is(pattern.to_owned())];
        };
        if wild == 0 {
            return vec![Self::Any];
        }
        let start = words[..wild].join(".");
        let after = Self::StartsWith(format!("{start}."));
        // `#` also stands for no word at all.
        if words[wild] == "#" { vec![Self::Is(start), after] } else { vec![after] }
    }

    /// Whether an event of this type is let through.
    pub fn lets_through(&self, kind: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(whole) => kind == whole,
            Self::StartsWith(start) => kind.starts_with(start.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_lets_through_whatever_a_pattern_wants() {
        let kinds = ["a", "a.b", "a.b.c", "a.x.c", "ab.c", "b"];
        for pattern in ["a", "a.b", "a.#", "a.*", "a.*.c", "#", "*", "*.b.c"].map(Pattern) {
            for kind in kinds.into_iter().filter(|kind| pattern.matches(kind)) {
                let through = Filter::of(pattern).iter().any(|filter| filter.lets_through(kind));
                assert!(through, "{pattern} loses {kind}");
            }
        }
    }

    #[test]
    fn what_has_no_wildcard_is_compared_whole() {
        assert_eq!(Filter::of(Pattern("a.b")), [Filter::Is("a.b".to_owned())]);
        let all = [Filter::Is("a".to_owned()), Filter::StartsWith("a.".to_owned())];
        assert_eq!(Filter::of(Pattern("a.#")), all);
        assert_eq!(Filter::of(Pattern("*.b")), [Filter::Any]);
    }
}
