//! Pages that are left, reloaded and duplicated, in headless Chromium with Prosody.

use std::path::Path;

use anyhow::Result;

use crate::demo::browser_script;
use crate::prosody::{self, Prosody};
use crate::roundtrips::{empty, empty_page};
use crate::tally::Tally;
use crate::tools::Tools;

/// Starts the server and runs `tests/e2e/reload.mjs`.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let server = Prosody::start(root)?;
    let page = empty_page(package)?;
    let mut script = browser_script(root, tools, "tests/e2e/reload.mjs")?;
    script
        .env("STANZAWIRE_URL", empty(&page))
        .env("STANZAWIRE_SERVER", server.host_meta())
        .env("STANZAWIRE_SASL2", if prosody::offers_sasl2() { "1" } else { "" });
    Tally::of_script(&mut script)
}
