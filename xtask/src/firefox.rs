//! The browser tests, and the chat page, in Firefox.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::packaging::node_script;
use crate::prosody::Prosody;
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;
use crate::{build, demo};

/// `cargo xtask firefox`.
pub(crate) fn firefox(root: &Path) -> Result<Tally> {
    let tools = setup::ensure(root, Need::FIREFOX)?;
    let package = build::build(root, &tools)?;
    let mut tally = browser(root, &tools)?;
    let server = Prosody::start(root)?;
    let page = demo::serve(root, &package, &server)?;
    let mut script = node_script(root, &tools, "tests/packaging/chat.mjs", false)?;
    tally.add(Tally::of_script(script.env("STANZAWIRE_URL", page.url()))?);
    Ok(tally)
}

/// `tests/browser` in headless Firefox, with Prosody behind.
fn browser(root: &Path, tools: &Tools) -> Result<Tally> {
    let server = Prosody::start_old(root)?;
    let mut command = Command::new(tools.program(&tools.wasm_pack()));
    command
        .current_dir(root)
        .env("PATH", tools.path()?)
        .env("STANZAWIRE_HOST_META", server.host_meta())
        // Seconds for all tests together, which log in and out of a real server.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    command
        .args(["test", "--headless", "--firefox", "--geckodriver"])
        .arg(tools.program(&tools.geckodriver()));
    command.args(["--", "--test", "browser"]);
    Tally::of_libtest(&mut command).context("wasm-pack test")
}
