//! Counts of what passed, failed and was skipped, read from what test programs print.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Passed, failed, skipped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Checks that held.
    pub(crate) passed: u32,
    /// Checks that didn't.
    pub(crate) failed: u32,
    /// Checks that weren't made.
    pub(crate) skipped: u32,
}

impl Tally {
    /// One check that held.
    pub(crate) const ONE: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    /// One check that failed.
    pub(crate) const FAILED: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };
    /// One check that wasn't made.
    pub(crate) const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Whether something ran and nothing failed.
    pub(crate) fn is_good(self) -> bool {
        self.passed > 0 && self.failed == 0
    }

    /// Runs `cargo test` or its like and adds up its `test result:` lines.
    pub(crate) fn of_libtest(command: &mut Command) -> Result<Self> {
        Self::of(command, libtest_line)
    }

    /// Runs a script that prints a line `ok - …`, `not ok - …` or `skipped - …` for each check.
    pub(crate) fn of_script(command: &mut Command) -> Result<Self> {
        Self::of(command, script_line)
    }

    fn of(command: &mut Command, read: fn(&str) -> Option<Self>) -> Result<Self> {
        let mut tally = Self::default();
        let status = process::stream(command, |line| {
            if let Some(counts) = read(line) {
                tally.add(counts);
            }
        })?;
        // A crash, or a program that never came to its tests, has printed no failure.
        if !status.success() && tally.failed == 0 {
            eprintln!("{} failed ({status})", process::shown(command));
            tally.add(Self::FAILED);
        }
        if tally.passed + tally.failed == 0 {
            bail!("{}: no test ran", process::shown(command));
        }
        Ok(tally)
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; …`, as libtest and wasm-bindgen-test write it.
fn libtest_line(line: &str) -> Option<Tally> {
    let line = without_colour(line);
    let (_, counts) = line.trim().strip_prefix("test result:")?.split_once(". ")?;
    let mut tally = Tally::default();
    for part in counts.split(';') {
        let mut words = part.split_whitespace();
        let (Some(count), Some(what)) = (words.next().and_then(|word| word.parse().ok()), words.next()) else {
            continue;
        };
        match what {
            "passed" => tally.passed = count,
            "failed" => tally.failed = count,
            "ignored" => tally.skipped = count,
            _ => {}
        }
    }
    Some(tally)
}

fn script_line(line: &str) -> Option<Tally> {
    if line.starts_with("ok - ") {
        Some(Tally::ONE)
    } else if line.starts_with("not ok - ") {
        Some(Tally::FAILED)
    } else if line.starts_with("skipped - ") {
        Some(Tally::SKIPPED)
    } else {
        None
    }
}

/// The text without the escape sequences that colour it.
fn without_colour(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(|c| c.is_ascii_alphabetic());
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tally(passed: u32, failed: u32, skipped: u32) -> Tally {
        Tally {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn libtest_lines() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.05s";
        assert_eq!(libtest_line(line), Some(tally(12, 0, 1)));
        let line = "test result: \u{1b}[31mFAILED\u{1b}(B\u{1b}[m. 1 passed; 2 failed; 0 ignored; 0 measured";
        assert_eq!(libtest_line(line), Some(tally(1, 2, 0)));
        assert_eq!(libtest_line("test a::b ... ok"), None);
    }

    #[test]
    fn script_lines() {
        assert_eq!(script_line("ok - logs in"), Some(Tally::ONE));
        assert_eq!(script_line("not ok - logs in"), Some(Tally::FAILED));
        assert_eq!(script_line("looks ok - but isn't a result"), None);
    }

    #[test]
    fn a_script_that_dies_after_its_successes_has_failed() {
        let mut script = Command::new("sh");
        script.args(["-c", "echo ok - one; exit 1"]);
        assert_eq!(Tally::of_script(&mut script).unwrap(), tally(1, 1, 0));
    }

    #[test]
    fn a_script_without_a_result_is_an_error() {
        assert!(Tally::of_script(Command::new("sh").args(["-c", "exit 0"])).is_err());
        // It failed, and that is what is counted.
        assert_eq!(
            Tally::of_script(Command::new("sh").args(["-c", "exit 1"])).unwrap(),
            Tally::FAILED
        );
    }

    #[test]
    fn good_means_that_something_ran() {
        assert!(tally(1, 0, 3).is_good());
        assert!(!tally(0, 0, 3).is_good() && !tally(9, 1, 0).is_good());
    }
}
