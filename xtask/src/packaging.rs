//! The package as a user gets it: packed, installed from the tarball into a new folder, and imported by a page that a
//! plain web server serves.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::demo::browser_script;
use crate::process;
use crate::prosody::Prosody;
use crate::serve::Site;
use crate::tally::Tally;
use crate::tools::Tools;

/// Packs, installs, and lets a browser log in from the page in `tests/packaging/`; then tries the façade in it.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let folder = tempfile::Builder::new().prefix("stanzawire-packaging-").tempdir()?;
    let app = folder.path().join("app");
    fs::create_dir(&app)?;

    let mut pack = npm(package);
    pack.args(["pack", "--json", "--pack-destination"]).arg(folder.path());
    let tarball = tarball_name(&process::output(&mut pack)?)?;
    process::output(npm(&app).args(["init", "-y"]))?;
    process::run(
        npm(&app)
            .args(["install", "--no-audit", "--no-fund"])
            .arg(folder.path().join(tarball)),
    )?;
    fs::copy(root.join("tests/packaging/index.html"), app.join("index.html"))
        .context("tests/packaging/index.html is missing")?;

    let server = Prosody::start(root)?;
    let page = Site::default().folder("/", &app).start(0)?;
    let mut tally = Tally::default();
    for name in ["static.mjs", "facade.mjs", "upload.mjs"] {
        let mut script = browser_script(root, tools, &format!("tests/packaging/{name}"))?;
        script
            .env("STANZAWIRE_URL", page.url())
            .env("STANZAWIRE_HOST_META", server.host_meta())
            .env("STANZAWIRE_INSTALLED", app.join("node_modules/stanzawire"));
        tally.add(Tally::of_script(&mut script)?);
    }
    Ok(tally)
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).env("NPM_CONFIG_LOGLEVEL", "error");
    command
}

/// The one file that `npm pack --json` made.
fn tarball_name(json: &str) -> Result<String> {
    let packed: serde_json::Value = serde_json::from_str(json).context("npm pack wrote no JSON")?;
    // npm 11 and before write a list, later ones an object by package.
    let one = match &packed {
        serde_json::Value::Array(list) => list.first(),
        serde_json::Value::Object(map) => map.values().next(),
        _ => None,
    };
    let name = one
        .and_then(|one| one.get("filename"))
        .and_then(serde_json::Value::as_str);
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
}
