//! What each command needs, what of it is missing, and how it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt::{Apt, Release};
use crate::ejabberd;
use crate::process;
use crate::prosody;
use crate::tools::{CargoTool, Tools};

/// The names under which a Chromium is found on PATH, and those of its driver.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const DRIVERS: [&str; 2] = ["chromedriver", "chromium.chromedriver"];

/// Something that a command can't do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The compiler's target.
    WasmTarget,
    /// The standard library's source, which the package is built with.
    RustSource,
    /// Makes the JavaScript glue.
    WasmBindgen,
    /// Runs the browser tests.
    WasmPack,
    /// Builds the fuzz targets.
    CargoFuzz,
    /// A compiler of C++, for libFuzzer.
    Compiler,
    /// wasm-opt, playwright-core and the TypeScript compiler.
    Npm,
    /// TypeDoc, which makes the documentation's site.
    TypeDoc,
    /// A Chromium.
    Browser,
    /// The Chromium's WebDriver.
    Driver,
    /// The XMPP server.
    Prosody,
    /// The other XMPP server.
    Ejabberd,
    /// What makes certificates, and what makes a browser trust them.
    Certificates,
    /// The other XMPP client.
    Slixmpp,
    /// By which Prosody and ejabberd keep archives that outlive a kill.
    Sqlite,
    /// What the check tries the package with.
    Packaging,
    /// What the matrix tries it with.
    Matrix,
    /// The other browser.
    Firefox,
    /// Its WebDriver.
    Geckodriver,
}

impl Need {
    /// What `build` needs.
    pub(crate) const BUILD: &[Self] = &[Self::WasmTarget, Self::RustSource, Self::WasmBindgen, Self::Npm];
    /// What `demo` needs.
    pub(crate) const DEMO: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Prosody,
    ];
    /// What `demo --check` needs.
    pub(crate) const DEMO_CHECK: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Prosody,
        Self::Browser,
    ];
    /// What `docs` needs.
    pub(crate) const DOCS: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::TypeDoc,
    ];
    /// What the check of the documentation's site needs.
    pub(crate) const DOCS_CHECK: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::TypeDoc,
        Self::Prosody,
        Self::Browser,
    ];
    /// What the tests in `tests/browser` need.
    pub(crate) const BROWSER_TESTS: &[Self] = &[
        Self::WasmTarget,
        Self::Browser,
        Self::Driver,
        Self::Prosody,
        Self::WasmBindgen,
        Self::WasmPack,
    ];
    /// What the login tests need.
    pub(crate) const LOGINS: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Browser,
        Self::Prosody,
        Self::Ejabberd,
        Self::Certificates,
        Self::Slixmpp,
    ];
    /// What `torture` needs.
    pub(crate) const TORTURE: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Browser,
        Self::Prosody,
        Self::Ejabberd,
        Self::Slixmpp,
        Self::Sqlite,
    ];
    /// What the packaging step needs.
    pub(crate) const PACKAGING: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Prosody,
        Self::Browser,
        Self::Firefox,
        Self::Packaging,
    ];
    /// What `package --matrix` needs.
    pub(crate) const MATRIX: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Prosody,
        Self::Browser,
        Self::Firefox,
        Self::Matrix,
    ];
    /// What `firefox` needs.
    pub(crate) const FIREFOX: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::WasmPack,
        Self::Npm,
        Self::Prosody,
        Self::Firefox,
        Self::Geckodriver,
        Self::Packaging,
    ];
    /// What `gap` needs.
    pub(crate) const GAP: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::WasmBindgen,
        Self::Npm,
        Self::Browser,
    ];
    /// What `fuzz` needs.
    pub(crate) const FUZZ: &[Self] = &[Self::Compiler, Self::CargoFuzz];
    /// What `test` needs: everything.
    pub(crate) const ALL: &[Self] = &[
        Self::WasmTarget,
        Self::RustSource,
        Self::Browser,
        Self::Driver,
        Self::Prosody,
        Self::Ejabberd,
        Self::Certificates,
        Self::Slixmpp,
        Self::Sqlite,
        Self::Firefox,
        Self::Compiler,
        Self::Npm,
        Self::Packaging,
        Self::TypeDoc,
        Self::WasmBindgen,
        Self::WasmPack,
        Self::CargoFuzz,
    ];

    fn why(self) -> &'static str {
        match self {
            Self::WasmTarget => "the compiler's wasm32 target",
            Self::RustSource => "the source of Rust's standard library, which the package is built with",
            Self::WasmBindgen => "wasm-bindgen, which writes the JavaScript glue (about 2 minutes, once)",
            Self::WasmPack => "wasm-pack, which runs the browser tests (about 2 minutes, once)",
            Self::Compiler => "a C++ compiler, which libFuzzer is built by",
            Self::CargoFuzz => "cargo-fuzz, which builds the fuzz targets (about 2 minutes, once)",
            Self::Npm => "wasm-opt, playwright-core and the TypeScript compiler, from npm",
            Self::TypeDoc => "TypeDoc, which makes the documentation's site, from npm",
            Self::Browser => "Chromium, which runs the page and the browser tests",
            Self::Driver => "chromedriver, by which the browser tests run",
            Self::Prosody => "Prosody, the XMPP server",
            Self::Ejabberd => "ejabberd, the other XMPP server of the login tests",
            Self::Certificates => "openssl and certutil, which make certificates and a browser that trusts them",
            Self::Slixmpp => "slixmpp, the other XMPP client of the login tests",
            Self::Packaging => "what the check tries the package with, from npm",
            Self::Matrix => "bundlers and runtimes that the package is tried with, from npm (about 1 GB)",
            Self::Firefox => "Firefox, the other browser",
            Self::Geckodriver => "geckodriver, by which the browser tests run in Firefox (about 3 minutes, once)",
            Self::Sqlite => "SQLite for Prosody and ejabberd, whose archives must outlive a kill",
        }
    }

    fn is_missing(self, tools: &Tools) -> Result<bool> {
        Ok(match self {
            Self::WasmTarget => !has_wasm_target()?,
            Self::RustSource => !has_rust_source()?,
            Self::WasmBindgen => !tools.has(&tools.wasm_bindgen()?),
            Self::WasmPack => !tools.has(&tools.wasm_pack()),
            Self::Compiler => process::find("c++").is_none(),
            Self::CargoFuzz => !tools.has(&tools.cargo_fuzz()),
            Self::Npm => !tools.has_npm(),
            Self::TypeDoc => !tools.has_docs(),
            Self::Browser => browser().is_none(),
            Self::Driver => driver().is_none(),
            Self::Prosody => process::find("prosody").is_none(),
            Self::Ejabberd => !ejabberd::is_installed(),
            Self::Certificates => process::find("openssl").is_none() || process::find("certutil").is_none(),
            Self::Slixmpp => python().is_none(),
            Self::Packaging => !tools.packaging(false).is_dir(),
            Self::Matrix => !tools.packaging(true).is_dir(),
            Self::Firefox => firefox().is_none(),
            Self::Geckodriver => !tools.has(&tools.geckodriver()),
            Self::Sqlite => !prosody::has_sqlite() || !ejabberd::has_sqlite(),
        })
    }
}

