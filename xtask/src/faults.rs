//! Whether the tests can fail: each fault of `faults.toml` is planted in a copy of the tree, and a test must go red, or the
//! simulation find a promise broken. Some faults are for a fuzz target, the count of round trips or the herd to find:
//! `fuzz.rs`, `roundtrips.rs`, `herd.rs`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tally::Tally;
use crate::{process, simulate};

/// How many seeds of the simulation a fault has to show in.
const SEEDS: &str = "2000";

/// A fault to plant.
pub(crate) struct Fault {
    name: String,
    /// Relative to the root.
    file: String,
    /// What stands there, once.
    find: String,
    /// What is to stand in its place.
    replace: String,
    /// A native test that must fail, by the end of its path.
    red: Option<String>,
    /// Whether the simulation must find it, within [`SEEDS`].
    simulate: bool,
    /// The fuzz target that must find it.
    pub(crate) fuzz: Option<String>,
    /// Whether a login takes more round trips with it.
    pub(crate) waits: bool,
    /// Whether the herd must find it.
    pub(crate) herd: bool,
}

/// Plants the faults whose names contain one of `names` (all, if there are none), one at a time.
pub(crate) fn faults(root: &Path, names: &[String]) -> Result<Tally> {
    let tree = root.join("target/faults/tree");
    copy(root, &tree)?;
    let mut tally = Tally::default();
    for fault in list(root)? {
        let named = names.is_empty() || names.iter().any(|name| fault.name.contains(name));
        if !named || fault.red.is_none() && !fault.simulate {
            continue;
        }
        let (caught, found) = plant(&tree, &root.join("target/faults/target"), &fault)?;
        println!("{} - {}", if caught { "ok" } else { "not ok" }, fault.name);
        for found in &found {
            println!("       red: {found}");
        }
        tally.add(if caught { Tally::ONE } else { Tally::FAILED });
    }
    Ok(tally)
}

/// All faults of the checkout's list.
pub(crate) fn list(root: &Path) -> Result<Vec<Fault>> {
    read(&fs::read_to_string(root.join("xtask/faults.toml")).context("cannot read xtask/faults.toml")?)
}

impl Fault {
    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Puts it in its place in a copy of the tree, and gives the file as it was.
    pub(crate) fn write(&self, tree: &Path) -> Result<String> {
        let path = tree.join(&self.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", self.file))?;
        let places = text.matches(&self.find).count();
        ensure!(
            places == 1,
            "the place of the fault {:?} is there {places} times in {}",
            self.name,
            self.file
        );
        fs::write(&path, text.replace(&self.find, &self.replace))?;
        Ok(text)
    }

    /// Makes the file what it was.
    pub(crate) fn undo(&self, tree: &Path, text: &str) -> Result<()> {
        fs::write(tree.join(&self.file), text).with_context(|| format!("cannot write {}", self.file))
    }
}

/// Whether everybody sees the fault who has to, and what is seen. The copy is as before afterwards.
fn plant(tree: &Path, target: &Path, fault: &Fault) -> Result<(bool, Vec<String>)> {
    let text = fault.write(tree)?;
    let judged = judge(tree, target, fault);
    fault.undo(tree, &text)?;
    process::check_interrupt()?;
    judged
}

fn judge(tree: &Path, target: &Path, fault: &Fault) -> Result<(bool, Vec<String>)> {
    let mut found = Vec::new();
    let mut caught = true;
    if let Some(wanted) = &fault.red {
        found = native(tree, target, fault)?;
        caught = found.iter().any(|test| test.ends_with(wanted));
    }
    if fault.simulate {
        let broken = simulated(tree, target, fault)?;
        caught &= broken.is_some();
        found.extend(broken);
    }
    Ok((caught, found))
}

/// The first promise that the simulation finds broken, and in which seed.
fn simulated(tree: &Path, target: &Path, fault: &Fault) -> Result<Option<String>> {
    let mut simulation = simulate::simulation(tree);
    let output = simulation
        .args(["--seeds", SEEDS])
        .env("CARGO_TARGET_DIR", target)
        .output()
        .context("cannot run the simulation")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !printed.contains(" seeds broke a promise") {
        bail!(
            "the fault {:?} does not compile:\n{}",
            fault.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let broken = printed.lines().find(|line| line.starts_with("seed "));
    Ok(broken.filter(|_| !output.status.success()).map(str::to_owned))
}

/// The native tests that fail.
fn native(tree: &Path, target: &Path, fault: &Fault) -> Result<Vec<String>> {
    let tests = [
        "test",
        "--quiet",
        "--lib",
        "--test",
        "core",
        "--test",
        "prop",
        "--no-fail-fast",
    ];
    let output = Command::new("cargo")
        .args(tests)
        .args(["--", "--format", "pretty"])
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .context("cannot run cargo test")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !printed.contains("test result:") {
        bail!(
            "the fault {:?} does not compile:\n{}",
            fault.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(failed(&printed))
}

fn failed(printed: &str) -> Vec<String> {
    let name = |line: &str| Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned());
    printed.lines().filter_map(name).collect()
}

/// The tree as git would see it, with what isn't committed yet.
pub(crate) fn copy(root: &Path, tree: &Path) -> Result<()> {
    if tree.exists() {
        fs::remove_dir_all(tree)?;
    }
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root);
    for file in process::output(&mut list)?.lines() {
        let (from, to) = (root.join(file), tree.join(file));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap_or(tree))?;
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

fn read(list: &str) -> Result<Vec<Fault>> {
    let table: toml::Table = list.parse().context("faults.toml is no TOML")?;
    let faults = table
        .get("fault")
        .and_then(toml::Value::as_array)
        .context("no [[fault]]")?;
    let fault = |value: &toml::Value| {
        let may = |key: &str| value.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let text = |key: &str| may(key).with_context(|| format!("a fault without {key}"));
        let is = |key: &str| value.get(key).and_then(toml::Value::as_bool).unwrap_or_default();
        Ok(Fault {
            name: text("name")?,
            file: text("file")?,
            find: text("find")?,
            replace: text("replace")?,
            red: may("red"),
            fuzz: may("fuzz"),
            simulate: is("simulate"),
            waits: is("waits"),
            herd: is("herd"),
        })
    };
    faults.iter().map(fault).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_read_and_every_place_is_there() {
        let root = crate::root();
        let faults = list(&root).unwrap();
        assert!(faults.len() > 10);
        for fault in faults {
            assert!(
                fault.red.is_some() || fault.simulate || fault.fuzz.is_some() || fault.herd,
                "who sees {:?}?",
                fault.name
            );
            let text = fs::read_to_string(root.join(&fault.file)).unwrap();
            assert_eq!(text.matches(&fault.find).count(), 1, "{}", fault.name);
        }
    }

    #[test]
    fn red_tests_are_found() {
        let printed = "running 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\n";
        assert_eq!(failed(printed), ["a::c"]);
    }
}
