//! The fuzz targets of `tests/fuzz`: built by cargo-fuzz with the checkout's own compiler, run by libFuzzer.
//!
//! cargo-fuzz's instruments for coverage are options of the stable compiler. A sanitizer would need a nightly, and would
//! find little: the core forbids unsafe code, and the targets count memory themselves. Inputs that reach something new are
//! kept in `target/fuzz/NAME/corpus`, what made a target panic in `target/fuzz/NAME/findings`; those come first the next
//! time. `tests/fuzz/corpus` has the inputs to begin with, and is only read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::faults;
use crate::process::{self, Group};
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;

/// How long a target runs in `cargo xtask test`, in seconds.
const CHECK: u32 = 10;
/// How long it runs otherwise.
const USUAL: u32 = 600;
/// How long it may look for a fault that was planted.
const PLANTED: u32 = 60;

/// Seconds that one input may take before it counts as a finding.
const PATIENCE: &str = "-timeout=10";
/// MiB that a target may take, its corpus and libFuzzer's own tables among them.
const MEMORY: &str = "-rss_limit_mb=1024";
/// The most bytes of a finding that are shown.
const SHOWN: usize = 1_000;

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// Where it is said.
    seconds: Option<u32>,
    /// Whether to plant faults and see them found.
    plant: bool,
    /// How many targets run at a time; as many as there are cores, where it is not said.
    jobs: Option<usize>,
    /// All, if there are none.
    targets: Vec<String>,
}

/// `cargo xtask fuzz`.
pub(crate) fn fuzz(root: &Path, arguments: &[String]) -> Result<Tally> {
    let options = options(arguments)?;
    let tools = setup::ensure(root, Need::FUZZ)?;
    let targets = options.chosen(root)?;
    if options.plant {
        return planted(root, &tools, &targets, options.seconds.unwrap_or(PLANTED));
    }
    run_all(root, &tools, targets, options.seconds.unwrap_or(USUAL), options.jobs)
}

/// Its part of the check: every target, not for long.
pub(crate) fn check(root: &Path, tools: &Tools) -> Result<Tally> {
    process::run(Command::new("cargo").current_dir(root).args([
        "fmt",
        "--check",
        "--manifest-path",
        "tests/fuzz/Cargo.toml",
    ]))?;
    run_all(root, tools, Options::default().chosen(root)?, CHECK, None)
}

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|text| text.parse::<u32>().ok());
            let number = number.filter(|number| *number > 0);
            number.with_context(|| format!("{argument} wants a number behind it"))
        };
        match argument.as_str() {
            "--seconds" => options.seconds = Some(number()?),
            "--plant" => options.plant = true,
            "--jobs" => options.jobs = Some(usize::try_from(number()?)?),
            flag if flag.starts_with('-') => bail!("{flag} means nothing here; see `cargo xtask help`"),
            target => options.targets.push(target.to_owned()),
        }
    }
    Ok(options)
}

impl Options {
    /// The targets asked for, in their order.
    fn chosen(&self, root: &Path) -> Result<Vec<String>> {
        let manifest = root.join("tests/fuzz/Cargo.toml");
        let manifest = fs::read_to_string(manifest).context("cannot read tests/fuzz/Cargo.toml")?;
        let known = targets(&manifest)?;
        if let Some(other) = self.targets.iter().find(|name| !known.contains(name)) {
            bail!("there's no fuzz target {other}; there are {}", known.join(", "));
        }
        let wanted = |name: &String| self.targets.is_empty() || self.targets.contains(name);
        Ok(known.into_iter().filter(wanted).collect())
    }
}

