//! What a message costs a page, with a store and without (`tests/e2e/sends.mjs`): the difference is what it costs to keep what the
//! next page must know.
//!
//! The server is `echo.rs`, which acknowledges each message and says it back. Times are printed and fail nothing.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::demo::browser_script;
use crate::echo::Echo;
use crate::roundtrips::{empty, empty_page, lines};
use crate::setup::{self, Need};
use crate::{build, process};

/// How often each is measured.
const RUNS: u32 = 5;
/// What is claimed, in microseconds.
const CLAIM: f64 = 20.0;

/// `cargo xtask sends`.
pub(crate) fn sends(root: &Path) -> Result<()> {
    let tools = setup::ensure(root, Need::GAP)?;
    let package = build::build(root, &tools)?;
    let page = empty_page(&package)?;
    let echo = Echo::start("example.org", "secret", u64::MAX)?;
    let url = format!("ws://localhost:{}/", echo.address.port());
    let options = json!({ "jid": "alice@example.org", "password": "secret", "url": url });
    let mut script = browser_script(root, &tools, "tests/e2e/sends.mjs")?;
    script
        .env("STANZAWIRE_URL", empty(&page))
        .env("STANZAWIRE_RUNS", RUNS.to_string())
        .env("STANZAWIRE_OPTIONS", options.to_string());
    let measured = lines(&process::output(&mut script)?)?;
    println!(
        "\nWhat the main thread of a page in Chromium does for a message that is sent, acknowledged and said back, 1,000 a second, in\n\
         microseconds: median and least of {RUNS} runs of 6 s.\n"
    );
    let number = |line: &Value, what: &str| line.get(what).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let without = measured.first().map_or(f64::NAN, |line| number(line, "median"));
    println!(
        "{:<16} {:>8} {:>8} {:>8} {:>8}",
        "store", "median", "least", "more", "writes"
    );
    for line in &measured {
        let name = line.get("name").and_then(Value::as_str).unwrap_or_default();
        let (median, least) = (number(line, "median"), number(line, "least"));
        let more = median - without;
        let verdict = if more <= CLAIM {
            ""
        } else {
            "  over the 20 us that are claimed"
        };
        let writes = number(line, "writes");
        println!("{name:<16} {median:>8.1} {least:>8.1} {more:>8.1} {writes:>8.0}{verdict}");
    }
    Ok(())
}
