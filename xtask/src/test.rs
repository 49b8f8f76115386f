//! The one check: everything that must hold, step by step, with its count on the last line.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::prosody::Prosody;
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;
use crate::{
    build, demo, examples, fuzz, herd, interop, logins, packaging, reload, roundtrips, simulate, size, soak, torture,
};

/// The steps, in their order.
const STEPS: [Step; 20] = [
    Step::Fmt,
    Step::Clippy,
    Step::ClippyWasm,
    Step::Doc,
    Step::Core,
    Step::Simulate,
    Step::Herd,
    Step::Build,
    Step::Size,
    Step::Types,
    Step::Browser,
    Step::Demo,
    Step::Reload,
    Step::Logins,
    Step::Interop,
    Step::Roundtrips,
    Step::Torture,
    Step::Soak,
    Step::Packaging,
    Step::Fuzz,
];

/// One part of the check, which can also be asked for alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Fmt,
    Clippy,
    ClippyWasm,
    Doc,
    Core,
    Simulate,
    Herd,
    Build,
    Size,
    Types,
    Browser,
    Demo,
    Reload,
    Logins,
    Interop,
    Roundtrips,
    Torture,
    Soak,
    Packaging,
    Fuzz,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::ClippyWasm => "clippy-wasm",
            Self::Doc => "doc",
            Self::Core => "core",
            Self::Simulate => "simulate",
            Self::Herd => "herd",
            Self::Build => "build",
            Self::Size => "size",
            Self::Types => "types",
            Self::Browser => "browser",
            Self::Demo => "demo",
            Self::Reload => "reload",
            Self::Logins => "logins",
            Self::Interop => "interop",
            Self::Roundtrips => "roundtrips",
            Self::Torture => "torture",
            Self::Soak => "soak",
            Self::Packaging => "packaging",
            Self::Fuzz => "fuzz",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Fmt => "formatting",
            Self::Clippy => "lints, native",
            Self::ClippyWasm => "lints, wasm32",
            Self::Doc => "documentation and its links",
            Self::Core => "native tests",
            Self::Simulate => "20,000 simulated worlds",
            Self::Herd => "10,000 clients lose their server",
            Self::Build => "the npm package",
            Self::Size => "its size",
            Self::Types => "its types",
            Self::Browser => "browser tests against Prosody",
            Self::Demo => "the chat page against Prosody",
            Self::Reload => "pages left, reloaded, duplicated",
            Self::Logins => "logins to Prosody and ejabberd",
            Self::Interop => "features, with others' software",
            Self::Roundtrips => "round trips of a login",
            Self::Torture => "messages while everything breaks",
            Self::Soak => "20,000 messages through one page",
            Self::Packaging => "the packed tarball in a page",
            Self::Fuzz => "bad input, 10 s a target",
        }
    }

    fn needs(self) -> &'static [Need] {
        match self {
            Self::Fmt | Self::Clippy | Self::Doc | Self::Core | Self::Simulate | Self::Herd => &[],
            Self::ClippyWasm => &[Need::WasmTarget],
            Self::Build | Self::Size | Self::Types => Need::BUILD,
            Self::Browser => Need::BROWSER_TESTS,
            Self::Demo | Self::Reload | Self::Packaging => Need::DEMO_CHECK,
            Self::Logins | Self::Roundtrips => Need::LOGINS,
            Self::Interop | Self::Torture => Need::TORTURE,
            Self::Soak => Need::GAP,
            Self::Fuzz => Need::FUZZ,
        }
    }

    fn needs_package(self) -> bool {
        matches!(
            self,
            Self::Size
                | Self::Types
                | Self::Demo
                | Self::Reload
                | Self::Logins
                | Self::Interop
                | Self::Roundtrips
                | Self::Torture
                | Self::Soak
                | Self::Packaging
        )
    }

    fn run(self, root: &Path, tools: &Tools) -> Result<Tally> {
        let package = root.join("pkg");
        match self {
            Self::Fmt => process::run(cargo(root).args(["fmt", "--all", "--check"]))?,
            Self::Clippy => process::run(cargo(root).args(CLIPPY))?,
            Self::ClippyWasm => process::run(cargo(root).args(CLIPPY_WASM).env(HOST_META, "http://localhost:5280"))?,
            Self::Doc => {
                let doc = ["doc", "--no-deps", "--package", "stanzawire"];
                process::run(cargo(root).args(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
            }
            Self::Core => {
                return Tally::of_libtest(cargo(root).args(["test", "--workspace", "--no-fail-fast"]));
            }
            Self::Simulate => return simulate::check(root),
            Self::Herd => return herd::check(root),
            Self::Build => drop(build::build(root, tools)?),
            Self::Size => size::size(root, &package)?,
            Self::Types => return types(root, tools),
            Self::Browser => return browser(root, tools),
            Self::Demo => return demo::check_built(root, tools, &package),
            Self::Reload => return reload::check(root, tools, &package),
            Self::Logins => return logins::check(root, tools, &package),
            Self::Interop => return interop::check(root, tools, &package),
            Self::Roundtrips => return roundtrips::check(root, tools, &package),
            Self::Torture => return torture::check(root, tools, &package),
            Self::Soak => return soak::check(root, tools, &package),
            Self::Packaging => return packaging::check(root, tools, &package),
            Self::Fuzz => return fuzz::check(root, tools),
        }
        Ok(Tally::ONE)
    }
}

const CLIPPY: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
const CLIPPY_WASM: [&str; 11] = [
    "clippy",
    "--package",
    "stanzawire",
    "--target",
    "wasm32-unknown-unknown",
    "--lib",
    "--test",
    "browser",
    "--",
    "-D",
    "warnings",
];

/// Where the browser tests look for host-meta; they are compiled with it.
const HOST_META: &str = "STANZAWIRE_HOST_META";

/// Runs the steps named, or all, and whether all is well. What they need is installed first.
pub(crate) fn test(root: &Path, names: &[String]) -> Result<bool> {
    let steps = chosen(names)?;
    let mut needs: Vec<Need> = Vec::new();
    for need in steps.iter().flat_map(|step| step.needs()) {
        if !needs.contains(need) {
            needs.push(*need);
        }
    }
    let mut results = Vec::new();
    match setup::ensure(root, &needs) {
        Ok(tools) => run_all(root, &tools, &steps, &mut results)?,
        Err(error) => {
            process::check_interrupt()?;
            eprintln!("error: {error:#}");
            results.push(("setup", "what the check needs", Tally::FAILED, Duration::ZERO));
            results.extend(
                steps
                    .iter()
                    .map(|step| (step.name(), step.what(), Tally::SKIPPED, Duration::ZERO)),
            );
        }
    }
    let mut sum = Tally::default();
    println!("\n{:<12} {:<32} {:>7}", "step", "", "seconds");
    for (name, what, tally, took) in results {
        println!("{name:<12} {what:<32} {:>7.1}  {tally}", took.as_secs_f32());
        sum.add(tally);
    }
    println!("\n{sum}");
    Ok(sum.is_good())
}

fn run_all(root: &Path, tools: &Tools, steps: &[Step], results: &mut Vec<Outcome>) -> Result<()> {
    let mut package = true;
    for step in steps {
        println!("\n== {} ({})", step.what(), step.name());
        let begun = Instant::now();
        let tally = if step.needs_package() && !package {
            println!("not run: there's no package");
            Tally::SKIPPED
        } else {
            step.run(root, tools).or_else(|error| {
                process::check_interrupt()?;
                eprintln!("error: {error:#}");
                anyhow::Ok(Tally::FAILED)
            })?
        };
        package &= *step != Step::Build || tally.is_good();
        results.push((step.name(), step.what(), tally, begun.elapsed()));
    }
    Ok(())
}

/// Name, description, counts, time.
type Outcome = (&'static str, &'static str, Tally, Duration);

/// The steps named, in the order of the whole, with the build before what needs the package.
fn chosen(names: &[String]) -> Result<Vec<Step>> {
    for name in names {
        if !STEPS.iter().any(|step| step.name() == name) {
            let known = STEPS.map(Step::name).join(", ");
            bail!("there's no step {name}; there are {known}");
        }
    }
    let named = |step: &Step| names.is_empty() || names.iter().any(|name| name == step.name());
    let package = STEPS.iter().any(|step| named(step) && step.needs_package());
    Ok(STEPS
        .into_iter()
        .filter(|step| named(step) || (*step == Step::Build && package))
        .collect())
}

/// `tsc --strict` over `tests/types/`, and over what the documentation shows; `stanzawire` is the package just built.
fn types(root: &Path, tools: &Tools) -> Result<Tally> {
    let folder = root.join("tests/types");
    let sources: Vec<_> = build::files(&folder)?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "ts" || kind == "mts"))
        .collect();
    if sources.is_empty() {
        bail!("there's no TypeScript in tests/types");
    }
    let examples = examples::write(root)?;
    println!("{} examples", examples.len());
    let sources = [sources, examples].concat();
    let config = serde_json::json!({
        "compilerOptions": {
            "strict": true,
            "noEmit": true,
            "target": "es2022",
            "lib": ["es2022", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"],
            "module": "esnext",
            "moduleResolution": "bundler",
            "types": [],
            "skipLibCheck": false,
            "exactOptionalPropertyTypes": true,
            "noUncheckedIndexedAccess": true,
            "paths": { "stanzawire": [root.join("pkg/index.d.ts")] },
        },
        "files": sources,
    });
    let at = root.join("target/xtask");
    fs::create_dir_all(&at)?;
    let at = at.join("tsconfig.json");
    fs::write(&at, serde_json::to_string_pretty(&config)?)?;
    process::run(
        Command::new(tools.npm_program("tsc"))
            .current_dir(root)
            .arg("--project")
            .arg(at),
    )?;
    let passed = u32::try_from(sources.len())?;
    Ok(Tally {
        passed,
        ..Tally::default()
    })
}

