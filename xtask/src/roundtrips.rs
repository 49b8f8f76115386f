//! How many stream round trips a login takes, by server and mechanism.
//!
//! Headless Chromium logs in with the built package through a hand that withholds what the server says until both sides
//! have been silent for a moment (`relay.rs`), and then lets all of it go at once. Each time that is needed before the
//! client is online is one round trip. It can be counted too high, where a client is so slow that it seems to wait; never
//! too low, for a client can't use an answer that it hasn't got. The WebSocket's own handshake isn't part of it.
//!
//! Beside the counts: how long a login at a server that is known takes on a wire with 100 ms of delay, by a password and by a
//! token, against its round trips and what a WebSocket takes to open on the same wire. Times are printed; only counts fail.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::demo::browser_script;
use crate::relay::{self, Withholding};
use crate::scripted::{Along, Offer, Scripted};
use crate::serve::{Serving, Site};
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;
use crate::{build, faults, logins, process, prosody, server};

/// Of the slow wire, in milliseconds.
const ROUND_TRIP: u64 = 100;
/// How many logins are timed on it.
const RUNS: u32 = 5;
/// How much longer than its round trips a login may take, in percent.
const CLAIM: f64 = 10.0;
/// What SCRAM asks for at the scripted server.
const ITERATIONS: u32 = 10_000;

/// The scripted servers: what each offers.
const SCRIPTED: [(&str, Who); 6] = [
    ("SCRAM-SHA-1", Who::Password),
    ("SCRAM-SHA-256", Who::Password),
    ("SCRAM-SHA-512", Who::Password),
    ("PLAIN", Who::Plain),
    ("EXTERNAL", Who::External),
    ("ANONYMOUS", Who::Nobody),
];

/// The scripted servers with SASL2 (XEP-0388): what each offers, and in what order it is logged in to.
const SCRIPTED_SASL2: [(&str, Who, Plan); 7] = [
    ("SCRAM-SHA-1", Who::Password, Plan::Sessions),
    ("SCRAM-SHA-256", Who::Password, Plan::Sessions),
    ("PLAIN", Who::Plain, Plan::Sessions),
    ("EXTERNAL", Who::External, Plan::Sessions),
    ("OAUTHBEARER", Who::Token, Plan::Sessions),
    ("ANONYMOUS", Who::Nobody, Plan::Logins),
    ("SCRAM-SHA-256", Who::Keeper, Plan::Tokens),
];

/// The hosts of `tests/e2e/logins.cfg.lua`, by what they offer.
const PROSODY: [(&str, Who); 4] = [
    ("localhost", Who::Password),
    ("sha256.prosody.example", Who::Password),
    ("plain.prosody.example", Who::Plain),
    ("anonymous.prosody.example", Who::Nobody),
];
/// And those of them with SASL2.
const PROSODY_SASL2: [(&str, Who, Plan); 6] = [
    ("tokenless.sasl2.prosody.example", Who::Password, Plan::Sessions),
    ("tokenless.plain.sasl2.prosody.example", Who::Plain, Plan::Sessions),
    ("cookie.sasl2.prosody.example", Who::External, Plan::Logins),
    (WITH_TOKENS, Who::Token, Plan::Logins),
    ("anonymous.sasl2.prosody.example", Who::Nobody, Plan::Logins),
    (WITH_TOKENS, Who::Keeper, Plan::Tokens),
];
const WITH_TOKENS: &str = "sasl2.prosody.example";
const PROSODY_PATH: &str = "/xmpp-websocket";

/// The hosts of `tests/e2e/ejabberd.yml`.
const EJABBERD: [(&str, Who); 5] = [
    ("sha1.ejabberd.example", Who::Password),
    ("sha256.ejabberd.example", Who::Password),
    ("sha512.ejabberd.example", Who::Password),
    ("plain.ejabberd.example", Who::Plain),
    ("anonymous.ejabberd.example", Who::Nobody),
];

/// Who logs in, and by what.
#[derive(Clone, Copy)]
enum Who {
    Password,
    /// Who allows PLAIN.
    Plain,
    External,
    /// Who has a token of OAuth 2.0.
    Token,
    /// Who lets the token for the next login be kept.
    Keeper,
    Nobody,
}

/// Which logins follow one another: `PLANS` of `roundtrips.mjs`.
#[derive(Clone, Copy)]
enum Plan {
    Logins,
    Sessions,
    Tokens,
}

impl Plan {
    fn name(self) -> &'static str {
        match self {
            Self::Logins => "logins",
            Self::Sessions => "sessions",
            Self::Tokens => "tokens",
        }
    }
}

