//! Whether no message is lost, doubled or left in doubt between a page in Chromium and real servers, while the connection is
//! cut, reset, frozen, delayed and swallowed, the server killed and the page reloaded.
//!
//! `tests/e2e/torture.mjs` runs it and judges. Here the server is started, killed and started again (`durable.rs`), and the
//! wires are laid (`mischief.rs`). What a server itself lost after it had acknowledged it, handled twice because it had
//! denied it, or sent out of order is counted apart and fails nothing. Times are printed, and only how soon a half-open
//! connection is given up has a bound. What becomes of those in a room is tried in the same way: see `rooms`.

mod rooms;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::build;
use crate::control::Control;
use crate::demo::browser_script;
use crate::durable::{Durable, Kind};
use crate::mischief::Mischief;
use crate::process;
use crate::serve::Site;
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;

/// What is claimed of half-open connections, in milliseconds: idle, and with traffic.
const NOTICED: [f64; 2] = [8000.0, 5000.0];
/// What must not happen, as `judge.mjs` and `torture.mjs` count it.
const NEVER: [(&str, &str); 10] = [
    ("lost", "lost"),
    ("doubled", "doubled"),
    ("disordered", "out of order"),
    ("unsettled", "unsettled"),
    ("twice", "settled twice"),
    ("unknown", "delivery-unknown"),
    ("refused", "not delivered, and the page told so"),
    ("gaps", "gaps"),
    ("gaveUp", "given up"),
    ("uncaught", "uncaught errors"),
];

/// The faults of `plants.js` that change what becomes of messages, and what is to be counted with each: one of these.
pub(crate) const PLANTS: [(&str, &[&str]); 5] = [
    ("ack", &["unsettled"]),
    ("twice", &["lost"]),
    ("swap", &["disordered"]),
    ("echo", &["doubled"]),
    // The archive may bring it later.
    ("deaf", &["lost", "disordered"]),
];

/// How a run is to be.
#[derive(Debug, Clone)]
struct Run {
    /// Each way.
    messages: u32,
    /// Each way, a second.
    rate: u32,
    /// At least.
    faults: u32,
    /// How often half-open connections are tried.
    rounds: u32,
    seed: u32,
    plant: Option<String>,
    servers: Vec<Kind>,
    /// Five in a room, in the place of two with each other.
    rooms: bool,
}

/// Who is tortured: the script, its page, and the wires that the page's clients have.
#[derive(Debug, Clone, Copy)]
struct Scene {
    /// In the names of files.
    name: &'static str,
    script: &'static str,
    document: &'static str,
    page: &'static str,
    wires: &'static [&'static str],
}

/// Two with each other.
const TWO: Scene = Scene {
    name: "",
    script: "tests/e2e/torture.mjs",
    document: "/torture.html",
    page: "/torture/page.js",
    wires: &["main", "idle", "busy"],
};

impl Run {
    fn full() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            messages: 10_000,
            rate: 40,
            faults: 100,
            rounds: 3,
            seed: since
                .map(|since| since.subsec_nanos() ^ since.as_secs() as u32)
                .unwrap_or(1),
            plant: None,
            servers: vec![Kind::Prosody, Kind::ProsodySasl2, Kind::Ejabberd],
            rooms: false,
        }
    }

    fn scene(&self) -> Scene {
        if self.rooms { rooms::SCENE } else { TWO }
    }

    /// The part of it that the check makes.
    fn slice() -> Self {
        Self {
            messages: 150,
            rate: 10,
            faults: 13,
            rounds: 1,
            ..Self::full()
        }
    }

    fn read(arguments: &[String]) -> Result<Self> {
        let mut run = Self::full();
        let (room, arguments): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| *argument == "--rooms");
        if !room.is_empty() {
            run = rooms::full();
        }
        let mut rest = arguments.into_iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().with_context(|| format!("{flag} wants a value"))?;
            match flag.as_str() {
                "--messages" => {
                    run.messages = value.parse().context("--messages wants a number")?;
                    run.faults = run.faults.min(run.messages / 20);
                }
                "--rate" => run.rate = value.parse().context("--rate wants a number")?,
                "--rounds" => run.rounds = value.parse().context("--rounds wants a number")?,
                "--seed" => run.seed = value.parse().context("--seed wants a number")?,
                "--server" => {
                    run.servers.retain(|kind| kind.name().eq_ignore_ascii_case(value));
                    if run.servers.is_empty() {
                        bail!("--server is prosody, prosody-sasl2 or ejabberd");
                    }
                }
                "--plant" => {
                    seen_by(value)?;
                    let slice = if run.rooms { rooms::slice() } else { Self::slice() };
                    run = Self {
                        seed: run.seed,
                        servers: run.servers,
                        ..slice
                    };
                    (run.messages, run.rate) = if run.rooms { (100, 10) } else { (400, 25) };
                    run.plant = Some(value.clone());
                    run.servers.truncate(1);
                }
                _ => bail!("{flag} means nothing here; see `cargo xtask help`"),
            }
        }
        Ok(run)
    }
}

