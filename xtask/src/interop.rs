//! What the features are with other people's software: each with Prosody and ejabberd, and slixmpp at the other end, in headless
//! Chromium.
//!
//! `tests/e2e/interop.mjs` runs the rows. Here the servers are started, filled with accounts and contacts, and what came of each
//! row becomes the table of `src/manual/interop.md`: passed, or not supported by the server, as it says itself. A row that
//! fails has no place there. Beside it three numbers are printed, which fail nothing: how long a page's main thread is kept
//! while a long archive is read, by a login with a great many contacts, and by a room with a crowd in it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::demo::browser_script;
use crate::prosody;
use crate::roundtrips::{empty, empty_page};
use crate::server::{self, Server};
use crate::setup::{self, Need};
use crate::tally::Tally;
use crate::tools::Tools;
use crate::{build, ejabberd, ports, process};

/// Where the table is, from the root of the checkout.
const PAGE: &str = "src/manual/interop.md";
/// How often a start is tried when somebody else takes a port first.
const TRIES: usize = 3;
/// How many messages the long archive has.
const MESSAGES: u32 = 2000;
/// And how many contacts there are.
const CONTACTS: u32 = 5000;
/// And how many are in a room.
const OCCUPANTS: u32 = 500;
/// And in the check: it takes Prosody minutes to let 500 in, each of whom is told to all the others.
const FEW: u32 = 50;
/// How long the main thread may be kept at once, in milliseconds.
const BOUND: f64 = 50.0;

/// The accounts of `localhost`, and whom each has in its roster.
const ACCOUNTS: [(&str, &[&str]); 19] = [
    // Who is at the page, and whom they know: a pair for each group of rows.
    ("alice", &["bob", "erin"]),
    ("bob", &["alice"]),
    ("erin", &["alice"]),
    ("anna", &["ben"]),
    ("ben", &["anna"]),
    ("ada", &["bert"]),
    ("bert", &["ada"]),
    ("amy", &["boris"]),
    ("boris", &["amy"]),
    ("rosa", &["rick"]),
    ("rick", &["rosa"]),
    ("olga", &["otto"]),
    ("otto", &["olga"]),
    // Whom nobody knows.
    ("carl", &[]),
    ("dora", &[]),
    ("ruth", &[]),
    // Who has a long archive, and who writes it.
    ("reader", &["writer"]),
    ("writer", &["reader"]),
    CROWD,
];
/// Who knows very many.
const CROWD: (&str, &[&str]) = ("crowd", &[]);
/// The host with vCards of the old kind alone, and who is there.
const OLD_HOST: (&str, &str) = ("vcards.localhost", "fred");
const PASSWORD: &str = "secret";

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prosody,
    Ejabberd,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Prosody => "Prosody",
            Self::Ejabberd => "ejabberd",
        }
    }

    /// What the table calls it: the name, and what of the version tells one that can do more from one that can do less.
    fn shown(self) -> String {
        let (version, parts) = match self {
            Self::Prosody => (prosody::version(), 1),
            Self::Ejabberd => (ejabberd::version(), 2),
        };
        let version = version.unwrap_or_else(|| "unknown".to_owned());
        let numbers: Vec<&str> = version.split(['.', '-', '~']).take(parts).collect();
        format!("{} {}", self.name(), numbers.join("."))
    }
}

/// What is asked for.
#[derive(Debug)]
struct Ask {
    servers: Vec<Kind>,
    /// A part of the rows' names.
    only: Option<String>,
    /// How many are in the room that is entered.
    occupants: u32,
}

impl Ask {
    fn all() -> Self {
        Self {
            servers: vec![Kind::Prosody, Kind::Ejabberd],
            only: None,
            occupants: OCCUPANTS,
        }
    }