impl Who {
    fn options(self, host: &str) -> Value {
        let alice = format!("alice@{host}");
        match self {
            Self::Password => json!({ "jid": alice, "password": "secret" }),
            Self::Plain => json!({ "jid": alice, "password": "secret", "allowPlain": true }),
            Self::External => json!({ "jid": alice, "credentials": { "external": true } }),
            Self::Token => json!({ "jid": alice, "credentials": { "token": "a-token" } }),
            Self::Keeper => json!({ "jid": alice, "password": "secret", "keepToken": true }),
            Self::Nobody => json!({ "jid": host, "credentials": { "anonymous": true } }),
        }
    }
}

/// A server, as a client reaches it.
struct Target {
    name: &'static str,
    options: Value,
    plan: Plan,
    hand: Withholding,
}

impl Target {
    /// `path` is that of the WebSocket.
    fn new(name: &'static str, server: SocketAddr, path: &str, options: Value, plan: Plan) -> Result<Self> {
        let hand = relay::withhold(server)?;
        let options = reached_at(options, hand.address, path);
        Ok(Self {
            name,
            options,
            plan,
            hand,
        })
    }
}

/// The options with that endpoint in them. A connection that is lost is to be followed by another one soon.
fn reached_at(mut options: Value, address: SocketAddr, path: &str) -> Value {
    if let Some(options) = options.as_object_mut() {
        let url = format!("ws://localhost:{}{path}", address.port());
        options.insert("url".to_owned(), url.into());
        options.insert("reconnect".to_owned(), json!({ "minDelay": 50, "maxDelay": 200 }));
    }
    options
}

/// `cargo xtask roundtrips`.
pub(crate) fn roundtrips(root: &Path, plant: bool) -> Result<Tally> {
    let tools = setup::ensure(root, Need::LOGINS)?;
    if plant {
        return planted(root, &tools);
    }
    let package = build::build(root, &tools)?;
    check(root, &tools, &package)
}

/// The counts alone, on a package that is built.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let (_servers, mut targets) = scripted()?;
    let (prosody, ejabberd) = logins::start(root, package, &Authority::make()?)?;
    let of_prosody = SocketAddr::from((Ipv4Addr::LOCALHOST, prosody.http()));
    let of_ejabberd = SocketAddr::from((Ipv4Addr::LOCALHOST, ejabberd.http));
    for (host, who) in PROSODY {
        let options = who.options(host);
        targets.push(Target::new("Prosody", of_prosody, PROSODY_PATH, options, Plan::Logins)?);
    }
    for (host, who) in EJABBERD {
        let options = who.options(host);
        targets.push(Target::new("ejabberd", of_ejabberd, "/ws", options, Plan::Logins)?);
    }
    let wire = relay::delay(of_prosody, Duration::from_millis(ROUND_TRIP / 2))?;
    let slow = |name, trips, options| {
        let options = reached_at(options, wire, PROSODY_PATH);
        json!({ "name": name, "trips": trips, "options": options, "roundTrip": ROUND_TRIP, "runs": RUNS })
    };
    let mut slow_wires = vec![slow("by SCRAM", 2, Who::Password.options("localhost"))];
    let mut skipped = Tally::default();
    let version = prosody::version();
    if prosody::has_sasl2(version.as_deref()) {
        for (host, who, plan) in PROSODY_SASL2 {
            let mut options = who.options(host);
            if let Who::Token = who {
                let account = json!({ "user": "alice", "host": host });
                let token = server::post(prosody.http(), "/fixtures/token", &account)?;
                options = json!({ "jid": format!("alice@{host}"), "credentials": { "token": token } });
            }
            targets.push(Target::new("Prosody", of_prosody, PROSODY_PATH, options, plan)?);
        }
        slow_wires.push(slow("by a token", 1, Who::Keeper.options(WITH_TOKENS)));
    } else {
        for (host, ..) in PROSODY_SASL2 {
            println!(
                "skipped - {host}: Prosody {} has no SASL2",
                version.as_deref().unwrap_or_default()
            );
            skipped.add(Tally::SKIPPED);
        }
    }
    let lines = measure(root, tools, package, &targets, &slow_wires)?;
    let mut tally = table(&lines)?;
    tally.add(skipped);
    for timed in lines.iter().filter(|line| line.get("login").is_some()) {
        println!("\n{}", timing(timed)?);
    }
    Ok(tally)
}