/// `cargo xtask torture`.
pub(crate) fn torture(root: &Path, arguments: &[String]) -> Result<Tally> {
    let run = Run::read(arguments)?;
    let tools = setup::ensure(root, Need::TORTURE)?;
    let package = build::build(root, &tools)?;
    let mut tally = Tally::default();
    let mut results = Vec::new();
    for kind in &run.servers {
        results.push((*kind, one(root, &tools, &package, *kind, &run)?));
    }
    if run.rooms {
        tally.add(rooms::verdicts(&results, run.seed));
    } else {
        println!("\n{}", table(&results, &run));
        for (kind, result) in &results {
            tally.add(verdict(*kind, result));
        }
    }
    if let Some(name) = &run.plant {
        let counted = |what: &&str| {
            results
                .iter()
                .any(|(_, result)| number(result, &format!("/counts/{what}")) > 0.0)
        };
        let seen = seen_by(name)?.iter().any(counted);
        println!("\n{} - {name}: seen", if seen { "ok" } else { "not ok" });
        return Ok(if seen { Tally::ONE } else { Tally::FAILED });
    }
    Ok(tally)
}

/// What is to be counted with a fault of [`PLANTS`].
pub(crate) fn seen_by(name: &str) -> Result<&'static [&'static str]> {
    let plant = PLANTS.iter().find(|(plant, _)| *plant == name);
    plant
        .map(|(_, seen)| *seen)
        .with_context(|| format!("nothing is known of the fault {name}"))
}

/// A part of it, on a package that is built: all servers at once, then those with rooms.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let run = Run::slice();
    let results = at_once(root, tools, package, &run)?;
    println!("\n{}", table(&results, &run));
    let mut tally = Tally::default();
    for (kind, result) in &results {
        tally.add(verdict(*kind, result));
    }
    let run = rooms::slice();
    tally.add(rooms::verdicts(&at_once(root, tools, package, &run)?, run.seed));
    Ok(tally)
}

fn at_once(root: &Path, tools: &Tools, package: &Path, run: &Run) -> Result<Vec<(Kind, Value)>> {
    thread::scope(|scope| {
        let threads: Vec<_> = run
            .servers
            .iter()
            .map(|kind| (*kind, scope.spawn(|| one(root, tools, package, *kind, run))))
            .collect();
        let joined = threads.into_iter().map(|(kind, thread)| match thread.join() {
            Ok(result) => result.map(|result| (kind, result)),
            Err(_) => bail!("{}: the thread has ended", kind.name()),
        });
        joined.collect()
    })
}

/// A server and a page, from beginning to end.
fn one(root: &Path, tools: &Tools, package: &Path, kind: Kind, run: &Run) -> Result<Value> {
    let folder = root.join("target/torture");
    std::fs::create_dir_all(&folder)?;
    let scene = run.scene();
    let file = |end: &str| folder.join(format!("{}{}{end}", kind.name().to_lowercase(), scene.name));
    let (control, ear) = Control::open()?;
    let (sender, started) = mpsc::channel();
    thread::scope(|scope| {
        // One thread starts it each time and outlives it: the kernel kills a server whose starter has ended.
        let keeper = scope.spawn(move || {
            let mut server = match Durable::start(root, kind) {
                Ok(server) => server,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return String::new();
                }
            };
            let _ = sender.send(Ok((server.http, server.c2s)));
            ear.serve(&mut |path| {
                match path {
                    "/kill" => server.kill(),
                    "/start" => server.restart()?,
                    _ => bail!("nothing is known of {path}"),
                }
                Ok(String::new())
            });
            server.log()
        });
        let outcome = started
            .recv()
            .context("the server's thread has ended")
            .and_then(|ports| {
                let (http, c2s) = ports?;
                let result = file(".json");
                let _ = std::fs::remove_file(&result);
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, http));
                let mut wires = Vec::new();
                let mut told = serde_json::Map::new();
                for name in scene.wires {
                    let wire = Mischief::start(address)?;
                    let url = format!("ws://localhost:{}{}", wire.address.port(), kind.path());
                    told.insert((*name).to_owned(), json!({ "url": url, "control": wire.control.url() }));
                    wires.push(wire);
                }
                let page = Site::default()
                    .folder("/pkg/", package)
                    .folder("/torture/", root.join("tests/e2e/torture"))
                    .document(scene.document, page_with(scene.page))
                    .start(0)?;
                let config = json!({
                    "name": kind.name(), "page": page.url(), "c2s": c2s, "server": control.url(),
                    "python": setup::python().context("no Python with slixmpp: run `cargo xtask setup`")?,
                    "wires": told,
                    "messages": run.messages, "rate": run.rate, "faults": run.faults, "rounds": run.rounds,
                    "sasl2": kind == Kind::ProsodySasl2,
                    "seed": run.seed, "plant": run.plant, "log": file(".log"), "result": result,
                });
                let version = kind.version().unwrap_or_default();
                println!(
                    "{} {version}: --seed {}, what happens is written to {}",
                    kind.name(),
                    run.seed,
                    file(".log").display()
                );
                let mut script = browser_script(root, tools, scene.script)?;
                script
                    .env("STANZAWIRE_URL", page.url())
                    .env("STANZAWIRE_TORTURE", config.to_string());
                let status = process::stream(&mut script, |_| {})?;
                if !status.success() {
                    bail!("{}: the script has failed ({status})", kind.name());
                }
                let text = std::fs::read_to_string(&result).context("the script has left no result")?;
                serde_json::from_str(&text).context("the script's result is no JSON")
            });
        drop(control);
        let log = keeper.join().unwrap_or_default();
        std::fs::write(file("-server.log"), log)?;
        outcome
    })
}

