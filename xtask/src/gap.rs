//! How long a login keeps a page's main thread, in Chromium: the longest gap between two turns of its event loop.
//!
//! A MessageChannel on the page pings itself, a turn each; the longest time between two pings is the gap
//! (`tests/e2e/gap.mjs`). The server is scripted, on loopback, and asks for as many iterations of SCRAM-SHA-256 as the
//! case says; the client has no key yet. With WebCrypto the key is derived off the main thread, without it in slices of at
//! most 8 ms on it. Beside each number stands what the same page shows for as long without a login, and, of a second
//! login without pings, the longest task of the main thread in the browser's own trace, in time that the thread truly ran:
//! what is left of the gap on a machine that does nothing else.
//!
//! Times are printed and fail nothing; a login that fails does.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::demo::browser_script;
use crate::roundtrips::{empty, empty_page, lines};
use crate::scripted::{Offer, Scripted};
use crate::setup::{self, Need};
use crate::{build, process};

/// How often each is measured.
const RUNS: u32 = 5;
/// What is claimed, in milliseconds.
const CLAIM: f64 = 10.0;
const ITERATIONS: [u32; 2] = [10_000, 100_000];

/// `cargo xtask gap`.
pub(crate) fn gap(root: &Path) -> Result<()> {
    let tools = setup::ensure(root, Need::GAP)?;
    let package = build::build(root, &tools)?;
    let page = empty_page(&package)?;
    let (mut servers, mut cases) = (Vec::new(), Vec::new());
    for iterations in ITERATIONS {
        let server = Scripted::start(Offer::new("example.org", &["SCRAM-SHA-256"], "secret", iterations))?;
        let url = format!("ws://localhost:{}/", server.address().port());
        for (web_crypto, how) in [(true, "WebCrypto"), (false, "slices")] {
            let options = json!({ "jid": "alice@example.org", "password": "secret", "url": url });
            let name = format!("{iterations} iterations, {how}");
            cases.push(json!({ "name": name, "options": options, "webCrypto": web_crypto }));
        }
        servers.push(server);
    }
    let mut script = browser_script(root, &tools, "tests/e2e/gap.mjs")?;
    script
        .env("STANZAWIRE_URL", empty(&page))
        .env("STANZAWIRE_RUNS", RUNS.to_string())
        .env("STANZAWIRE_CASES", serde_json::to_string(&cases)?);
    let measured = lines(&process::output(&mut script)?)?;
    println!(
        "\nThe longest time between two turns of the page's event loop while a client logs in, in milliseconds: pings of a\n\
         MessageChannel to itself, median and worst of {RUNS} logins. Baseline: the same page for as long, doing nothing. Task:\n\
         the longest one of the main thread during another login without pings, in time that it truly ran.\n"
    );
    println!(
        "{:<28} {:>15} {:>15} {:>15} {:>15}",
        "", "gap", "baseline", "task", "login"
    );
    for line in &measured {
        let name = line.pointer("/name").and_then(Value::as_str).unwrap_or_default();
        let [gap, baseline, task, login] = ["gap", "baseline", "task", "login"].map(|what| both(line, what));
        let (gap, baseline, task, login) = (gap?, baseline?, task?, login?);
        let verdict = if gap.0 <= CLAIM {
            ""
        } else {
            "  over the 10 ms that are claimed"
        };
        println!(
            "{name:<28} {} {} {} {}{verdict}",
            shown(gap),
            shown(baseline),
            shown(task),
            shown(login)
        );
    }
    drop(servers);
    Ok(())
}

/// Median and worst.
fn both(line: &Value, what: &str) -> Result<(f64, f64)> {
    let number = |which: &str| line.pointer(&format!("/{what}/{which}")).and_then(Value::as_f64);
    let both = number("median").zip(number("worst"));
    both.with_context(|| format!("{what} is missing in {line}"))
}

fn shown((median, worst): (f64, f64)) -> String {
    format!("{median:>7.1} {worst:>7.1}")
}