/// `tests/browser` in headless Chromium, with Prosody behind.
fn browser(root: &Path, tools: &Tools) -> Result<Tally> {
    let driver = setup::matching_driver()?;
    // These are about the edge, frame by frame; what SASL2 changes is the matter of `logins` and `reload`.
    let server = Prosody::start_old(root)?;
    let mut command = Command::new(tools.program(&tools.wasm_pack()));
    command
        .current_dir(root)
        .env("PATH", tools.path()?)
        .env(HOST_META, server.host_meta());
    // Seconds for all tests together, which log in and out of a real server.
    command.env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    command
        .args(["test", "--headless", "--chrome", "--chromedriver"])
        .arg(driver);
    command.args(["--", "--test", "browser"]);
    Tally::of_libtest(&mut command).context("wasm-pack test")
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    command
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn without_a_name_all_steps_run() {
        assert_eq!(chosen(&[]).unwrap(), STEPS);
    }

    #[test]
    fn what_needs_the_package_builds_it_first() {
        assert_eq!(chosen(&names(&["core"])).unwrap(), [Step::Core]);
        assert_eq!(
            chosen(&names(&["packaging", "types"])).unwrap(),
            [Step::Build, Step::Types, Step::Packaging]
        );
    }

    #[test]
    fn an_unknown_step_is_refused() {
        assert!(chosen(&names(&["cores"])).is_err());
    }
}