fn run_all(root: &Path, tools: &Tools, targets: Vec<String>, seconds: u32, jobs: Option<usize>) -> Result<Tally> {
    eprintln!("fuzz: compiling");
    let binaries = build(root, tools, &root.join("target/fuzz/build"))?;
    let jobs = jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    eprintln!("fuzz: {} targets, {seconds} s each, {jobs} at a time", targets.len());
    let mut waiting: Vec<String> = targets.into_iter().rev().collect();
    let (waiting, tally) = (Mutex::new(&mut waiting), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                // Not in the loop's head, which would hold the lock for as long as the target runs.
                let next = || lock(&waiting).pop();
                while let Some(name) = next().filter(|_| process::check_interrupt().is_ok()) {
                    let outcome = run(root, &binaries, &name, seconds);
                    let mut tally = lock(&tally);
                    match outcome {
                        Ok(outcome) => {
                            print!("{}", outcome.text(&name));
                            tally.add(if outcome.failure.is_none() {
                                Tally::ONE
                            } else {
                                Tally::FAILED
                            });
                        }
                        Err(error) => {
                            println!("not ok - {name}: {error:#}");
                            tally.add(Tally::FAILED);
                        }
                    }
                }
            });
        }
    });
    process::check_interrupt()?;
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Whether each target can find something: the faults of `faults.toml` that are for one are planted in a copy of the tree,
/// one at a time, and the target has to fall over it, from the inputs in `tests/fuzz/corpus` alone.
fn planted(root: &Path, tools: &Tools, targets: &[String], seconds: u32) -> Result<Tally> {
    let mut faults = faults::list(root)?;
    faults.retain(|fault| fault.fuzz.as_ref().is_some_and(|target| targets.contains(target)));
    let tree = root.join("target/faults/tree");
    faults::copy(root, &tree)?;
    let mut tally = Tally::default();
    for fault in &faults {
        let target = fault.fuzz.as_deref().unwrap_or_default();
        let whole = fault.write(&tree)?;
        let outcome = seek(root, tools, &tree, target, seconds);
        fault.undo(&tree, &whole)?;
        let outcome = outcome.with_context(|| format!("the fault {:?}", fault.name()))?;
        let found = outcome.failure.as_deref();
        println!(
            "{} - {target}: {}",
            if found.is_some() { "ok" } else { "not ok" },
            fault.name()
        );
        println!("{}", found.unwrap_or("       not found"));
        tally.add(if found.is_some() { Tally::ONE } else { Tally::FAILED });
    }
    Ok(tally)
}

/// What has been compiled for the checkout serves here too; the next run of it puts its own programs back.
fn seek(root: &Path, tools: &Tools, tree: &Path, target: &str, seconds: u32) -> Result<Outcome> {
    let binaries = build(tree, tools, &root.join("target/fuzz/build"))?;
    run(tree, &binaries, target, seconds)
}

/// Compiles all targets of a tree, and says where they are.
fn build(root: &Path, tools: &Tools, into: &Path) -> Result<PathBuf> {
    let mut command = Command::new(tools.program(&tools.cargo_fuzz()));
    command.current_dir(root).args(["fuzz", "build", "--sanitizer", "none"]);
    command.args(["--fuzz-dir", "tests/fuzz", "--target-dir"]).arg(into);
    process::run(&mut command)?;
    Ok(into.join(host()?).join("release"))
}

/// What became of a target's run.
#[derive(Debug)]
struct Outcome {
    runs: u64,
    /// Edges of the code that were reached.
    coverage: u64,
    /// Why it is not good: what the target said, and its input.
    failure: Option<String>,
}

impl Outcome {
    fn text(&self, name: &str) -> String {
        let (runs, coverage) = (self.runs, self.coverage);
        match &self.failure {
            None => format!("ok - {name}: {runs} runs, {coverage} edges reached\n"),
            Some(failure) => format!("not ok - {name}: after {runs} runs, {coverage} edges reached\n{failure}\n"),
        }
    }
}

/// Runs one target for so many seconds.
fn run(root: &Path, binaries: &Path, name: &str, seconds: u32) -> Result<Outcome> {
    process::check_interrupt()?;
    let folder = root.join("target/fuzz").join(name);
    let (corpus, findings, log) = (folder.join("corpus"), folder.join("findings"), folder.join("log"));
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let seeds = root.join("tests/fuzz/corpus").join(name);
    if !seeds.is_dir() {
        bail!("tests/fuzz/corpus/{name} is missing");
    }
    let mut command = Command::new(binaries.join(name));
    // Into the first one it writes.
    command.current_dir(root).args([&corpus, &seeds, &findings]);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", findings.display()));
    command.arg(format!("-dict={}", root.join("tests/fuzz/xmpp.dict").display()));
    command.args(["-print_final_stats=1", PATIENCE, MEMORY]);
    command.stdout(output.try_clone()?).stderr(output);
    let status = Group::spawn(&mut command)?.wait()?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let mut outcome = read(&said);
    if !status.success() {
        outcome.failure = Some(failure(&said, &log));
    } else if outcome.runs == 0 {
        outcome.failure = Some("       it ran nothing".to_owned());
    }
    Ok(outcome)
}

