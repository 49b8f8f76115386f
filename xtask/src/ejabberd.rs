//! The other XMPP server of the login tests: ejabberd with `tests/e2e/ejabberd.yml`, data in a temporary folder, on ports of
//! loopback.
//!
//! It is started by Erlang's own program. `ejabberdctl` wants to be another user, leaves a port mapper behind that listens on
//! all interfaces, and puts a shell between us and the server; the tests need none of what it is for.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::certificates::Authority;
use crate::ports;
use crate::process::{self, Group};
use crate::server::{self, Server, Start};

const CONFIG: &str = "ejabberd.yml";
/// Hosts and users that are given accounts.
const HOSTS: [&str; 7] = [
    "localhost",
    "ejabberd.example",
    "sha1.ejabberd.example",
    "sha256.ejabberd.example",
    "sha512.ejabberd.example",
    "plain.ejabberd.example",
    "both.example",
];
const USERS: [&str; 2] = ["alice", "bob"];

/// A running ejabberd. Dropping it stops the server, then removes its data.
#[derive(Debug)]
pub(crate) struct Ejabberd {
    server: Server,
    /// Of http: and ws:.
    pub(crate) http: u16,
    /// Of https: and wss:.
    pub(crate) https: u16,
    /// Of XMPP over TCP.
    pub(crate) c2s: u16,
}

impl Ejabberd {
    /// Starts the server, and doesn't wait for it.
    pub(crate) fn spawn(root: &Path, authority: &Authority) -> Result<Self> {
        let [http, https, c2s] = ports::several()?;
        let values = [
            ("HTTP_PORT", http.to_string()),
            ("HTTPS_PORT", https.to_string()),
            ("C2S_PORT", c2s.to_string()),
            ("CERTIFICATE", server::path(&authority.bundle())?),
            ("AUTHORITY", server::path(&authority.root())?),
        ];
        let server = spawn(root, "tests/e2e/ejabberd.yml", &values)?;
        Ok(Self {
            server,
            http,
            https,
            c2s,
        })
    }

    /// Waits until it answers, and makes the accounts; false where a port was taken in the meantime.
    pub(crate) fn wait_until_ready(&mut self) -> Result<bool> {
        let ports = [self.http, self.https, self.c2s];
        if !self.server.wait_until_ready(|log| start(log, &ports))? {
            return Ok(false);
        }
        server::check_host_meta("ejabberd", self.http, &format!("ws://localhost:{}/ws", self.http))?;
        for host in HOSTS {
            for user in USERS {
                let account = serde_json::json!({ "user": user, "host": host, "password": "secret" });
                server::post(self.http, "/api/register", &account)?;
            }
        }
        Ok(true)
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }
}

/// Starts ejabberd with a configuration. It is told the values, and where its data is.
pub(crate) fn spawn(root: &Path, template: &str, values: &[(&str, String)]) -> Result<Server> {
    let data = tempfile::Builder::new().prefix("stanzawire-ejabberd-").tempdir()?;
    let mut values = values.to_vec();
    values.push(("DATA", server::path(data.path())?));
    let filled = server::fill(&root.join(template), "#", &values)?;
    fs::write(data.path().join(CONFIG), filled)?;
    let process = launch(data.path())?;
    Ok(Server::new("ejabberd", process, data, &["console.log"]))
}

/// Starts ejabberd on a folder that has been made for it.
pub(crate) fn launch(data: &Path) -> Result<Group> {
    let console = fs::File::create(data.join("console.log"))?;
    let errors = console.try_clone()?;
    let program = process::find("erl").context("erl isn't on PATH: run `cargo xtask setup`")?;
    let libraries = libraries().context("ejabberd isn't installed: run `cargo xtask setup`")?;
    // An Erlang term: a string in quotes.
    let spool = OsString::from(format!("\"{}\"", server::path(&data.join("spool"))?));
    let args = [
        // Without a name it is no node of anything, and opens no port beside those of its configuration.
        OsStr::new("-noinput"),
        OsStr::new("-mnesia"),
        OsStr::new("dir"),
        &spool,
        OsStr::new("-s"),
        OsStr::new("ejabberd"),
    ];
    Group::spawn_server(&program, &args, |command| {
        command.current_dir(data).stdout(console).stderr(errors);
        command
            .env("ERL_LIBS", libraries)
            // What it writes beside that goes into its home.
            .env("HOME", data)
            .env("EJABBERD_CONFIG_PATH", data.join(CONFIG))
            .env("EJABBERD_LOG_PATH", data.join("ejabberd.log"));
    })
}

