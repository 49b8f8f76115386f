//! The chat page through a real server, for a person or, with `--check`, for headless Chromium.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::prosody::{self, Prosody};
use crate::serve::{Serving, Site};
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;

/// The accounts that the server's configuration makes.
const ACCOUNTS: [&str; 2] = ["alice@localhost", "bob@localhost"];
const PASSWORD: &str = "secret";

/// `cargo xtask demo`: until Ctrl-C.
pub(crate) fn demo(root: &Path, open: bool) -> Result<()> {
    let tools = setup::ensure(root, Need::DEMO)?;
    let package = crate::build::build(root, &tools)?;
    let mut server = Prosody::start(root)?;
    let page = serve(root, &package, &server)?;
    if let Some(version) = prosody::version() {
        println!("\nProsody {version} runs on loopback, with its data in a temporary folder.");
    }
    println!("\n    Chat page    {}", page.url());
    println!("    Accounts     {}    password {PASSWORD}", ACCOUNTS.join("  "));
    println!(
        "    Your code    connect({{ jid: \"{}\", password: \"{PASSWORD}\", hostMeta: \"{}\" }})",
        ACCOUNTS[0],
        server.host_meta()
    );
    println!("\nOpen the page twice, log in as both, and chat. Any other JID logs in to its own server.");
    println!("Ctrl-C stops everything and removes the server's data.");
    if open {
        open_browser(page.url());
    }
    while !process::interrupted_within(Duration::from_secs(1)) {
        server.check()?;
    }
    drop(page);
    drop(server);
    println!("\nstopped");
    Ok(())
}

/// `cargo xtask demo --check`: drives the page and counts what held.
pub(crate) fn check(root: &Path) -> Result<Tally> {
    let tools = setup::ensure(root, Need::DEMO_CHECK)?;
    let package = crate::build::build(root, &tools)?;
    check_built(root, &tools, &package)
}

/// The check alone, on a package that is built.
pub(crate) fn check_built(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let server = Prosody::start(root)?;
    let page = serve(root, package, &server)?;
    let screenshots = root.join("target/demo");
    std::fs::create_dir_all(&screenshots).context("cannot make target/demo")?;
    let mut script = browser_script(root, tools, "tests/e2e/demo.mjs")?;
    script
        .env("STANZAWIRE_URL", page.url())
        .env("STANZAWIRE_OUT", &screenshots)
        .env("STANZAWIRE_SASL2", if prosody::offers_sasl2() { "1" } else { "" });
    Tally::of_script(&mut script)
}

/// A script that drives Chromium: Node with the environment by which it finds playwright-core and the browser.
pub(crate) fn browser_script(root: &Path, tools: &Tools, script: &str) -> Result<Command> {
    let file = root.join(script);
    if !file.is_file() {
        bail!("{script} is missing");
    }
    let browser = setup::browser().context("no Chromium on PATH: run `cargo xtask setup`")?;
    let mut command = Command::new("node");
    command.current_dir(root).arg(file);
    command
        .env("STANZAWIRE_TOOLS", tools.node_modules())
        .env("STANZAWIRE_CHROMIUM", browser);
    Ok(command)
}

pub(crate) fn serve(root: &Path, package: &Path, server: &Prosody) -> Result<Serving> {
    let accounts = ACCOUNTS.map(|jid| serde_json::json!({ "jid": jid, "password": PASSWORD }));
    let config = serde_json::json!({ "hostMeta": server.host_meta(), "domain": "localhost", "accounts": accounts });
    let site = Site::default()
        .document("/demo.json", config.to_string())
        .folder("/pkg/", package)
        .folder("/", root.join("www"));
    site.start_remembered(root, "page")
}

/// Where there's a screen and somebody to look at it.
fn open_browser(url: &str) {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if set("DISPLAY") || set("WAYLAND_DISPLAY") {
        "xdg-open"
    } else {
        return;
    };
    if set("CI") || process::find(opener).is_none() {
        return;
    }
    // The browser is the user's own and outlives us.
    if let Err(error) = process::detach(Command::new(opener).arg(url)) {
        eprintln!("note: {error:#}; open the page by hand");
    }
}