    fn read(arguments: &[String]) -> Result<Self> {
        let mut ask = Self::all();
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().with_context(|| format!("{flag} wants a value"))?;
            match flag.as_str() {
                "--server" => {
                    ask.servers.retain(|kind| kind.name().eq_ignore_ascii_case(value));
                    if ask.servers.is_empty() {
                        bail!("--server is prosody or ejabberd");
                    }
                }
                "--only" => ask.only = Some(value.clone()),
                _ => bail!("{flag} means nothing here; see `cargo xtask help`"),
            }
        }
        Ok(ask)
    }

    /// Whether what comes of it is the whole table.
    fn is_whole(&self) -> bool {
        self.only.is_none() && self.servers.len() == 2
    }
}

/// `cargo xtask interop`: runs the rows, and writes the table where all of them ran and none has failed.
pub(crate) fn interop(root: &Path, arguments: &[String]) -> Result<Tally> {
    let ask = Ask::read(arguments)?;
    let tools = setup::ensure(root, Need::TORTURE)?;
    let package = build::build(root, &tools)?;
    let (tally, rows) = run(root, &tools, &package, &ask)?;
    if ask.is_whole() && !rows.iter().any(|row| row.result == "failed") {
        fs::write(root.join(PAGE), page(&rows)).with_context(|| format!("cannot write {PAGE}"))?;
        eprintln!("interop: {PAGE} is written");
    }
    Ok(tally)
}

/// Its part of the check, on a package that is built: the rows, and whether the manual's table is of what was seen.
pub(crate) fn check(root: &Path, tools: &Tools, package: &Path) -> Result<Tally> {
    let (mut tally, rows) = run(
        root,
        tools,
        package,
        &Ask {
            occupants: FEW,
            ..Ask::all()
        },
    )?;
    let committed = fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let seen = page(&rows);
    let head = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("| feature"))
            .map(str::to_owned)
    };
    let what = format!("{PAGE} says what was seen");
    if committed == seen {
        println!("ok - {what}");
        tally.add(Tally::ONE);
    } else if head(&committed) == head(&seen) {
        println!("not ok - {what}: `cargo xtask interop` writes it");
        tally.add(Tally::FAILED);
    } else {
        println!("skipped - {what}: it is of other versions of the servers");
        tally.add(Tally::SKIPPED);
    }
    Ok(tally)
}

/// What came of a row at one server.
#[derive(Debug)]
struct Row {
    server: String,
    feature: String,
    xep: String,
    result: String,
    why: String,
}

fn run(root: &Path, tools: &Tools, package: &Path, ask: &Ask) -> Result<(Tally, Vec<Row>)> {
    let running = start(root, &ask.servers)?;
    let page = empty_page(package)?;
    let folder = root.join("target/interop");
    fs::create_dir_all(&folder)?;
    let result = folder.join("result.json");
    let _ = fs::remove_file(&result);
    let python = setup::python().context("no Python with slixmpp: run `cargo xtask setup`")?;
    let servers: Vec<_> = running
        .iter()
        .map(|(kind, running)| {
            let path = match kind {
                Kind::Prosody => "xmpp-websocket",
                Kind::Ejabberd => "ws",
            };
            json!({
                "name": kind.name(), "url": format!("ws://localhost:{}/{path}", running.http), "c2s": running.c2s,
                "component": running.component, "pubsub": "pubsub.localhost", "rooms": "rooms.localhost", "python": python,
            })
        })
        .collect();
    let config = json!({
        "servers": servers, "python": python, "only": ask.only, "result": result,
        "messages": MESSAGES, "contacts": CONTACTS, "occupants": ask.occupants, "bound": BOUND,
    });
    let mut script = browser_script(root, tools, "tests/e2e/interop.mjs")?;
    script
        .env("STANZAWIRE_URL", empty(&page))
        .env("STANZAWIRE_INTEROP", config.to_string());
    let tally = Tally::of_script(&mut script)?;
    if tally.failed > 0 {
        for (kind, running) in &running {
            fs::write(
                folder.join(format!("{}.log", kind.name().to_lowercase())),
                running.server.log(),
            )?;
        }
        eprintln!("interop: the servers' logs are in {}", folder.display());
    }
    let text = fs::read_to_string(&result).context("the script has left no result")?;
    Ok((tally, rows(&serde_json::from_str(&text)?)))
}

