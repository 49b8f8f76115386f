//! The XMPP server of the demo and the tests: Prosody with a configuration of `tests/e2e`, data in a temporary folder, on
//! ports of loopback.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::certificates::Authority;
use crate::ports;
use crate::process::{self, Group};
use crate::server::{self, Server, Start};

const CONFIG: &str = "prosody.cfg.lua";
/// What the module `fixtures` logs once the server takes connections.
const READY: &str = "fixtures ready";
/// What Prosody logs when somebody else has its port.
const PORT_TAKEN: &str = "Failed to open server port";

/// A running Prosody. Dropping it stops the server, then removes its data.
#[derive(Debug)]
pub(crate) struct Prosody {
    server: Server,
    port: u16,
}

impl Prosody {
    /// Starts the server of `prosody.cfg.lua` and waits until it answers.
    pub(crate) fn start(root: &Path) -> Result<Self> {
        Self::start_with(root, true)
    }

    /// The same without SASL2 on the first host.
    pub(crate) fn start_old(root: &Path) -> Result<Self> {
        Self::start_with(root, false)
    }

    fn start_with(root: &Path, sasl2: bool) -> Result<Self> {
        let remembered = ports::remembered(root, "prosody")?;
        for port in [remembered, ports::free()?, ports::free()?] {
            let values = [("HTTP_PORT", port.to_string()), ("SASL2", sasl2.to_string())];
            let server = spawn(root, "tests/e2e/prosody.cfg.lua", &values)?;
            let mut prosody = Self { server, port };
            if prosody.wait_until_ready()? {
                ports::remember(root, "prosody", port)?;
                return Ok(prosody);
            }
        }
        bail!("Prosody found no free port")
    }

    /// The origin that answers for host-meta.
    pub(crate) fn host_meta(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Fails if the server has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.server.check()
    }

    /// False where the port was taken in the meantime.
    fn wait_until_ready(&mut self) -> Result<bool> {
        if !self.server.wait_until_ready(start)? {
            return Ok(false);
        }
        let link = format!("ws://localhost:{}/xmpp-websocket", self.port);
        server::check_host_meta("Prosody", self.port, &link)?;
        Ok(true)
    }
}

/// The Prosody of `logins.cfg.lua`, with TLS.
#[derive(Debug)]
pub(crate) struct LoginProsody {
    prosody: Prosody,
    /// Of https: and wss:.
    pub(crate) https: u16,
    /// Of XMPP over TCP.
    pub(crate) c2s: u16,
}

impl LoginProsody {
    /// Starts the server, which also serves the npm package to pages on https:, and doesn't wait for it.
    pub(crate) fn spawn(root: &Path, package: &Path, authority: &Authority) -> Result<Self> {
        let [port, https, c2s] = ports::several()?;
        let values = [
            ("HTTP_PORT", port.to_string()),
            ("HTTPS_PORT", https.to_string()),
            ("C2S_PORT", c2s.to_string()),
            ("PACKAGE", server::path(package)?),
            ("CERTIFICATE", server::path(&authority.certificate())?),
            ("KEY", server::path(&authority.key())?),
        ];
        let server = spawn(root, "tests/e2e/logins.cfg.lua", &values)?;
        let prosody = Prosody { server, port };
        Ok(Self { prosody, https, c2s })
    }

    /// Waits until it answers; false where a port was taken in the meantime.
    pub(crate) fn wait_until_ready(&mut self) -> Result<bool> {
        self.prosody.wait_until_ready()
    }

    /// The port of http: and ws:.
    pub(crate) fn http(&self) -> u16 {
        self.prosody.port
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        self.prosody.server.log()
    }
}

/// What the log says of the start.
pub(crate) fn start(log: &str) -> Start {
    if log.contains(PORT_TAKEN) {
        Start::PortTaken
    } else if log.contains(READY) {
        Start::Ready
    } else {
        Start::UnderWay
    }
}

/// Starts Prosody with a configuration. It is told the values, and where its data and the modules of `tests/e2e` are.
pub(crate) fn spawn(root: &Path, template: &str, values: &[(&str, String)]) -> Result<Server> {
    let data = tempfile::Builder::new().prefix("stanzawire-prosody-").tempdir()?;
    let mut values = values.to_vec();
    values.push(("DATA", server::path(data.path())?));
    values.push(("MODULES", server::path(&root.join("tests/e2e/modules"))?));
    let filled = server::fill(&root.join(template), "--", &values)?;
    fs::write(data.path().join(CONFIG), filled)?;
    // Prosody looks for certificates beside its configuration and complains where there's no folder.
    fs::create_dir(data.path().join("certs"))?;
    let process = launch(data.path())?;
    Ok(Server::new("Prosody", process, data, &["console.log", "prosody.log"]))
}

/// Starts Prosody on a folder that has been made for it.
pub(crate) fn launch(data: &Path) -> Result<Group> {
    let config = data.join(CONFIG);
    let console = fs::File::create(data.join("console.log"))?;
    let program = process::find("prosody").context("prosody isn't on PATH: run `cargo xtask setup`")?;
    let args = [
        OsStr::new("--root"),
        OsStr::new("--config"),
        config.as_os_str(),
        OsStr::new("-F"),
    ];
    // Without root it wants no leave to run as root.
    let args = if rustix::process::geteuid().is_root() {
        args.as_slice()
    } else {
        args.get(1..).unwrap_or_default()
    };
    let errors = console.try_clone()?;
    Group::spawn_server(&program, args, |command| {
        command.stdout(console).stderr(errors);
    })
}

/// Whether it can keep its data in SQLite: whether Lua finds LuaDBI's driver. The versions are those that Prosody runs on.
pub(crate) fn has_sqlite() -> bool {
    ["lua5.4", "lua5.3", "lua5.2", "lua"]
        .into_iter()
        .filter_map(process::find)
        .any(|lua| process::output(Command::new(lua).args(["-e", "require 'dbd.sqlite3'"])).is_ok())
}

/// Whether it is a Prosody that has SASL2 (XEP-0388): 13 or later. An unknown version is a new one.
pub(crate) fn has_sasl2(version: Option<&str>) -> bool {
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_none_or(|major| major >= 13)
}

/// The same of the one on PATH.
pub(crate) fn offers_sasl2() -> bool {
    has_sasl2(version().as_deref())
}

/// The version of the Prosody on PATH, from the files that Debian and `make install` put there, else unknown.
pub(crate) fn version() -> Option<String> {
    [
        "/usr/lib/prosody/prosody.version",
        "/usr/local/lib/prosody/prosody.version",
    ]
    .into_iter()
    .find_map(|path| fs::read_to_string(path).ok())
    .map(|text| text.trim().to_owned())
    .or_else(|| {
        let about = Command::new("prosodyctl")
            .arg("about")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let about = String::from_utf8_lossy(&about.stdout).into_owned();
        about
            .lines()
            .find_map(|line| line.strip_prefix("Prosody "))
            .map(|version| version.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prosody_13_has_sasl2() {
        assert!(has_sasl2(Some("13.0.1")) && has_sasl2(None) && has_sasl2(Some("nightly build 1")));
        assert!(!has_sasl2(Some("0.12.3")));
    }

    #[test]
    fn the_log_says_how_far_it_is() {
        assert_eq!(start("info\tHello"), Start::UnderWay);
        assert_eq!(start("info\tfixtures ready"), Start::Ready);
        assert_eq!(
            start("error\tFailed to open server port 1\ninfo\tfixtures ready"),
            Start::PortTaken
        );
    }
}