/// Installs what of `needs` is missing, saying what and why. Without a gap it says nothing.
pub(crate) fn ensure(root: &Path, needs: &[Need]) -> Result<Tools> {
    let tools = Tools::new(root)?;
    if needs.contains(&Need::Npm) && (process::find("node").is_none() || process::find("npm").is_none()) {
        bail!("node and npm aren't both on PATH: install Node 20 or later, which brings npm");
    }
    let mut missing = Vec::new();
    for need in needs {
        if need.is_missing(&tools)? {
            missing.push(*need);
        }
    }
    if missing.is_empty() {
        return Ok(tools);
    }
    eprintln!("setup: missing here:");
    for need in &missing {
        eprintln!("  - {}", need.why());
    }
    // What asks for a person's help comes first: nobody should wait four minutes for that message.
    install_packages(&missing)?;
    for need in &missing {
        let installed = match need {
            Need::WasmTarget => rustup(&["target", "add", "wasm32-unknown-unknown"]),
            Need::RustSource => rustup(&["component", "add", "rust-src"]),
            Need::WasmBindgen => install_crate(&tools, &tools.wasm_bindgen()?),
            Need::WasmPack => install_crate(&tools, &tools.wasm_pack()),
            Need::CargoFuzz => install_crate(&tools, &tools.cargo_fuzz()),
            Need::Npm => {
                say("npm ci (wasm-opt, playwright-core, typescript)");
                tools.install_npm()
            }
            Need::Geckodriver => install_crate(&tools, &tools.geckodriver()),
            Need::Packaging | Need::Matrix => {
                say("npm ci (tests/packaging)");
                tools.install_packaging(*need == Need::Matrix)
            }
            Need::TypeDoc => {
                say("npm ci (typedoc)");
                tools.install_docs()
            }
            Need::Browser
            | Need::Firefox
            | Need::Driver
            | Need::Prosody
            | Need::Ejabberd
            | Need::Certificates
            | Need::Slixmpp
            | Need::Sqlite
            | Need::Compiler => Ok(()),
        };
        installed.with_context(|| format!("cannot install {}", need.why()))?;
    }
    for need in &missing {
        if need.is_missing(&tools)? {
            bail!("{} was installed, and yet isn't found", need.why());
        }
    }
    eprintln!("setup: all there");
    Ok(tools)
}

