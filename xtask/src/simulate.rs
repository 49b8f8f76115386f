//! The simulation of `tests/simulate`, built with optimizations.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::tally::Tally;

/// How many seeds the check runs.
const SEEDS: &str = "20000";

/// `cargo xtask simulate`: whether every promise was kept. What is asked for, the simulation reads itself.
pub(crate) fn simulate(root: &Path, arguments: &[String]) -> Result<bool> {
    let mut command = simulation(root);
    let arguments: &[String] = if arguments.is_empty() {
        &["--seeds".to_owned(), SEEDS.to_owned()]
    } else {
        arguments
    };
    command.args(arguments);
    Ok(process::stream(&mut command, |_| {})?.success())
}

/// Its part of the check.
pub(crate) fn check(root: &Path) -> Result<Tally> {
    process::run(simulation(root).args(["--seeds", SEEDS]))?;
    Ok(Tally::ONE)
}

/// What builds and runs it in a tree.
pub(crate) fn simulation(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args([
        "test",
        "--quiet",
        "--package",
        "stanzawire",
        "--profile",
        "simulate",
        "--test",
        "simulate",
        "--",
    ]);
    command
}
