//! Whether a page with a client in it stays as it was over a great many messages: the wasm's memory, the heap of JavaScript
//! after a collection, listeners and timers. And whether each message comes back once and in order, meanwhile.
//!
//! One page, one client, headless Chromium; each message is sent, acknowledged (XEP-0198) and said back by `echo.rs`, which
//! drops the connection every now and then. `tests/e2e/soak.mjs` measures.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::build;
use crate::demo::browser_script;
use crate::echo::Echo;
use crate::process;
use crate::serve::Site;
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;
use crate::torture;

const MESSAGES: u64 = 1_000_000;
/// Of the part that the check makes.
const SLICE: u64 = 20_000;
/// How often it is measured.
const PARTS: u64 = 10;
/// How often a connection is dropped between two measurements.
const DROPS: u64 = 2;
/// How much more memory there may be at the end than after the warm-up, in bytes: of a long run, and of a short one, in which
/// a leak has had no time to become large.
const GROWTH: f64 = 2_000_000.0;
const SHORT_GROWTH: f64 = 250_000.0;

/// `cargo xtask soak`.
pub(crate) fn soak(root: &Path, arguments: &[String]) -> Result<Tally> {
    let (mut messages, mut plant) = (MESSAGES, None);
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} wants a value"))?;
        match flag.as_str() {
            "--messages" => messages = value.parse().context("--messages wants a number")?,
            "--plant" => {
                seen_by(value)?;
                (plant, messages) = (Some(value.as_str()), SLICE);
            }
            _ => bail!("{flag} means nothing here; see `cargo xtask help`"),
        }
    }
    let tools = setup::ensure(root, Need::GAP)?;
    let package = build::build(root, &tools)?;
    let result = run(root, &tools, &package, messages.max(PARTS * 10), plant)?;
    let tally = verdict(&result, messages);
    if let Some(name) = plant {
        let counted = |what: &&str| {
            number(&result, &format!("/{what}")) > if *what == "growth/heap" { SHORT_GROWTH } else { 0.0 }
        };
        let seen = seen_by(name)?.iter().any(counted);
        println!("\n{} - {name}: seen", if seen { "ok" } else { "not ok" });
        return Ok(if seen { Tally::ONE } else { Tally::FAILED });
    }
    Ok(tally)
}

/// A part of it, on a package that is built.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    Ok(verdict(&run(root, tools, package, SLICE, None)?, SLICE))
}

/// Where each fault of `plants.js` is to be seen.
fn seen_by(name: &str) -> Result<&'static [&'static str]> {
    Ok(match name {
        "listener" => &["more/listeners"],
        "timer" => &["more/timers"],
        "heap" => &["growth/heap"],
        _ => torture::seen_by(name)?,
    })
}

fn run(root: &Path, tools: &Tools, package: &Path, messages: u64, plant: Option<&str>) -> Result<Value> {
    let part = messages.div_ceil(PARTS);
    // Never together with a measurement.
    let echo = Echo::start("example.org", "secret", part.div_ceil(DROPS) + 1)?;
    let page = Site::default()
        .folder("/pkg/", package)
        .folder("/soak/", root.join("tests/e2e/soak"))
        .document("/soak.html", PAGE.to_owned())
        .start(0)?;
    let folder = root.join("target/soak");
    std::fs::create_dir_all(&folder)?;
    let result = folder.join("result.json");
    let _ = std::fs::remove_file(&result);
    let config = json!({
        "url": format!("ws://localhost:{}/", echo.address.port()),
        "parts": PARTS, "part": part, "plant": plant, "result": result,
    });
    let mut script = browser_script(root, tools, "tests/e2e/soak.mjs")?;
    script
        .env("STANZAWIRE_URL", page.url().to_owned() + "soak.html")
        .env("STANZAWIRE_SOAK", config.to_string());
    let status = process::stream(&mut script, |_| {})?;
    if !status.success() {
        bail!("the script has failed ({status})");
    }
    let text = std::fs::read_to_string(&result).context("the script has left no result")?;
    serde_json::from_str(&text).context("the script's result is no JSON")
}

const PAGE: &str = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>soak</title>\
                    <script type=module src=/soak/page.js></script>";

fn number(value: &Value, at: &str) -> f64 {
    value.pointer(at).and_then(Value::as_f64).unwrap_or(f64::INFINITY)
}

fn verdict(result: &Value, messages: u64) -> Tally {
    let bound = if messages > 5 * SLICE { GROWTH } else { SHORT_GROWTH };
    let mut tally = Tally::default();
    let mut check = |holds: bool, what: String| {
        println!("{} - soak: {what}", if holds { "ok" } else { "not ok" });
        tally.add(if holds { Tally::ONE } else { Tally::FAILED });
    };
    for (name, what) in [
        ("lost", "lost"),
        ("doubled", "doubled"),
        ("disordered", "out of order"),
        ("unsettled", "unsettled"),
        ("rejected", "rejected"),
        ("uncaught", "uncaught errors"),
    ] {
        let count = number(result, &format!("/{name}"));
        check(count == 0.0, format!("{count} {what}"));
    }
    for (name, what) in [("wasm", "the wasm's memory"), ("heap", "the heap of JavaScript")] {
        let grown = number(result, &format!("/growth/{name}"));
        check(
            grown < bound,
            format!("{what} has grown by {:.0} kB since the warm-up", grown / 1000.0),
        );
    }
    for (name, what) in [("listeners", "listeners"), ("timers", "timers")] {
        let (between, after) = (
            number(result, &format!("/more/{name}")),
            number(result, &format!("/left/{name}")),
        );
        check(between <= 0.0, format!("{between} more {what} than after the warm-up"));
        check(after <= 0.0, format!("{after} {what} left after the client"));
    }
    tally
}