fn rows(value: &Value) -> Vec<Row> {
    let rows = value.as_array().into_iter().flatten();
    rows.map(|row| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Row {
            server: text("server"),
            feature: text("feature"),
            xep: text("xep"),
            result: text("result"),
            why: text("why"),
        }
    })
    .collect()
}

/// A server that takes connections, and has the accounts.
struct Running {
    server: Server,
    /// Of http: and ws:.
    http: u16,
    /// Of XMPP over TCP.
    c2s: u16,
    /// For components (XEP-0114).
    component: u16,
}

/// All start at once; each is waited for.
fn start(root: &Path, kinds: &[Kind]) -> Result<Vec<(Kind, Running)>> {
    'again: for _ in 0..TRIES {
        process::check_interrupt()?;
        let mut all = Vec::new();
        for kind in kinds {
            let [http, c2s, component] = ports::several()?;
            let mut values = vec![
                ("HTTP_PORT", http.to_string()),
                ("C2S_PORT", c2s.to_string()),
                ("COMPONENT_PORT", component.to_string()),
            ];
            let server = match kind {
                Kind::Prosody => {
                    values.push(("ACCOUNTS", prosody_accounts()));
                    prosody::spawn(root, "tests/e2e/interop/prosody.cfg.lua", &values)?
                }
                Kind::Ejabberd => {
                    let captcha = server::path(&root.join("tests/e2e/interop/captcha.sh"))?;
                    values.push(("CAPTCHA", captcha));
                    ejabberd::spawn(root, "tests/e2e/interop/ejabberd.yml", &values)?
                }
            };
            let running = Running {
                server,
                http,
                c2s,
                component,
            };
            all.push((*kind, running));
        }
        for (kind, running) in &mut all {
            let ports = [running.http, running.c2s, running.component];
            let ready = match kind {
                Kind::Prosody => running.server.wait_until_ready(prosody::start)?,
                Kind::Ejabberd => running.server.wait_until_ready(|log| ejabberd::start(log, &ports))?,
            };
            if !ready {
                continue 'again;
            }
            if *kind == Kind::Ejabberd {
                fill_ejabberd(root, running.http)?;
            }
        }
        return Ok(all);
    }
    bail!("the servers found no free ports")
}

/// What the module `fixtures` is told.
fn prosody_accounts() -> String {
    let account = |(user, friends): &(&str, &[&str])| {
        let friends: Vec<_> = friends.iter().map(|friend| format!("'{friend}'")).collect();
        let contacts = if *user == CROWD.0 { CONTACTS } else { 0 };
        format!(
            "{user} = {{ name = '{}', password = '{PASSWORD}', friends = {{ {} }}, contacts = {contacts} }}",
            name(user),
            friends.join(", ")
        )
    };
    ACCOUNTS.iter().map(account).collect::<Vec<_>>().join(", ")
}

/// The same by what ejabberd has for it.
fn fill_ejabberd(root: &Path, port: u16) -> Result<()> {
    let everybody = ACCOUNTS.iter().map(|(user, _)| (*user, "localhost"));
    for (user, host) in everybody.chain([(OLD_HOST.1, OLD_HOST.0)]) {
        let account = json!({ "user": user, "host": host, "password": PASSWORD });
        server::post(port, "/api/register", &account)?;
    }
    for (user, friends) in ACCOUNTS {
        for friend in friends {
            let item = json!({
                "localuser": user, "localhost": "localhost", "user": friend, "host": "localhost",
                "nick": name(friend), "groups": ["Friends"], "subs": "both",
            });
            server::post(port, "/api/add_rosteritem", &item)?;
        }
    }
    // They are subscribed to, both ways: at a host that is none of its own it would look for them.
    let contact = |number| {
        let group = number % 20;
        format!("{{\"contact-{number}\", \"vcards.localhost\", \"Group {group}\", \"Contact {number}\"}}")
    };
    let contacts: Vec<_> = (1..=CONTACTS).map(contact).collect();
    let file = tempfile::NamedTempFile::new_in(root.join("target"))?;
    fs::write(file.path(), format!("[{}].\n", contacts.join(",\n")))?;
    let roster = json!({ "file": server::path(file.path())?, "user": CROWD.0, "host": "localhost" });
    server::post(port, "/api/push_roster", &roster)?;
    Ok(())
}

