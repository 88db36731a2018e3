//! What a setting's value may be, so that one that makes no sense is refused before anything begins.

use std::ops::RangeInclusive;

/// Numbers, and the least and the greatest that make sense.
const NUMBERS: &[(&str, RangeInclusive<u64>)] = &[
    ("database_connections", 1..=1_000),
    // A front gives up after half a minute; 0 answers 202 at once.
    ("wait_ms", 0..=60_000),
    // Brokers set a message aside after 100: ours comes first.
    ("delivery_attempts", 1..=99),
    ("keep_keys_hours", 1..=24 * 366),
    // SQS keeps a message for 14 days and may deliver it again as long.
    ("keep_inbox_days", 15..=3_660),
    ("keep_done_days", 1..=3_660),
    ("body_limit_bytes", 1_024..=64 * 1024 * 1024),
    ("arrival_ms", 1..=60_000),
    ("concurrency", 1..=1_000_000),
    ("drain_linger_ms", 0..=600_000),
];

/// What is one of a few words.
const WORDS: &[(&str, &[&str])] = &[("dev", SWITCH), ("workers", SWITCH), ("log_format", &["text", "json"])];

const SWITCH: &[&str] = &["on", "off", "1", "0", "true", "false"];

/// What is wrong with a setting's value, if anything is. None at all is what is not said.
pub(super) fn wrong(key: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    if let Some((_, range)) = NUMBERS.iter().find(|(known, _)| *known == key) {
        let fits = value.parse().is_ok_and(|number| range.contains(&number));
        return (!fits).then(|| format!("{value} is no number from {} to {}", range.start(), range.end()));
    }
    let (_, words) = WORDS.iter().find(|(known, _)| *known == key)?;
    (!words.contains(&value)).then(|| format!("{value} is not one of {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;

    #[test]
    fn the_ends_of_a_range_are_in_it_and_what_lies_beyond_is_not() {
        for (key, range) in NUMBERS {
            for inside in [range.start(), range.end()] {
                assert_eq!(wrong(key, &inside.to_string()), None, "{key}");
            }
            let beyond = [range.start().checked_sub(1), Some(range.end() + 1)];
            for beyond in beyond.into_iter().flatten() {
                assert!(wrong(key, &beyond.to_string()).is_some(), "{key} = {beyond}");
            }
        }
    }

    #[test]
    fn what_is_said_names_the_allowed_values() {
        assert_eq!(wrong("delivery_attempts", "0").unwrap(), "0 is no number from 1 to 99");
        assert_eq!(wrong("dev", "yes").unwrap(), "yes is not one of on, off, 1, 0, true, false");
        for value in ["-1", "1.5", "many", "99999999999999999999", " 5"] {
            assert!(wrong("concurrency", value).is_some(), "{value}");
        }
    }

    #[test]
    fn every_default_that_help_names_is_allowed() {
        for (key, what) in KEYS {
            if let Some((_, range)) = NUMBERS.iter().find(|(known, _)| known == key) {
                let default = what.split([' ', ',', ';']).rev().find_map(|word| word.parse::<u64>().ok());
                assert!(default.is_none_or(|default| range.contains(&default)), "{key}: {what}");
            }
        }
        for (key, _) in NUMBERS {
            assert!(KEYS.iter().any(|(known, _)| known == key), "{key} is no setting");
        }
    }
}
