//! The package as a user gets it: packed, and installed from the tarball into fresh projects.
//!
//! `check` is the step of the one check: a page that a plain web server serves, the façade, what linters of packages say, and three
//! rows of the matrix. `package` runs the whole matrix (`tests/packaging/matrix.mjs`) and writes its table into the README.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::demo::browser_script;
use crate::prosody::Prosody;
use crate::roundtrips::{empty, empty_page, lines};
use crate::serve::Site;
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;
use crate::{build, process};

/// Where the table is, from the root of the checkout, and between which lines.
const PAGE: &str = "README.md";
const BEGIN: &str = "<!-- made by `cargo xtask package --matrix` -->\n";
const END: &str = "<!-- end of the table -->\n";

/// Packs, installs, and lets a browser log in from the page in `tests/packaging/`; then tries the façade in it, asks what linters
/// say, and runs the rows of the check.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let packed = Packed::of(package)?;
    let app = packed.folder.path().join("app");
    fs::create_dir(&app)?;
    process::output(npm(&app).args(["init", "-y"]))?;
    process::run(
        npm(&app)
            .args(["install", "--no-audit", "--no-fund"])
            .arg(&packed.tarball),
    )?;
    fs::copy(root.join("tests/packaging/index.html"), app.join("index.html"))
        .context("tests/packaging/index.html is missing")?;

    let server = Prosody::start(root)?;
    let page = Site::default().folder("/", &app).start(0)?;
    let mut tally = Tally::default();
    for name in ["static.mjs", "facade.mjs", "upload.mjs", "loading.mjs"] {
        let mut script = browser_script(root, tools, &format!("tests/packaging/{name}"))?;
        script
            .env("STANZAWIRE_URL", page.url())
            .env("STANZAWIRE_HOST_META", server.host_meta())
            .env("STANZAWIRE_INSTALLED", app.join("node_modules/stanzawire"));
        tally.add(Tally::of_script(&mut script)?);
    }
    lint(&tools.packaging(false), &packed)?;
    tally.add(Tally::ONE);
    let kept = table_of(&read_page(root)?)?.to_owned();
    let names = |table: &str| -> Vec<String> {
        let cells = table.lines().skip(2).filter_map(|line| line.split(" | ").next());
        cells.map(|cell| cell.trim_start_matches("| ").to_owned()).collect()
    };
    if names(&kept) != names(&table(&rows(root, tools)?)?) {
        bail!("{PAGE} has other rows than the matrix: run `cargo xtask package --matrix`");
    }
    tally.add(Tally::ONE);
    tally.add(matrix(root, tools, package, &packed, &server, false, &["--check"])?);
    Ok(tally)
}

/// `cargo xtask package --matrix`.
pub(crate) fn package(root: &Path, arguments: &[String]) -> Result<Tally> {
    let (mut whole, mut plant, mut only) = (false, false, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--matrix" => whole = true,
            "--plant" => plant = true,
            "--only" => only = Some(rest.next().context("--only wants a part of a name")?.as_str()),
            _ => bail!("{argument} means nothing here; see `cargo xtask help`"),
        }
    }
    if !whole {
        bail!("say --matrix; `cargo xtask build` makes the package");
    }
    let tools = setup::ensure(root, Need::MATRIX)?;
    let package = build::build(root, &tools)?;
    let mut packed = Packed::of(&package)?;
    if plant {
        packed = packed.without_wasm()?;
    }
    let mut flags = Vec::new();
    if plant {
        flags.push("--plant");
    }
    flags.extend(only.iter().flat_map(|only| ["--only", only]));
    let server = Prosody::start(root)?;
    let tally = matrix(root, &tools, &package, &packed, &server, true, &flags)?;
    if plant {
        return Ok(tally);
    }
    if tally.is_good() && only.is_none() {
        let page = read_page(root)?;
        let kept = table_of(&page)?;
        let page = page.replace(
            &format!("{BEGIN}{kept}{END}"),
            &format!("{BEGIN}{}{END}", table(&rows(root, &tools)?)?),
        );
        fs::write(root.join(PAGE), page)?;
        eprintln!("package: {PAGE} has the table");
    }
    print_start(root, &tools, &package)?;
    Ok(tally)
}

/// Runs rows of the matrix.
fn matrix(
    root: &Path,
    tools: &Tools,
    package: &Path,
    packed: &Packed,
    server: &Prosody,
    all: bool,
    flags: &[&str],
) -> Result<Tally> {
    let mut script = node_script(root, tools, "tests/packaging/matrix.mjs", all)?;
    script
        .args(flags)
        .env("STANZAWIRE_NPM", tools.packaging(all))
        .env("STANZAWIRE_TARBALL", &packed.tarball)
        .env("STANZAWIRE_PKG", package)
        .env("STANZAWIRE_HOST_META", server.host_meta());
    Tally::of_script(&mut script)
}

/// A script for the Node of `tests/packaging/package.json`, which has a WebSocket of its own; it is told of the browsers.
pub(crate) fn node_script(root: &Path, tools: &Tools, script: &str, all: bool) -> Result<Command> {
    let node = tools.packaging(all).join("node_modules/.bin/node");
    let mut command = Command::new(node);
    command
        .current_dir(root)
        .arg(root.join(script))
        .env("STANZAWIRE_TOOLS", tools.node_modules());
    for (name, browser) in [
        ("STANZAWIRE_CHROMIUM", setup::browser()),
        ("STANZAWIRE_FIREFOX", setup::firefox()),
    ] {
        if let Some(browser) = browser {
            command.env(name, browser);
        }
    }
    Ok(command)
}

