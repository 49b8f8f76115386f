//! Servers that are killed in the middle of things: Prosody and ejabberd with archives in SQLite, which keep what they have
//! acknowledged when they are killed outright. They come back on the same ports, with the same data.

use std::path::Path;

use anyhow::{Result, bail};

use crate::ejabberd;
use crate::ports;
use crate::process::Group;
use crate::prosody;
use crate::server::{self, Server};

/// Who has an account: the page under torture, its peer, and two who wait for half-open connections to be noticed; or all of them in
/// a room.
const USERS: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];
/// How often a start is tried when somebody else has a port.
const TRIES: usize = 5;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `tests/e2e/torture/prosody.cfg.lua`
    Prosody,
    /// The same with SASL2 (XEP-0388), Bind 2, resumption along with the login, and tokens.
    ProsodySasl2,
    /// `tests/e2e/torture/ejabberd.yml`
    Ejabberd,
}

impl Kind {
    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Prosody => "Prosody",
            Self::ProsodySasl2 => "Prosody-SASL2",
            Self::Ejabberd => "ejabberd",
        }
    }

    /// Where its WebSocket is.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Prosody | Self::ProsodySasl2 => "/xmpp-websocket",
            Self::Ejabberd => "/ws",
        }
    }

    /// Which one is installed.
    pub(crate) fn version(self) -> Option<String> {
        match self {
            Self::Prosody | Self::ProsodySasl2 => prosody::version(),
            Self::Ejabberd => ejabberd::version(),
        }
    }

    fn launch(self, data: &Path) -> Result<Group> {
        match self {
            Self::Prosody | Self::ProsodySasl2 => prosody::launch(data),
            Self::Ejabberd => ejabberd::launch(data),
        }
    }
}

/// A server of that kind. Dropping it stops it, then removes its data.
#[derive(Debug)]
pub(crate) struct Durable {
    kind: Kind,
    server: Server,
    /// Of http: and ws:.
    pub(crate) http: u16,
    /// Of XMPP over TCP.
    pub(crate) c2s: u16,
}

impl Durable {
    /// Starts it, waits until it answers, and makes the accounts. Call it from a thread that outlives it.
    pub(crate) fn start(root: &Path, kind: Kind) -> Result<Self> {
        for _ in 0..TRIES {
            let [http, c2s] = ports::several()?;
            let mut values = vec![("HTTP_PORT", http.to_string()), ("C2S_PORT", c2s.to_string())];
            let server = match kind {
                Kind::Prosody | Kind::ProsodySasl2 => {
                    values.push(("SASL2", (kind == Kind::ProsodySasl2).to_string()));
                    prosody::spawn(root, "tests/e2e/torture/prosody.cfg.lua", &values)?
                }
                Kind::Ejabberd => ejabberd::spawn(root, "tests/e2e/torture/ejabberd.yml", &values)?,
            };
            let mut durable = Self {
                kind,
                server,
                http,
                c2s,
            };
            if durable.wait_until_ready()? {
                durable.register()?;
                return Ok(durable);
            }
        }
        bail!("{} found no free ports", kind.name())
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again, on its ports, with its data, and waits until it answers.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let kind = self.kind;
        for _ in 0..TRIES {
            self.server.restart(|data| kind.launch(data))?;
            if self.wait_until_ready()? {
                return Ok(());
            }
        }
        bail!("{} did not get its ports back", kind.name())
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        self.server.log()
    }

    /// False where a port is taken.
    fn wait_until_ready(&mut self) -> Result<bool> {
        let ports = [self.http, self.c2s];
        match self.kind {
            Kind::Prosody | Kind::ProsodySasl2 => self.server.wait_until_ready(prosody::start),
            Kind::Ejabberd => self.server.wait_until_ready(|log| ejabberd::start(log, &ports)),
        }
    }

    /// Prosody's fixtures do it by themselves.
    fn register(&self) -> Result<()> {
        if self.kind == Kind::Ejabberd {
            for user in USERS {
                let account = serde_json::json!({ "user": user, "host": "localhost", "password": "secret" });
                server::post(self.http, "/api/register", &account)?;
            }
        }
        Ok(())
    }
}
