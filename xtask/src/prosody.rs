//! The XMPP server of the demo and the tests: Prosody with `tests/e2e/prosody.cfg.lua`, data in a temporary folder, one
//! port of loopback.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::ports;
use crate::process::{self, Group};

/// What the module `fixtures` logs once the server takes connections.
const READY: &str = "fixtures ready";
/// What Prosody logs when somebody else has its port.
const PORT_TAKEN: &str = "Failed to open server port";
/// How long a start may take; half a second is usual.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Prosody. Dropping it stops the server, then removes its data.
#[derive(Debug)]
pub(crate) struct Prosody {
    server: Group,
    data: TempDir,
    port: u16,
}

impl Prosody {
    /// Starts the server and waits until it answers.
    pub(crate) fn start(root: &Path) -> Result<Self> {
        let remembered = ports::remembered(root, "prosody")?;
        for port in [remembered, ports::free()?, ports::free()?] {
            if let Some(prosody) = Self::try_start(root, port)? {
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
        match self.server.ended()? {
            None => Ok(()),
            Some(status) => bail!("Prosody has ended ({status}); its log:\n{}", self.log()),
        }
    }

    /// `None` where the port was taken in the meantime.
    fn try_start(root: &Path, port: u16) -> Result<Option<Self>> {
        let data = tempfile::Builder::new().prefix("stanzawire-prosody-").tempdir()?;
        let config = data.path().join("prosody.cfg.lua");
        let template = root.join("tests/e2e/prosody.cfg.lua");
        let template = fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
        fs::write(
            &config,
            fill(&template, data.path(), &root.join("tests/e2e/modules"), port)?,
        )?;
        // Prosody looks for certificates beside its configuration and complains where there's no folder.
        fs::create_dir(data.path().join("certs"))?;
        let console = fs::File::create(data.path().join("console.log"))?;
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
        let server = Group::spawn_server(&program, args, |command| {
            command.stdout(console).stderr(errors);
        })?;
        let mut prosody = Self { server, data, port };
        Ok(if prosody.wait_until_ready()? {
            Some(prosody)
        } else {
            None
        })
    }

    fn wait_until_ready(&mut self) -> Result<bool> {
        let begun = Instant::now();
        loop {
            process::check_interrupt()?;
            let log = self.log();
            if log.contains(PORT_TAKEN) {
                return Ok(false);
            }
            if log.contains(READY) {
                break;
            }
            self.check()?;
            if begun.elapsed() > PATIENCE {
                bail!("Prosody wasn't ready after {} s; its log:\n{log}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let answer = get(self.port, "/.well-known/host-meta").context("Prosody doesn't answer for host-meta")?;
        let link = format!("ws://localhost:{}/xmpp-websocket", self.port);
        let lower = answer.to_ascii_lowercase();
        if !answer.contains(&link) || !lower.contains("access-control-allow-origin: *") {
            bail!("Prosody's host-meta doesn't lead a page to {link}:\n{answer}");
        }
        Ok(true)
    }

    fn log(&self) -> String {
        ["console.log", "prosody.log"]
            .map(|name| fs::read(self.data.path().join(name)).unwrap_or_default())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .concat()
    }
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

/// Puts the values into the configuration; a word that is left is a mistake in it.
fn fill(template: &str, data: &Path, modules: &Path, port: u16) -> Result<String> {
    let path = |path: &Path| -> Result<String> {
        let text = path.to_str().context("a path isn't UTF-8")?;
        if text.contains(['"', '\\', '\n']) {
            bail!("{text} can't stand in Prosody's configuration");
        }
        Ok(text.to_owned())
    };
    let text = template
        .replace("@DATA@", &path(data)?)
        .replace("@MODULES@", &path(modules)?)
        .replace("@HTTP_PORT@", &port.to_string());
    if let Some(line) = text
        .lines()
        .find(|line| !line.starts_with("--") && line.matches('@').count() > 1)
    {
        bail!("nothing is known to fill in here: {line}");
    }
    Ok(text)
}

/// One plain request, as text. The peer is our own child, on loopback.
fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_filled_in() {
        let text = fill(
            "-- @words@\ndata = \"@DATA@\"\nhttp_ports = { @HTTP_PORT@ }",
            Path::new("/d"),
            Path::new("/m"),
            7,
        );
        assert_eq!(text.unwrap(), "-- @words@\ndata = \"/d\"\nhttp_ports = { 7 }");
        assert!(fill("c2s_ports = { @C2S_PORT@ }", Path::new("/d"), Path::new("/m"), 7).is_err());
        assert!(fill("@DATA@", Path::new("/a\"b"), Path::new("/m"), 7).is_err());
    }
}