/// The rows that there are, as the matrix tells them.
fn rows(root: &Path, tools: &Tools) -> Result<Vec<Value>> {
    let mut script = node_script(root, tools, "tests/packaging/matrix.mjs", false)?;
    lines(&process::output(script.arg("--list"))?)
}

fn table(rows: &[Value]) -> Result<String> {
    let mut text = "| runs in | made with | configuration |\n|---|---|---|\n".to_owned();
    for row in rows {
        let cell = |name: &str| {
            let value = row.get(name).and_then(Value::as_str);
            value.with_context(|| format!("a row has no {name}: {row}"))
        };
        let config = match cell("config")? {
            "" => "none",
            config => config,
        };
        writeln!(text, "| {} | {} | {config} |", cell("name")?, cell("of")?)?;
    }
    Ok(text)
}

fn read_page(root: &Path) -> Result<String> {
    fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))
}

/// What a page has between the two lines.
fn table_of(page: &str) -> Result<&str> {
    let table = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let (table, _) = table.with_context(|| format!("{PAGE} has no place for the table"))?;
    Ok(table)
}

/// What publint and arethetypeswrong find in the tarball fails. The package is of ES modules alone: CommonJS has it by
/// `require()` of one, as Node 22 allows.
fn lint(tools: &Path, packed: &Packed) -> Result<()> {
    let bin = tools.join("node_modules/.bin");
    process::run(
        Command::new(bin.join("publint"))
            .arg("run")
            .arg(&packed.tarball)
            .args(["--strict"]),
    )?;
    process::run(
        Command::new(bin.join("attw"))
            .arg(&packed.tarball)
            .args(["--profile", "esm-only", "--exclude-entrypoints", "./stanzawire.wasm"])
            .args(["--no-emoji", "--no-color", "--format", "ascii"]),
    )
}

/// How long the first client of a page takes until it is there, and where the time goes.
fn print_start(root: &Path, tools: &Tools, package: &Path) -> Result<()> {
    let page = empty_page(package)?;
    let mut script = browser_script(root, tools, "tests/packaging/start.mjs")?;
    script.env("STANZAWIRE_URL", empty(&page));
    println!(
        "\nThe first client of a page, in milliseconds: from the call of createClient() to the client, and the longest task of\n\
         the main thread meanwhile in time that it truly ran; median and worst.\n"
    );
    process::run(&mut script)
}

/// A tarball, in a folder that goes with it.
struct Packed {
    folder: TempDir,
    tarball: PathBuf,
}

impl Packed {
    /// By `npm pack`.
    fn of(package: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("stanzawire-packaging-").tempdir()?;
        let mut pack = npm(package);
        pack.args(["pack", "--json", "--pack-destination"]).arg(folder.path());
        let tarball = folder.path().join(tarball_name(&process::output(&mut pack)?)?);
        Ok(Self { folder, tarball })
    }

    /// The same package, but there is nothing in the files that carry the wasm.
    fn without_wasm(&self) -> Result<Self> {
        let package = self.folder.path().join("package");
        process::run(
            Command::new("tar")
                .current_dir(self.folder.path())
                .arg("-xzf")
                .arg(&self.tarball),
        )?;
        fs::write(package.join("stanzawire.wasm"), "")?;
        let carrier = fs::read_to_string(package.join("wasm.js"))?;
        let (_, unweave) = carrier
            .rsplit_once("];\n")
            .context("wasm.js has no streams to take out")?;
        fs::write(package.join("wasm.js"), format!("export default [\"\"];\n{unweave}"))?;
        Self::of(&package)
    }
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).env("NPM_CONFIG_LOGLEVEL", "error");
    command
}

/// The one file that `npm pack --json` made.
fn tarball_name(json: &str) -> Result<String> {
    let packed: Value = serde_json::from_str(json).context("npm pack wrote no JSON")?;
    // npm 11 and before write a list, later ones an object by package.
    let one = match &packed {
        Value::Array(list) => list.first(),
        Value::Object(map) => map.values().next(),
        _ => None,
    };
    let name = one.and_then(|one| one.get("filename")).and_then(Value::as_str);
    Ok(name.context("npm pack named no file")?.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_tarball_is_found_in_both_forms() {
        let list = r#"[{"id": "stanzawire@0.1.0", "filename": "stanzawire-0.1.0.tgz"}]"#;
        let object = r#"{"stanzawire": {"id": "stanzawire@0.1.0", "filename": "stanzawire-0.1.0.tgz"}}"#;
        for json in [list, object] {
            assert_eq!(tarball_name(json).unwrap(), "stanzawire-0.1.0.tgz");
        }
        assert!(tarball_name("[]").is_err());
    }

    #[test]
    fn the_table_has_a_line_a_row() {
        let rows = [serde_json::json!({ "name": "Rollup", "of": "rollup 4", "config": "" })];
        let text = table(&rows).unwrap();
        assert!(text.ends_with("|---|---|---|\n| Rollup | rollup 4 | none |\n"));
        let page = format!("a\n{BEGIN}{text}{END}b\n");
        assert_eq!(table_of(&page).unwrap(), text);
        assert!(table_of("a\n").is_err() && table(&[serde_json::json!({})]).is_err());
    }
}
