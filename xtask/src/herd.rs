//! The herd of `tests/herd`, built with optimizations.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::faults;
use crate::process;
use crate::tally::Tally;

/// How many clients the check has.
const CLIENTS: &str = "10000";

/// What the herd's last line is where a bound is broken.
const BROKEN: &str = "the bounds are broken";

/// `cargo xtask herd`: whether the bounds hold. What is asked for, the herd reads itself; where nothing is, it draws the
/// manual's picture.
pub(crate) fn herd(root: &Path, arguments: &[String]) -> Result<bool> {
    if arguments.iter().any(|argument| argument == "--plant") {
        let tally = planted(root)?;
        println!("\n{tally}");
        return Ok(tally.is_good());
    }
    let mut command = program(root);
    let arguments: &[String] = if arguments.is_empty() {
        &["--draw".to_owned()]
    } else {
        arguments
    };
    command.args(arguments);
    Ok(process::stream(&mut command, |_| {})?.success())
}

/// Its part of the check: fewer clients, and whether the manual's picture is of the same herd.
pub(crate) fn check(root: &Path) -> Result<Tally> {
    process::run(program(root).args(["--clients", CLIENTS]))?;
    Ok(Tally::ONE)
}

/// Whether too eager a client is noticed.
fn planted(root: &Path) -> Result<Tally> {
    let tree = root.join("target/faults/tree");
    faults::copy(root, &tree)?;
    let mut tally = Tally::default();
    for fault in faults::list(root)?.iter().filter(|fault| fault.herd) {
        let text = fault.write(&tree)?;
        let output = program(&tree)
            .args(["--clients", CLIENTS])
            .env("CARGO_TARGET_DIR", root.join("target/faults/target"))
            .output()
            .context("cannot run cargo test")?;
        fault.undo(&tree, &text)?;
        process::check_interrupt()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        if printed.is_empty() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("the fault {:?} does not compile:\n{errors}", fault.name());
        }
        let over = printed.lines().filter(|line| line.contains("over the bound"));
        let seen = printed.contains(BROKEN) && over.clone().count() > WITHOUT;
        println!("{} - {}", if seen { "ok" } else { "not ok" }, fault.name());
        print!("{printed}");
        tally.add(if seen { Tally::ONE } else { Tally::FAILED });
    }
    if tally == Tally::default() {
        bail!("faults.toml has no fault for the herd");
    }
    Ok(tally)
}

/// How many bounds are broken without a fault: that of any second, by clients that are all in use.
const WITHOUT: usize = 1;

fn program(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args([
        "test",
        "--quiet",
        "--package",
        "stanzawire",
        "--profile",
        "simulate",
        "--test",
        "herd",
        "--",
    ]);
    command
}