/// The Chromium on this machine.
pub(crate) fn browser() -> Option<PathBuf> {
    BROWSERS.into_iter().find_map(process::find)
}

/// The Firefox on this machine.
pub(crate) fn firefox() -> Option<PathBuf> {
    ["firefox-esr", "firefox"].into_iter().find_map(process::find)
}

/// The Chromium's WebDriver.
pub(crate) fn driver() -> Option<PathBuf> {
    let fixed = Path::new("/usr/lib/chromium-browser/chromedriver");
    DRIVERS
        .into_iter()
        .find_map(process::find)
        .or_else(|| process::is_executable(fixed).then(|| fixed.to_owned()))
}

/// A Python that has slixmpp: the system's, or the first one on PATH.
pub(crate) fn python() -> Option<PathBuf> {
    const LOOK: &str = "import importlib.util, sys; sys.exit(importlib.util.find_spec('slixmpp') is None)";
    let system = Path::new("/usr/bin/python3");
    let system = process::is_executable(system).then(|| system.to_owned());
    let has_it = |python: &PathBuf| process::output(Command::new(python).args(["-c", LOOK])).is_ok();
    system.into_iter().chain(process::find("python3")).find(has_it)
}

/// Says which browser and driver there are, and fails if they can't work together.
pub(crate) fn matching_driver() -> Result<PathBuf> {
    let (Some(browser), Some(driver)) = (browser(), driver()) else {
        bail!("no Chromium with a chromedriver: run `cargo xtask setup`");
    };
    let version = |program: &Path| -> Result<Option<u32>> {
        let said = process::output(Command::new(program).arg("--version"))?;
        Ok(said.split_whitespace().find_map(crate::apt::major))
    };
    let (of_browser, of_driver) = (version(&browser)?, version(&driver)?);
    if of_browser != of_driver {
        let show = |version: Option<u32>| version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
        bail!(
            "{} has version {}, but {} has {}: install a chromedriver of the browser's version",
            browser.display(),
            show(of_browser),
            driver.display(),
            show(of_driver)
        );
    }
    Ok(driver)
}

fn install_crate(tools: &Tools, tool: &CargoTool<'_>) -> Result<()> {
    say(&format!("cargo install {} {}", tool.name, tool.version));
    tools.install(tool)
}

fn say(what: &str) {
    eprintln!("setup: {what}");
}

/// Installs the system's packages among `missing`, or says which ones a person has to install.
fn install_packages(missing: &[Need]) -> Result<()> {
    let release = Release::read();
    let apt = Apt::usable();
    if let Some(by_hand) = by_hand(&release, apt.is_some(), process::find("apt-get").is_some(), missing) {
        bail!("{by_hand}");
    }
    let Some(mut apt) = apt else { return Ok(()) };
    let is_missing = |need| missing.contains(&need);
    if is_missing(Need::Browser) || is_missing(Need::Driver) {
        say("apt-get install chromium chromium-driver");
        // The fonts for what the screenshots show: text and an emoji.
        apt.install(&[
            "chromium",
            "chromium-driver",
            "fonts-liberation",
            "fonts-noto-color-emoji",
        ])?;
    }
    if is_missing(Need::Prosody) {
        say("apt-get install prosody prosody-modules");
        apt.install_prosody(&release)?;
    }
    if is_missing(Need::Ejabberd) {
        say("apt-get install ejabberd");
        apt.install_ejabberd(&release)?;
    }
    if is_missing(Need::Certificates) {
        say("apt-get install openssl libnss3-tools");
        apt.install(&["openssl", "libnss3-tools"])?;
    }
    if is_missing(Need::Slixmpp) {
        say("apt-get install python3-slixmpp");
        apt.install(&["python3-slixmpp"])?;
    }
    if is_missing(Need::Sqlite) {
        say("apt-get install lua-dbi-sqlite3 erlang-p1-sqlite3");
        apt.install_sqlite(&release)?;
    }
    if is_missing(Need::Firefox) {
        say("apt-get install firefox-esr");
        apt.install(&["firefox-esr"])?;
    }
    if is_missing(Need::Compiler) {
        say("apt-get install g++");
        apt.install(&["g++"])?;
    }
    Ok(())
}