/// `bob` is Bob.
fn name(user: &str) -> String {
    let mut letters = user.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The manual's page.
fn page(rows: &[Row]) -> String {
    let kinds = [Kind::Prosody, Kind::Ejabberd];
    let mut text = HEAD.to_owned();
    let _ = writeln!(
        text,
        "| feature | specification | {} | {} |",
        kinds[0].shown(),
        kinds[1].shown()
    );
    text.push_str("|---|---|---|---|\n");
    let mut notes: Vec<(Kind, &str)> = Vec::new();
    for first in rows.iter().filter(|row| row.server == Kind::Prosody.name()) {
        let _ = write!(text, "| {} | {} |", first.feature, first.xep);
        for kind in kinds {
            let same = |row: &&Row| row.server == kind.name() && row.feature == first.feature && row.xep == first.xep;
            let cell = match rows.iter().find(same) {
                Some(row) if row.result == "unsupported" => {
                    let note = (kind, row.why.as_str());
                    let place = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
                        notes.push(note);
                        notes.len() - 1
                    });
                    format!("unsupported ({})", place + 1)
                }
                Some(row) => row.result.clone(),
                None => "not run".to_owned(),
            };
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    for (at, (kind, why)) in notes.iter().enumerate() {
        let _ = write!(text, "\n({}) {}: {why}.\n", at + 1, kind.shown());
    }
    text
}

const HEAD: &str = "\
Which feature works with which server, as seen.

`cargo xtask interop` runs each row from end to end: this package in headless Chromium, a real server, and slixmpp as the other
person, or as another client of the same account. A row passes where both sides have seen what they should, on the
wire and in the values that an app is given. It is unsupported where the server itself says so: the feature isn't among those
that it lists (XEP-0030), and the row doesn't count. Whatever else doesn't pass is a failure, and fails `cargo xtask test`, as
does a table that isn't what was seen.

";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(server: Kind, feature: &str, result: &str, why: &str) -> Row {
        Row {
            server: server.name().to_owned(),
            feature: feature.to_owned(),
            xep: "XEP-0001".to_owned(),
            result: result.to_owned(),
            why: why.to_owned(),
        }
    }

    #[test]
    fn what_is_unsupported_is_explained_once() {
        let rows = [
            row(Kind::Prosody, "a", "passed", ""),
            row(Kind::Prosody, "b", "passed", ""),
            row(Kind::Ejabberd, "b", "unsupported", "no `x`"),
            row(Kind::Ejabberd, "a", "unsupported", "no `x`"),
        ];
        let text = page(&rows);
        assert!(
            text.contains(
                "\n| a | XEP-0001 | passed | unsupported (1) |\n| b | XEP-0001 | passed | unsupported (1) |\n"
            )
        );
        assert_eq!(text.matches(": no `x`.").count(), 1);
    }

    #[test]
    fn accounts_are_filled_in() {
        let text = prosody_accounts();
        assert!(text.contains("bob = { name = 'Bob', password = 'secret', friends = { 'alice' }, contacts = 0 }"));
        assert!(text.contains("friends = {  }, contacts = 5000 }"));
    }

    #[test]
    fn a_part_of_it_is_no_table() {
        assert!(Ask::read(&[]).unwrap().is_whole());
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert!(!Ask::read(&words(&["--server", "ejabberd"])).unwrap().is_whole());
        assert!(!Ask::read(&words(&["--only", "roster"])).unwrap().is_whole());
        assert!(Ask::read(&words(&["--server", "other"])).is_err());
    }
}