/// Whether more round trips than allowed would be seen: each fault of `faults.toml` that makes a login wait is built into a
/// package of its own, and must take one too many.
fn planted(root: &Path, tools: &Tools) -> Result<Tally> {
    let tree = root.join("target/faults/tree");
    let mut tally = Tally::default();
    for fault in faults::list(root)?.iter().filter(|fault| fault.waits) {
        faults::copy(root, &tree)?;
        // What has been compiled for the package serves again.
        let compiled = root.join("target/package");
        std::fs::create_dir_all(&compiled)?;
        std::fs::create_dir_all(tree.join("target"))?;
        symlink(&compiled, tree.join("target/package")).context("cannot link target/package")?;
        fault.write(&tree)?;
        let package = build::build(&tree, tools)?;
        let (_servers, targets) = scripted()?;
        let lines = measure(root, tools, &package, &targets, &[])?;
        let counted = table(&lines)?;
        let seen = counted.failed > 0;
        println!(
            "\n{} - {}: seen by its round trips",
            if seen { "ok" } else { "not ok" },
            fault.name()
        );
        tally.add(if seen { Tally::ONE } else { Tally::FAILED });
    }
    if tally == Tally::default() {
        bail!("faults.toml has no fault that makes a login wait");
    }
    Ok(tally)
}

/// A scripted server for each mechanism, and how to reach it.
fn scripted() -> Result<(Vec<Scripted>, Vec<Target>)> {
    let (mut servers, mut targets) = (Vec::new(), Vec::new());
    for (mechanism, who) in SCRIPTED {
        let server = Scripted::start(Offer::new("example.org", &[mechanism], "secret", ITERATIONS))?;
        targets.push(Target::new(
            "scripted",
            server.address(),
            "/",
            who.options("example.org"),
            Plan::Logins,
        )?);
        servers.push(server);
    }
    for (mechanism, who, plan) in SCRIPTED_SASL2 {
        let mut offer = Offer::new("example.org", &[mechanism], "secret", ITERATIONS);
        offer.along = Some(Along::new(true, matches!(plan, Plan::Tokens)));
        let server = Scripted::start(offer)?;
        let options = who.options("example.org");
        targets.push(Target::new("scripted", server.address(), "/", options, plan)?);
        servers.push(server);
    }
    Ok((servers, targets))
}

/// What the browser says of each.
fn measure(root: &Path, tools: &Tools, package: &Path, targets: &[Target], slow: &[Value]) -> Result<Vec<Value>> {
    let page = empty_page(package)?;
    let target = |target: &Target| {
        let (name, options, control) = (target.name, &target.options, &target.hand.control);
        json!({ "name": name, "options": options, "control": control, "plan": target.plan.name(), "cookie": "of-alice" })
    };
    let list: Vec<Value> = targets.iter().map(target).collect();
    let mut script = browser_script(root, tools, "tests/e2e/roundtrips.mjs")?;
    script
        .env("STANZAWIRE_URL", empty(&page))
        .env("STANZAWIRE_TARGETS", serde_json::to_string(&list)?)
        .env("STANZAWIRE_SLOW", serde_json::to_string(slow)?);
    lines(&process::output(&mut script)?)
}

/// A page that does nothing, with the package beside it.
pub(crate) fn empty_page(package: &Path) -> Result<Serving> {
    let empty = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>empty</title>";
    Site::default()
        .folder("/pkg/", package)
        .document("/empty.html", empty.to_owned())
        .start(0)
}

/// Its address.
pub(crate) fn empty(page: &Serving) -> String {
    page.url().to_owned() + "empty.html"
}

/// What a script printed, a line of JSON each.
pub(crate) fn lines(printed: &str) -> Result<Vec<Value>> {
    let line = |line: &str| serde_json::from_str(line).with_context(|| format!("this is no JSON: {line}"));
    printed.lines().map(line).collect()
}

/// What a mechanism may take, at a server that was never met and at one that was.
fn allowed(server: &str, mechanism: &str, sasl2: bool) -> [u64; 2] {
    match mechanism {
        _ if sasl2 && mechanism.starts_with("SCRAM-") => [3, 2],
        _ if sasl2 => [2, 1],
        // Before its first answer nobody knows whether the way to it is long enough for that haste.
        "EXTERNAL" | "ANONYMOUS" if server == "Prosody" => [3, 2],
        // A password or a token in clear isn't sent before the server has asked for it.
        "PLAIN" | "OAUTHBEARER" => [3, 3],
        "EXTERNAL" | "ANONYMOUS" => [3, 1],
        _ => [4, 2],
    }
}

