//! The tools that the project builds with: which versions, where they are kept, how they get there.
//!
//! They live in a per-user cache outside `target/`, in a folder whose name says the version, so that a clean clone finds
//! them and two checkouts may need different ones. Each is made in a folder of its own and renamed when whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::process;

/// wasm-pack runs the browser tests; any version would do, one is chosen so that runs can be compared.
const WASM_PACK: &str = "0.15.1";

/// cargo-fuzz builds the fuzz targets; libFuzzer itself is locked in tests/fuzz.
const CARGO_FUZZ: &str = "0.13.2";

/// geckodriver runs the browser tests in Firefox.
const GECKODRIVER: &str = "0.37.1";

/// Where the tools from npm are named. TypeDoc stands apart: it needs a TypeScript of its own, with an API.
const NPM: &str = "xtask/tools";
const DOCS: &str = "xtask/tools/docs";
/// What the package is tried with.
const PACKAGING: &str = "tests/packaging";

/// Where everything is. Nothing in here says that it is installed.
#[derive(Debug)]
pub(crate) struct Tools {
    root: PathBuf,
    cache: PathBuf,
    wasm_bindgen: Option<String>,
    npm_key: String,
    packaging_key: String,
    docs_key: String,
}

impl Tools {
    /// Looks up what the checkout in `root` wants.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
        Ok(Self {
            root: root.to_owned(),
            cache: cache_folder()?.join("stanzawire/tools"),
            wasm_bindgen: locked_version(&lock, "wasm-bindgen")?,
            npm_key: npm_key(root, NPM)?,
            docs_key: npm_key(root, DOCS)?,
            packaging_key: npm_key(root, PACKAGING)?,
        })
    }

    /// The crate that brings `wasm-bindgen`; its version must equal that of the library in Cargo.lock.
    pub(crate) fn wasm_bindgen(&self) -> Result<CargoTool<'_>> {
        let Some(version) = self.wasm_bindgen.as_deref() else {
            bail!("wasm-bindgen isn't in Cargo.lock: run `cargo metadata` or any build once");
        };
        // Its own lock file names versions that a registry may no longer have.
        Ok(CargoTool {
            name: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version,
            locked: false,
        })
    }

    /// The crate that runs the browser tests.
    pub(crate) fn wasm_pack(&self) -> CargoTool<'_> {
        CargoTool {
            name: "wasm-pack",
            program: "wasm-pack",
            version: WASM_PACK,
            locked: true,
        }
    }

    /// The crate that builds the fuzz targets.
    pub(crate) fn cargo_fuzz(&self) -> CargoTool<'_> {
        CargoTool {
            name: "cargo-fuzz",
            program: "cargo-fuzz",
            version: CARGO_FUZZ,
            locked: true,
        }
    }

    /// The crate that runs the browser tests in Firefox.
    pub(crate) fn geckodriver(&self) -> CargoTool<'_> {
        CargoTool {
            name: "geckodriver",
            program: "geckodriver",
            version: GECKODRIVER,
            locked: true,
        }
    }

    /// The folder of a crate's programs.
    pub(crate) fn bin(&self, tool: &CargoTool<'_>) -> PathBuf {
        self.cache.join(format!("{}-{}", tool.name, tool.version)).join("bin")
    }

    /// The program of a crate.
    pub(crate) fn program(&self, tool: &CargoTool<'_>) -> PathBuf {
        self.bin(tool).join(tool.program)
    }

    /// The `node_modules` with the tools that come from npm.
    pub(crate) fn node_modules(&self) -> PathBuf {
        self.cache.join(format!("npm-{}", self.npm_key)).join("node_modules")
    }

    /// The folder of what the package is tried with: all of `tests/packaging/package.json`, or what the check needs of it.
    /// Projects are made in it.
    pub(crate) fn packaging(&self, all: bool) -> PathBuf {
        let whole = self.cache.join(format!("packaging-{}", self.packaging_key));
        if all || whole.is_dir() {
            whole
        } else {
            self.cache.join(format!("packaging-{}-check", self.packaging_key))
        }
    }

    /// The `node_modules` with what makes the documentation's site.
    pub(crate) fn docs_modules(&self) -> PathBuf {
        self.cache.join(format!("docs-{}", self.docs_key)).join("node_modules")
    }

    /// A program out of `node_modules`.
    pub(crate) fn npm_program(&self, name: &str) -> PathBuf {
        self.node_modules().join(".bin").join(name)
    }

    /// One line that changes whenever a tool that makes the package does.
    pub(crate) fn build_key(&self) -> Result<String> {
        Ok(format!(
            "wasm-bindgen {} npm {}",
            self.wasm_bindgen()?.version,
            self.npm_key
        ))
    }

    /// PATH with the cached programs first, so that wasm-pack takes them and downloads nothing.
    pub(crate) fn path(&self) -> Result<std::ffi::OsString> {
        let mut folders = vec![self.bin(&self.wasm_bindgen()?), self.bin(&self.wasm_pack())];
        if let Some(path) = std::env::var_os("PATH") {
            folders.extend(std::env::split_paths(&path));
        }
        std::env::join_paths(folders).context("PATH can't be put together")
    }

    /// Whether a crate's program is there.
    pub(crate) fn has(&self, tool: &CargoTool<'_>) -> bool {
        process::is_executable(&self.program(tool))
    }

    /// Whether the tools from npm are there.
    pub(crate) fn has_npm(&self) -> bool {
        self.node_modules().is_dir()
    }

    /// Whether what makes the documentation's site is there.
    pub(crate) fn has_docs(&self) -> bool {
        self.docs_modules().is_dir()
    }

    /// Builds a crate's programs into the cache.
    pub(crate) fn install(&self, tool: &CargoTool<'_>) -> Result<()> {
        let _lock = self.lock()?;
        if self.has(tool) {
            return Ok(());
        }
        let version = format!("={}", tool.version);
        self.make(&format!("{}-{}", tool.name, tool.version), |folder| {
            let mut command = Command::new("cargo");
            // Outside the checkout, so that its configuration has no say.
            command.current_dir(&self.cache).args(["install", "--root"]).arg(folder);
            command.args(["--no-track", "--version", &version, tool.name]);
            if tool.locked {
                command.arg("--locked");
            }
            process::run(&mut command)
        })
    }

    /// Installs what `xtask/tools/package-lock.json` names into the cache.
    pub(crate) fn install_npm(&self) -> Result<()> {
        let _lock = self.lock()?;
        if self.has_npm() {
            return Ok(());
        }
        self.make_npm(&format!("npm-{}", self.npm_key), NPM, &[])
    }

    /// Installs what `xtask/tools/docs/package-lock.json` names into the cache.
    pub(crate) fn install_docs(&self) -> Result<()> {
        let _lock = self.lock()?;
        if self.has_docs() {
            return Ok(());
        }
        self.make_npm(&format!("docs-{}", self.docs_key), DOCS, &[])
    }

    /// The same with what `tests/packaging/package-lock.json` names, without what only the matrix needs unless all is asked for.
    pub(crate) fn install_packaging(&self, all: bool) -> Result<()> {
        let _lock = self.lock()?;
        let whole = self.packaging(all);
        if whole.is_dir() {
            return Ok(());
        }
        let name = whole.file_name().context("the cache has no folder")?;
        let omit: &[&str] = if all { &[] } else { &["--omit=dev"] };
        self.make_npm(&name.to_string_lossy(), PACKAGING, omit)
    }

    fn make_npm(&self, name: &str, from: &str, more: &[&str]) -> Result<()> {
        self.make(name, |folder| npm_ci(&self.root.join(from), folder, more))
    }

    /// Runs `fill` on a fresh folder and gives it its name if that went well.
    fn make(&self, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let folder = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.cache)?;
        fill(folder.path())?;
        let whole = self.cache.join(name);
        if whole.exists() {
            fs::remove_dir_all(&whole).with_context(|| format!("cannot remove {}", whole.display()))?;
        }
        let made = folder.keep();
        fs::rename(&made, &whole).with_context(|| format!("cannot move the new tool to {}", whole.display()))
    }

    /// One run installs at a time; a second one waits and then finds everything there.
    fn lock(&self) -> Result<File> {
        fs::create_dir_all(&self.cache).with_context(|| format!("cannot make {}", self.cache.display()))?;
        let file = File::create(self.cache.join(".lock")).context("cannot make the lock file")?;
        if file.try_lock().is_err() {
            eprintln!("  waiting for another run that is installing tools");
            file.lock().context("cannot take the lock")?;
        }
        Ok(file)
    }
}

