//! Counts what ran: from the words of libtest, and from the tests that skipped themselves.

use std::collections::BTreeMap;

use florin_servers::Part;

use crate::infra::Verdict;

/// The outcome of all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    passed: usize,
    failed: usize,
    failures: Vec<String>,
    ignored: usize,
    /// The part that was missing and the reason, by test.
    skipped: BTreeMap<String, (String, String)>,
    /// The checks of infra/ that could not be made here, with the reason.
    unchecked: Vec<(String, String)>,
}

impl Summary {
    /// Takes a line of the output of `cargo test`.
    pub(crate) fn read(&mut self, line: &str) {
        // A program that a test started may have left half a line before it.
        if let Some((_, result)) = line.split_once("test result: ") {
            self.passed += count(result, " passed");
            self.failed += count(result, " failed");
            self.ignored += count(result, " ignored");
        } else if let Some(test) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(test.to_owned());
        }
    }

    /// Takes the report of the tests that skipped themselves; libtest counts them as passed.
    pub(crate) fn skipped(&mut self, report: &str) {
        for line in report.lines() {
            let mut fields = line.splitn(3, '\t');
            let (part, test) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            let why = fields.next().unwrap_or_default();
            self.skipped.insert(test.to_owned(), (part.to_owned(), why.to_owned()));
        }
    }

    /// `cargo test` failed: something did, even when no test said so (a program that was killed, a
    /// documentation example that does not compile).
    pub(crate) fn ended_badly(&mut self) {
        if self.failed == 0 {
            self.failed = 1;
            self.failures.push("a test program ended before its tests did (see above)".into());
        }
    }

    /// Takes what the checks of infra/ came to.
    pub(crate) fn checked(&mut self, verdict: Verdict) {
        self.passed += verdict.passed;
        self.failed += verdict.failed.len();
        self.failures.extend(verdict.failed.into_iter().map(|check| format!("infra {check}")));
        self.unchecked.extend(verdict.skipped);
    }

    /// Whether nothing failed.
    pub(crate) fn is_green(&self) -> bool {
        self.failed == 0
    }

    /// The last words of a run: what failed, what was skipped and why, and the numbers.
    pub(crate) fn words(&self, absent: &[(Part, String)]) -> String {
        let mut words = String::from("\n");
        for (part, why) in absent {
            words += &format!("not there: {}: {why}\n", part.name());
        }
        for (test, (part, why)) in &self.skipped {
            words += &format!("skipped: {test}: {part}: {why}\n");
        }
        for (check, why) in &self.unchecked {
            words += &format!("skipped: infra {check}: {why}\n");
        }
        if self.ignored > 0 {
            words += &format!("skipped: {} marked #[ignore]\n", self.ignored);
        }
        for test in &self.failures {
            words += &format!("failed: {test}\n");
        }
        let skipped = self.skipped.len() + self.ignored + self.unchecked.len();
        let passed = self.passed.saturating_sub(self.skipped.len());
        words + &format!("{passed} passed, {} failed, {skipped} skipped\n", self.failed)
    }
}

/// The number before `word`, as in `ok. 12 passed; 0 failed; ...`.
fn count(result: &str, word: &str) -> usize {
    let before = result.split(word).next().filter(|before| before.len() < result.len());
    before.and_then(|before| before.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(output: &str) -> Summary {
        let mut summary = Summary::default();
        output.lines().for_each(|line| summary.read(line));
        summary
    }

    #[test]
    fn the_last_line_adds_up_all_test_programs() {
        let summary = summary(
            "test a ... ok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s\n\
             test b ... FAILED\n\
             half a linetest result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out\n",
        );
        assert!(!summary.is_green());
        let words = summary.words(&[]);
        assert!(words.contains("failed: b\n"), "{words}");
        assert_eq!(words.lines().last(), Some("5 passed, 1 failed, 1 skipped"));
    }

    #[test]
    fn a_test_that_skipped_itself_twice_is_one_skipped_test_and_no_passed_one() {
        let mut summary = summary("test result: ok. 2 passed; 0 failed; 0 ignored");
        summary.skipped("postgres\tqueue::relay\tnot set\npostgres\tqueue::relay\tnot set\n");
        let words = summary.words(&[(Part::Postgres, "postgresql is not installed".into())]);
        assert!(words.contains("skipped: queue::relay: postgres: not set\n"), "{words}");
        assert!(words.contains("not there: postgres: postgresql is not installed\n"), "{words}");
        assert_eq!(words.lines().last(), Some("1 passed, 0 failed, 1 skipped"));
    }

    #[test]
    fn the_checks_of_infra_are_counted_and_named_with_the_tests() {
        let mut summary = summary("test result: ok. 2 passed; 0 failed; 0 ignored");
        let skipped = vec![("terraform: plan".to_owned(), "no provider".to_owned())];
        summary.checked(Verdict { passed: 3, failed: vec!["helm: lint".into()], skipped });
        assert!(!summary.is_green());
        let words = summary.words(&[]);
        assert!(words.contains("skipped: infra terraform: plan: no provider\n"), "{words}");
        assert!(words.contains("failed: infra helm: lint\n"), "{words}");
        assert_eq!(words.lines().last(), Some("5 passed, 1 failed, 1 skipped"));
    }

    #[test]
    fn a_run_that_ends_badly_without_a_failed_test_is_not_green() {
        let mut summary = summary("test result: ok. 2 passed; 0 failed; 0 ignored");
        assert!(summary.is_green());
        summary.ended_badly();
        assert_eq!(summary.words(&[]).lines().last(), Some("2 passed, 1 failed, 0 skipped"));
    }
}