/// What a person has to do first, if that is so.
///
/// `root` is whether apt can be used, `apt` whether it is there at all.
fn by_hand(release: &Release, root: bool, apt: bool, missing: &[Need]) -> Option<String> {
    let mut steps = Vec::new();
    let is_missing = |need| missing.contains(&need);
    if (is_missing(Need::Browser) || is_missing(Need::Driver)) && !(root && release.has_chromium()) {
        steps.push(if apt && release.has_chromium() {
            "sudo apt-get install chromium chromium-driver"
        } else if release.is_ubuntu() {
            "sudo snap install chromium    (it brings chromium.chromedriver)"
        } else {
            "install Chromium or Google Chrome, and the chromedriver of the same version, so that both are on PATH"
        });
    }
    if is_missing(Need::Firefox) && !(root && release.has_chromium()) {
        steps.push(if apt && release.has_chromium() {
            "sudo apt-get install firefox-esr"
        } else {
            "install Firefox, so that firefox is on PATH"
        });
    }
    let others = [
        (
            Need::Prosody,
            "sudo apt-get install prosody prosody-modules    (13 or later where it can be had, as in Debian's backports)",
            "install Prosody 0.12 or later (13 is better) with its community modules, so that prosody and prosodyctl are on PATH",
        ),
        (
            Need::Ejabberd,
            "sudo apt-get install ejabberd    (24 or later where it can be had, as in Debian's backports)",
            "install ejabberd 23 or later, so that erl and ejabberdctl are on PATH",
        ),
        (
            Need::Certificates,
            "sudo apt-get install openssl libnss3-tools",
            "install OpenSSL and the tools of NSS, so that openssl and certutil are on PATH",
        ),
        (
            Need::Slixmpp,
            "sudo apt-get install python3-slixmpp",
            "install slixmpp for the python3 on PATH",
        ),
        (
            Need::Sqlite,
            "sudo apt-get install lua-dbi-sqlite3 erlang-p1-sqlite3    (the latter from where ejabberd is)",
            "install LuaDBI's driver of SQLite for Prosody, and p1_sqlite3 for ejabberd",
        ),
        (
            Need::Compiler,
            "sudo apt-get install g++",
            "install a C++ compiler, so that c++ is on PATH",
        ),
    ];
    for (need, by_apt, otherwise) in others {
        if is_missing(need) && !root {
            steps.push(if apt { by_apt } else { otherwise });
        }
    }
    if steps.is_empty() {
        return None;
    }
    let mut text = "this has to be installed by hand:\n".to_owned();
    for step in steps {
        text.push_str("\n    ");
        text.push_str(step);
    }
    text.push_str("\n\nthen run the command again");
    Some(text)
}

fn has_wasm_target() -> Result<bool> {
    let folder = process::output(Command::new("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        "wasm32-unknown-unknown",
    ]))?;
    Ok(Path::new(folder.trim()).is_dir())
}

fn has_rust_source() -> Result<bool> {
    let folder = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let lock = "lib/rustlib/src/rust/library/Cargo.lock";
    Ok(Path::new(folder.trim()).join(lock).is_file())
}

fn rustup(args: &[&str]) -> Result<()> {
    if process::find("rustup").is_none() {
        bail!(
            "rustup isn't here: install the standard library for wasm32-unknown-unknown, and the source of the standard \
             library, by the means that Rust came by (Debian and Fedora have packages for both), or install Rust by rustup"
        );
    }
    say(&("rustup ".to_owned() + &args.join(" ")));
    process::run(Command::new("rustup").args(args))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_installed_isnt_asked_for() {
        let debian = Release::parse("ID=debian\nVERSION_CODENAME=bookworm\n");
        assert_eq!(by_hand(&debian, true, true, Need::ALL), None);
        let text = by_hand(&debian, false, true, Need::ALL).unwrap();
        for packages in [
            "chromium chromium-driver\n",
            "prosody prosody-modules ",
            "ejabberd ",
            "openssl libnss3-tools\n",
            "python3-slixmpp\n",
        ] {
            assert!(text.contains(&format!("sudo apt-get install {packages}")), "{packages}");
        }
        let text = by_hand(&debian, false, true, &[Need::Slixmpp]).unwrap();
        assert_eq!(text.matches("sudo").count(), 1);
    }

    #[test]
    fn ubuntu_has_its_browser_in_a_snap() {
        let ubuntu = Release::parse("ID=ubuntu\nVERSION_CODENAME=noble\n");
        assert_eq!(by_hand(&ubuntu, true, true, &[Need::Prosody]), None);
        assert!(
            by_hand(&ubuntu, true, true, Need::ALL)
                .unwrap()
                .contains("sudo snap install chromium")
        );
    }

    #[test]
    fn without_apt_the_programs_are_named() {
        let other = Release::parse("ID=fedora\n");
        let text = by_hand(&other, false, false, Need::ALL).unwrap();
        for program in ["chromedriver", "prosodyctl", "ejabberdctl", "certutil", "slixmpp"] {
            assert!(text.contains(program), "{program}");
        }
        assert!(!text.contains("apt"));
    }
}