/// libFuzzer's own count.
fn read(said: &str) -> Outcome {
    let mut outcome = Outcome {
        runs: 0,
        coverage: 0,
        failure: None,
    };
    for line in said.lines() {
        if let Some(runs) = line.strip_prefix("stat::number_of_executed_units:") {
            outcome.runs = runs.trim().parse().unwrap_or_default();
        }
        // `#1234	NEW    cov: 56 ft: 78 …`
        if let (true, Some((_, rest))) = (line.starts_with('#'), line.split_once(" cov: ")) {
            let number = rest.split_whitespace().next().and_then(|word| word.parse().ok());
            outcome.coverage = number.unwrap_or(outcome.coverage);
        }
    }
    outcome
}

/// What the target said at its end, and the input that it was given.
fn failure(said: &str, log: &Path) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut said_lines = said.lines();
    while let Some(line) = said_lines.next() {
        if line.contains("panicked at") {
            lines.push(line.to_owned());
            lines.extend(
                said_lines
                    .by_ref()
                    .take_while(|line| !line.starts_with("note:") && !line.starts_with("stack backtrace:"))
                    .take(8)
                    .map(str::to_owned),
            );
        } else if line.starts_with("==") && (line.contains("ERROR") || line.contains("libFuzzer")) {
            lines.push(line.to_owned());
        }
    }
    if let Some(file) = said.lines().find_map(|line| line.split_once("Test unit written to ")) {
        let input = fs::read(file.1.trim()).unwrap_or_default();
        lines.push(format!("its input, {} bytes: {}", input.len(), file.1.trim()));
        let shown = input.get(..SHOWN.min(input.len())).unwrap_or_default();
        lines.push(shown.escape_ascii().to_string());
    }
    lines.push(format!("all that it said: {}", log.display()));
    lines
        .iter()
        .map(|line| format!("       {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names of the binaries in the fuzz crate's manifest.
fn targets(manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse().context("tests/fuzz/Cargo.toml is no TOML")?;
    let list = manifest.get("bin").and_then(toml::Value::as_array);
    let name = |target: &toml::Value| target.get("name").and_then(toml::Value::as_str).map(str::to_owned);
    let names: Vec<String> = list.into_iter().flatten().filter_map(name).collect();
    if names.is_empty() {
        bail!("tests/fuzz/Cargo.toml names no target");
    }
    Ok(names)
}

/// The compiler's own target, for which cargo-fuzz builds.
fn host() -> Result<PathBuf> {
    let said = process::output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc doesn't name its host")?.trim().into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read() {
        let options_of = |text| options(&words(text));
        assert_eq!(options_of("").unwrap(), Options::default());
        let some = options_of("--seconds 5 jid --jobs 1 frame --plant").unwrap();
        assert_eq!((some.seconds, some.jobs, some.plant), (Some(5), Some(1), true));
        assert_eq!(some.targets, ["jid", "frame"]);
        for wrong in ["--seconds", "--seconds x", "--seconds 0", "--second 1"] {
            assert!(options_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_target_has_its_file_its_seeds_and_a_fault_to_find() {
        let folder = crate::root().join("tests/fuzz");
        let names = targets(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        let faults = faults::list(&crate::root()).unwrap();
        for name in &names {
            assert!(
                faults.iter().any(|fault| fault.fuzz.as_ref() == Some(name)),
                "a fault for {name}"
            );
            assert!(folder.join(format!("targets/{name}.rs")).is_file(), "{name}");
            assert!(
                fs::read_dir(folder.join("corpus").join(name)).unwrap().count() > 0,
                "{name}"
            );
        }
        let files = fs::read_dir(folder.join("targets")).unwrap().count();
        assert_eq!(files, names.len(), "each file is a target");
    }

    #[test]
    fn libfuzzers_counts_are_read() {
        let said = "INFO: seed corpus: files: 3\n#4\tINITED cov: 12 ft: 13 corp: 3/9b\n#900\tNEW    cov: 250 ft: 300\n\
                    #1000\tDONE   cov: 251 ft: 301\nstat::number_of_executed_units: 1000\n";
        let outcome = read(said);
        assert_eq!((outcome.runs, outcome.coverage), (1000, 251));
    }

    #[test]
    fn a_finding_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crash-1");
        fs::write(&file, b"a\n\x00").unwrap();
        let said = format!(
            "thread '<unnamed>' panicked at src/jid/mod.rs:1:2:\nsettled twice\nnote: run with\n\
             ==12== ERROR: libFuzzer: deadly signal\nTest unit written to {}\n",
            file.display()
        );
        let text = failure(&said, Path::new("log"));
        assert!(
            text.contains("settled twice") && text.contains("deadly signal"),
            "{text}"
        );
        assert!(text.contains("3 bytes") && text.contains("a\\n\\x00"), "{text}");
    }
}