/// Installs what the lock file in `from` names into `folder`.
fn npm_ci(from: &Path, folder: &Path, more: &[&str]) -> Result<()> {
    for name in ["package.json", "package-lock.json"] {
        fs::copy(from.join(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    let mut command = Command::new("npm");
    command
        .current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .args(more);
    process::run(&mut command)
}

/// A program that `cargo install` builds.
#[derive(Debug)]
pub(crate) struct CargoTool<'a> {
    /// The crate.
    pub(crate) name: &'static str,
    /// Its program.
    pub(crate) program: &'static str,
    /// The exact version.
    pub(crate) version: &'a str,
    /// Whether the crate's own lock file is kept to.
    pub(crate) locked: bool,
}

/// `$STANZAWIRE_CACHE`, else `$XDG_CACHE_HOME`, else `~/.cache`.
fn cache_folder() -> Result<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("STANZAWIRE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .context("no folder for the tools: set STANZAWIRE_CACHE")
}

/// What changes with the lock file in this folder.
fn npm_key(root: &Path, folder: &str) -> Result<String> {
    let lock = root.join(folder).join("package-lock.json");
    let lock = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    Ok(hex(&Sha256::digest(&lock), 8))
}

/// The version of a package in a Cargo.lock.
fn locked_version(lock: &str, name: &str) -> Result<Option<String>> {
    let lock: toml::Table = lock.parse().context("Cargo.lock can't be read")?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let text = |package: &toml::Value, key| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let mut versions = packages
        .into_iter()
        .flatten()
        .filter(|package| text(package, "name").as_deref() == Some(name))
        .filter_map(|package| text(package, "version"));
    let version = versions.next();
    if versions.next().is_some() {
        bail!("Cargo.lock has two versions of {name}");
    }
    Ok(version)
}

/// The first `bytes` of a hash in hex.
pub(crate) fn hex(hash: &[u8], bytes: usize) -> String {
    hash.iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen-macro"
version = "0.2.9"

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
dependencies = ["cfg-if"]
"#;

    #[test]
    fn the_version_is_that_of_the_very_package() {
        assert_eq!(
            locked_version(LOCK, "wasm-bindgen").unwrap().as_deref(),
            Some("0.2.130")
        );
        assert_eq!(locked_version(LOCK, "wasm").unwrap(), None);
    }

    #[test]
    fn two_versions_are_not_guessed_between() {
        let twice = format!("{LOCK}\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.1\"\n");
        assert!(locked_version(&twice, "wasm-bindgen").is_err());
    }
}
