//! What a function's queue is called: its name, in the characters that SQS allows.

use florin_queue::port::QueueError;

/// The most characters of a queue's name.
const LONGEST: usize = 80;
/// What the name of the queue for dead messages ends with.
const DEAD: &str = "-dead";

/// The queue of a function: the prefix and the function's name, its dots as hyphens, because a queue's name has
/// letters, digits, hyphens and underscores only. No two functions share one: their names have no hyphen.
pub(crate) fn queue(prefix: &str, function: &str) -> String {
    let joint = if prefix.is_empty() || prefix.ends_with(['-', '_']) { "" } else { "-" };
    format!("{prefix}{joint}{}", function.replace('.', "-"))
}

/// The queue for what a queue cannot give to its function.
pub(crate) fn dead(queue: &str) -> String {
    format!("{queue}{DEAD}")
}

/// Refuses a queue whose name SQS would refuse, or whose dead queue's.
pub(crate) fn check(queue: &str) -> Result<(), QueueError> {
    if queue.is_empty() || !queue.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Err(QueueError(format!(
            "{queue:?} is no name for a queue: letters, digits, hyphens and underscores only"
        )));
    }
    let most = LONGEST - DEAD.len();
    if queue.len() > most {
        return Err(QueueError(format!("{queue:?} is no name for a queue: more than {most} characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_called_after_its_function() {
        for (prefix, function, name) in [
            ("florin", "audit.record_event", "florin-audit-record_event"),
            ("florin-", "audit.record_event", "florin-audit-record_event"),
            ("staging_", "audit.record_event", "staging_audit-record_event"),
            ("", "audit.record_event", "audit-record_event"),
        ] {
            assert_eq!(queue(prefix, function), name);
            assert_eq!(dead(name), format!("{name}-dead"));
            assert!(check(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_that_sqs_would_refuse_is_refused() {
        for name in ["", "a.fifo", "a b", "ä", &"x".repeat(76)] {
            assert!(check(name).is_err(), "{name:?} was taken");
        }
        assert!(check(&"x".repeat(75)).is_ok());
    }
}
