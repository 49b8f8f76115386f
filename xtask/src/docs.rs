//! The documentation for developers of apps: a static site, made by TypeDoc of the package's types and of the guide in
//! `src/manual/guide/`, and what must hold of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build;
use crate::demo::browser_script;
use crate::process;
use crate::prosody::Prosody;
use crate::serve::Site;
use crate::tally::Tally;
use crate::tools::Tools;

/// Where the guide is.
const GUIDE: &str = "src/manual/guide";

/// How the site is made.
const OPTIONS: &str = "xtask/tools/docs/typedoc.json";

/// `cargo xtask docs`: makes the site, and says where it is.
pub(crate) fn docs(root: &Path, tools: &Tools, package: &Path) -> Result<PathBuf> {
    let site = root.join("target/docs-site");
    // TypeDoc reads the types as a project, and finds its plugins and its compiler beside itself.
    let work = root.join("target/xtask/docs");
    if work.exists() {
        fs::remove_dir_all(&work).context("cannot remove the old target/xtask/docs")?;
    }
    fs::create_dir_all(&work)?;
    let config = serde_json::json!({
        "compilerOptions": {
            "strict": true,
            "noEmit": true,
            "target": "es2022",
            "lib": ["es2022", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"],
            "module": "esnext",
            "moduleResolution": "bundler",
            "types": [],
        },
        "files": [package.join("index.d.ts")],
    });
    let tsconfig = work.join("tsconfig.json");
    fs::write(&tsconfig, serde_json::to_string_pretty(&config)?)?;
    let mut command = Command::new("node");
    command
        .current_dir(root)
        .env("STANZAWIRE_TOOLS", tools.docs_modules())
        .arg(tools.docs_modules().join("typedoc/bin/typedoc"))
        .arg("--options")
        .arg(root.join(OPTIONS))
        .arg("--tsconfig")
        .arg(tsconfig)
        .arg("--entryPoints")
        .arg(package.join("index.d.ts"))
        .arg("--out")
        .arg(&site);
    process::run(&mut command)?;
    Ok(site)
}

/// Makes the site, follows its links, and lets a browser read it, search it, and run the guide's first app.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let site = docs(root, tools, package)?;
    let mut tally = Tally::of_script(
        Command::new("node")
            .current_dir(root)
            .arg("tests/docs/links.mjs")
            .arg(&site),
    )?;
    let server = Prosody::start(root)?;
    let app = root.join("target/xtask/docs/first-chat");
    let page = Site::default()
        .folder("/docs/", &site)
        .folder("/node_modules/stanzawire/", package)
        .folder("/", &app)
        .start(0)?;
    let pictures = root.join("target/docs-check");
    fs::create_dir_all(&pictures).context("cannot make target/docs-check")?;
    let mut script = browser_script(root, tools, "tests/docs/site.mjs")?;
    script
        .env("STANZAWIRE_URL", page.url())
        .env("STANZAWIRE_HOST_META", server.host_meta())
        .env("STANZAWIRE_SITE", &site)
        .env("STANZAWIRE_APP", &app)
        .env("STANZAWIRE_OUT", &pictures);
    tally.add(Tally::of_script(&mut script)?);
    Ok(tally)
}

/// The code that the guide and the readmes show, taken out of them for the compiler: TypeScript modules, and the scripts of
/// pages, which are JavaScript.
pub(crate) fn shown(root: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("pkg-template/README.md")];
    for page in build::files(&root.join(GUIDE))? {
        if page.extension().is_some_and(|kind| kind == "md") {
            pages.push(page.strip_prefix(root)?.to_owned());
        }
    }
    let mut extract = Command::new("node");
    extract
        .current_dir(root)
        .arg("tests/types/extract.mjs")
        .arg(root.join("target/xtask/shown"))
        .args(pages);
    let said = process::output(&mut extract)?;
    let (modules, scripts): (Vec<_>, Vec<_>) = said
        .lines()
        .map(PathBuf::from)
        .partition(|path| path.extension().is_some_and(|kind| kind == "ts"));
    if modules.is_empty() {
        bail!("neither the guide nor the readmes show any code");
    }
    Ok((modules, scripts))
}