/// What the log says of the start: each listener has its line.
pub(crate) fn start(log: &str, ports: &[u16]) -> Start {
    let says = |what: &str, port: u16| {
        log.lines()
            .any(|line| line.contains(what) && line.contains(&format!(" 127.0.0.1:{port} ")))
    };
    if ports.iter().any(|port| says("Failed to open socket", *port)) {
        Start::PortTaken
    } else if ports.iter().all(|port| says("Start accepting", *port)) {
        Start::Ready
    } else {
        Start::UnderWay
    }
}

/// Whether ejabberd is installed.
pub(crate) fn is_installed() -> bool {
    process::find("erl").is_some() && libraries().is_some()
}

/// Whether it can keep its data in SQLite. Erlang looks for libraries beside its own, too.
pub(crate) fn has_sqlite() -> bool {
    let own = Path::new("/usr/lib/erlang/lib").to_owned();
    let folders = libraries()
        .into_iter()
        .chain([own])
        .filter_map(|folder| fs::read_dir(folder).ok());
    folders
        .flatten()
        .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
        .any(|name| name.starts_with("p1_sqlite3-") || name.starts_with("sqlite3-"))
}

/// The version of the ejabberd installed.
pub(crate) fn version() -> Option<String> {
    let folders = fs::read_dir(libraries()?).ok()?;
    let mut versions: Vec<_> = folders
        .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_prefix("ejabberd-")?.to_owned()))
        .collect();
    versions.sort();
    versions.into_iter().next()
}

/// The folder that Erlang has to look in for ejabberd: its own script says it.
fn libraries() -> Option<PathBuf> {
    // Where it isn't on the PATH of one who isn't root.
    let script = process::find("ejabberdctl").unwrap_or_else(|| "/usr/sbin/ejabberdctl".into());
    let folder = named_libraries(&fs::read_to_string(script).ok()?)?;
    folder.is_dir().then_some(folder)
}

fn named_libraries(script: &str) -> Option<PathBuf> {
    let line = script.lines().find_map(|line| line.trim().strip_prefix("ERL_LIBS="))?;
    Some(PathBuf::from(line.trim_matches(['\'', '"'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_how_far_it_is() {
        let one = "t [info] Start accepting TCP connections at 127.0.0.1:1 for ejabberd_c2s\n";
        let two = "t [info] Start accepting TCP connections at 127.0.0.1:2 for ejabberd_http\n";
        let three = "t [info] Start accepting TLS connections at 127.0.0.1:3 for ejabberd_http\n";
        let taken = "t [error] Failed to open socket at 127.0.0.1:3 for ejabberd_http: address already in use\n";
        assert_eq!(start(&format!("{one}{two}"), &[1, 2, 3]), Start::UnderWay);
        assert_eq!(start(&format!("{one}{two}{three}"), &[1, 2, 3]), Start::Ready);
        assert_eq!(start(&format!("{one}{two}{taken}"), &[1, 2, 3]), Start::PortTaken);
    }

    #[test]
    fn the_script_names_the_libraries() {
        let script = "ERL_OPTS=''\nERL_LIBS='/usr/lib/x86_64-linux-gnu'\n";
        assert_eq!(named_libraries(script), Some("/usr/lib/x86_64-linux-gnu".into()));
        assert_eq!(named_libraries("#!/bin/sh\n"), None);
    }
}