/// Prints the counts, each with what the client said in each of its turns.
fn table(lines: &[Value]) -> Result<Tally> {
    let mut tally = Tally::default();
    println!(
        "\n{:<10} {:<16} {:<6} {:<6} {:<8} {:>5}",
        "server", "mechanism", "by", "server", "session", "trips"
    );
    for line in lines {
        let name = text(line, "/name")?;
        for login in line.get("logins").and_then(Value::as_array).into_iter().flatten() {
            let (mechanism, kind) = (text(login, "/mechanism")?, text(login, "/kind")?);
            let said = |at: &str| login.pointer(at).and_then(Value::as_bool).unwrap_or_default();
            let (sasl2, resumed) = (said("/sasl2"), said("/resumed"));
            let (trips, flights) = (number(login, "/trips")?, flights(login, "/flights"));
            let profile = if sasl2 { "SASL2" } else { "SASL" };
            let session = if resumed { "resumed" } else { "new" };
            println!("{name:<10} {mechanism:<16} {profile:<6} {kind:<6} {session:<8} {trips:>5}    {flights}");
            ensure!(trips > 0, "{name}, {mechanism}: online without a word");
            let [first, known] = allowed(name, mechanism, sasl2);
            let allowed = if kind == "first" { first } else { known };
            if trips > allowed {
                println!(
                    "not ok - {name}, {mechanism} by {profile}, {kind}, {session}: {trips} round trips, not {allowed}"
                );
                tally.add(Tally::FAILED);
            } else {
                tally.add(Tally::ONE);
            }
        }
    }
    Ok(tally)
}

/// `open auth | response open iq`: a turn of the client's between the bars.
fn flights(line: &Value, at: &str) -> String {
    let names = |flight: &Value| {
        let names = flight.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.collect::<Vec<_>>().join(" ")
    };
    let flights = line.pointer(at).and_then(Value::as_array).into_iter().flatten();
    flights.map(names).collect::<Vec<_>>().join(" | ")
}

fn timing(timed: &Value) -> Result<String> {
    let ms = |at: &str| timed.pointer(at).and_then(Value::as_f64).context("a time is missing");
    let (login, socket) = (ms("/login")?, ms("/socket")?);
    let (name, trips) = (text(timed, "/name")?, number(timed, "/trips")?);
    let wire = trips * ROUND_TRIP;
    let ideal = wire as f64 + socket;
    let over = (login / ideal - 1.0) * 100.0;
    let verdict = if over <= CLAIM { "within" } else { "not within" };
    Ok(format!(
        "Prosody, {ROUND_TRIP} ms away, known, {name}: online after {login:.0} ms (median of {RUNS}; {:.0} to {:.0}).\n\
         Round trips: {trips} ({wire} ms). With the WebSocket's own ({socket:.0} ms) that is {ideal:.0} ms: {over:+.1} %, \
         {verdict} the {CLAIM:.0} % that are claimed.",
        ms("/fastest")?,
        ms("/slowest")?
    ))
}

fn text<'a>(line: &'a Value, at: &str) -> Result<&'a str> {
    let value = line.pointer(at).and_then(Value::as_str);
    value.with_context(|| format!("{at} is missing in {line}"))
}

fn number(line: &Value, at: &str) -> Result<u64> {
    let value = line.pointer(at).and_then(Value::as_u64);
    value.with_context(|| format!("{at} is missing in {line}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(mechanism: &str, sasl2: bool, first: u64, known: u64) -> Value {
        let login = |kind, trips| {
            let flights = [["open", "auth"].as_slice(), &["response"]];
            json!({ "mechanism": mechanism, "sasl2": sasl2, "kind": kind, "resumed": false, "trips": trips, "flights": flights })
        };
        json!({ "name": "a", "logins": [login("first", first), login("known", known)] })
    }

    #[test]
    fn more_than_allowed_fails() {
        let scram = |first, known| line("SCRAM-SHA-256", false, first, known);
        assert_eq!(table(&[scram(4, 2), scram(3, 1)]).unwrap().failed, 0);
        assert_eq!(table(&[scram(5, 2), scram(4, 3)]).unwrap().failed, 2);
        assert!(table(&[scram(0, 2)]).is_err());
        assert_eq!(flights(&scram(1, 1), "/logins/0/flights"), "open auth | response");
    }

    #[test]
    fn sasl2_is_allowed_less() {
        assert_eq!(
            table(&[line("SCRAM-SHA-1", true, 3, 2), line("PLAIN", true, 2, 1)])
                .unwrap()
                .failed,
            0
        );
        assert_eq!(
            table(&[line("SCRAM-SHA-1", true, 4, 3), line("PLAIN", true, 3, 2)])
                .unwrap()
                .failed,
            4
        );
        assert_eq!(table(&[line("HT-SHA-256-NONE", true, 3, 2)]).unwrap().failed, 2);
    }

    #[test]
    fn the_time_is_held_against_the_round_trips() {
        let timed = |login, trips| {
            json!({
                "name": "by a token", "trips": trips, "login": login, "socket": 100.0, "fastest": 1.0, "slowest": 2.0
            })
        };
        assert!(timing(&timed(306.0, 2)).unwrap().contains("+2.0 %, within"));
        assert!(timing(&timed(360.0, 2)).unwrap().contains("+20.0 %, not within"));
        assert!(timing(&timed(230.0, 1)).unwrap().contains("+15.0 %, not within"));
    }
}