fn page_with(script: &str) -> String {
    format!(
        "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>torture</title>\
         <script type=module src={script}></script>"
    )
}

fn number(result: &Value, at: &str) -> f64 {
    result.pointer(at).and_then(Value::as_f64).unwrap_or(f64::INFINITY)
}

/// Each thing that must not happen, and how soon half-open connections are given up, is a check.
fn verdict(kind: Kind, result: &Value) -> Tally {
    let mut tally = Tally::default();
    let mut check = |holds: bool, what: String| {
        println!("{} - {}: {what}", if holds { "ok" } else { "not ok" }, kind.name());
        tally.add(if holds { Tally::ONE } else { Tally::FAILED });
    };
    for (name, what) in NEVER {
        let count = number(result, &format!("/counts/{name}"));
        check(count == 0.0, format!("{count} {what}"));
    }
    for (way, bound) in ["idle", "busy"].into_iter().zip(NOTICED) {
        let worst = worst(result, way);
        let what = format!("half-open, {way}: given up after {} at most", seconds(worst));
        check(worst <= bound, what);
    }
    tally
}

fn worst(result: &Value, way: &str) -> f64 {
    let list = result.pointer(&format!("/halfOpen/{way}")).and_then(Value::as_array);
    let each = list
        .into_iter()
        .flatten()
        .map(|ms| ms.as_f64().unwrap_or(f64::INFINITY));
    each.fold(0.0, f64::max)
}

fn seconds(ms: f64) -> String {
    if ms.is_finite() {
        format!("{:.2} s", ms / 1000.0)
    } else {
        "never".to_owned()
    }
}

fn table(results: &[(Kind, Value)], run: &Run) -> String {
    let mut text = format!("--seed {}\n{:<38}", run.seed, "");
    let row = |text: &mut String, what: &str, cell: &dyn Fn(&Value) -> String| {
        text.push_str(&format!("\n{what:<38}"));
        for (_, result) in results {
            text.push_str(&format!("{:>22}", cell(result)));
        }
    };
    for (kind, _) in results {
        text.push_str(&format!("{:>22}", kind.name()));
    }
    let count = |at: &'static str| move |result: &Value| number(result, at).to_string();
    row(&mut text, "sent by the page", &count("/called"));
    row(&mut text, "  in the peer's archive", &count("/sent"));
    row(&mut text, "in the page's archive", &count("/archived"));
    row(&mut text, "  heard by the page", &count("/received"));
    for (name, what) in NEVER {
        row(&mut text, what, &|result| {
            number(result, &format!("/counts/{name}")).to_string()
        });
    }
    row(
        &mut text,
        "by the server: lost when acknowledged",
        &count("/counts/server"),
    );
    row(&mut text, "  doubled when denied", &count("/counts/serverDoubled"));
    row(
        &mut text,
        "  out of order on the wire",
        &count("/counts/serverDisordered"),
    );
    row(&mut text, "resumed", &count("/counts/resumed"));
    row(&mut text, "seconds", &|result| {
        format!("{:.0}", number(result, "/seconds"))
    });
    for kind in ["cut", "reset", "freeze", "hole", "delay", "kill", "reload"] {
        row(&mut text, &format!("faults: {kind}"), &|result| {
            result
                .pointer(&format!("/faults/{kind}"))
                .and_then(Value::as_u64)
                .unwrap_or_default()
                .to_string()
        });
    }
    let spread = |at: String| {
        move |result: &Value| match number(result, &format!("{at}/count")) {
            count if count > 0.0 && count.is_finite() => format!(
                "{} {} ({count})",
                seconds(number(result, &format!("{at}/median"))),
                seconds(number(result, &format!("{at}/p95")))
            ),
            _ => "-".to_owned(),
        }
    };
    text.push_str("\n\nonline again after the end of the last fault: median, 95 in 100, (how many)");
    row(&mut text, "all", &spread("/recovery/all".to_owned()));
    row(
        &mut text,
        "all but half-open connections",
        &spread("/recovery/told".to_owned()),
    );
    for kind in ["cut", "reset", "freeze", "hole", "delay", "kill", "reload", "several"] {
        row(
            &mut text,
            &format!("  {kind}"),
            &spread(format!("/recovery/kinds/{kind}")),
        );
    }
    for (way, what) in [
        ("idle", "half-open, idle: given up after"),
        ("busy", "half-open, with traffic: after"),
    ] {
        row(&mut text, what, &|result| seconds(worst(result, way)));
    }
    text.push('\n');
    text
}
