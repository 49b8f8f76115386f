//! Logins to real servers: Prosody and ejabberd, over `ws:` and `wss:`, by every mechanism that they can be set to offer, in
//! headless Chromium through the npm package.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::apt::Release;
use crate::certificates::Authority;
use crate::demo::browser_script;
use crate::ejabberd::{self, Ejabberd};
use crate::process;
use crate::prosody::{self, LoginProsody};
use crate::serve::Site;
use crate::setup;
use crate::tally::Tally;
use crate::tools::Tools;

/// How often a start is tried when somebody else takes a port first.
const TRIES: usize = 3;

/// Starts both servers and runs `tests/e2e/logins.mjs`.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let begun = Instant::now();
    let authority = Authority::make()?;
    let (prosody, ejabberd) = start(root, package, &authority)?;
    let page = Site::default().folder("/pkg/", package).start(0)?;
    let versions =
        [prosody::version(), ejabberd::version()].map(|version| version.unwrap_or_else(|| "unknown".to_owned()));
    eprintln!(
        "logins: Prosody {} and ejabberd {} are up after {:.1} s",
        versions[0],
        versions[1],
        begun.elapsed().as_secs_f32()
    );
    let config = serde_json::json!({
        "page": page.url(),
        "trusting": authority.trusting_home()?,
        "doubting": authority.doubting_home("doubting")?,
        "authority": authority.root(),
        "python": setup::python().context("no Python with slixmpp: run `cargo xtask setup`")?,
        "prosody": {
            "version": versions[0],
            "http": prosody.http(),
            "https": prosody.https,
            "c2s": prosody.c2s,
        },
        "ejabberd": {
            "version": versions[1],
            "http": ejabberd.http,
            "https": ejabberd.https,
            "c2s": ejabberd.c2s,
        },
    });
    let mut script = browser_script(root, tools, "tests/e2e/logins.mjs")?;
    script.env("STANZAWIRE_LOGINS", config.to_string());
    let mut tally = Tally::of_script(&mut script)?;
    if Release::read().is_debian() && tally.skipped > 0 {
        eprintln!("logins: nothing has to be skipped on Debian: its backports have a Prosody that can do it");
        tally.failed += tally.skipped;
        tally.skipped = 0;
    }
    if tally.failed > 0 {
        let folder = root.join("target/logins");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("prosody.log"), prosody.log())?;
        std::fs::write(folder.join("ejabberd.log"), ejabberd.log())?;
        eprintln!("logins: the servers' logs are in {}", folder.display());
    }
    Ok(tally)
}

/// Both start at once; each is waited for.
pub(crate) fn start(root: &Path, package: &Path, authority: &Authority) -> Result<(LoginProsody, Ejabberd)> {
    for _ in 0..TRIES {
        process::check_interrupt()?;
        let mut ejabberd = Ejabberd::spawn(root, authority)?;
        let mut prosody = LoginProsody::spawn(root, package, authority)?;
        if prosody.wait_until_ready()? && ejabberd.wait_until_ready()? {
            return Ok((prosody, ejabberd));
        }
    }
    bail!("the servers found no free ports")
}
