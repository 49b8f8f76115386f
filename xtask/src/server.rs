//! What the XMPP servers of the demo and the tests have in common: a process, its data in a temporary folder, and a log that
//! says when it is ready.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{self, Group};

/// How long a start, or an answer, may take; a second or two is usual.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs, or is about to. Dropping it stops the server, then removes its data.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    /// None while it is killed.
    process: Option<Group>,
    data: TempDir,
    logs: &'static [&'static str],
    /// What it logged before it was last killed.
    past: String,
}

/// What the log of a server that starts says so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It takes connections.
    Ready,
    /// Somebody else has a port that it was given.
    PortTaken,
    /// Nothing of that yet.
    UnderWay,
}

impl Server {
    /// Takes over a process that logs to the files `logs` in `data`.
    pub(crate) fn new(name: &'static str, process: Group, data: TempDir, logs: &'static [&'static str]) -> Self {
        Self {
            name,
            process: Some(process),
            data,
            logs,
            past: String::new(),
        }
    }

    /// Kills it outright. Its data stays.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it anew, by a function that is told where its data is. The log that [`Server::wait_until_ready`] reads begins
    /// anew as well.
    pub(crate) fn restart(&mut self, launch: impl FnOnce(&Path) -> Result<Group>) -> Result<()> {
        self.kill();
        self.past.push_str(&self.log_since_start());
        for log in self.logs {
            let _ = fs::remove_file(self.data.path().join(log));
        }
        self.process = Some(launch(self.data.path())?);
        Ok(())
    }

    /// Waits until `read` finds in the log that the server is ready; false where a port was taken.
    pub(crate) fn wait_until_ready(&mut self, read: impl Fn(&str) -> Start) -> Result<bool> {
        let begun = Instant::now();
        loop {
            process::check_interrupt()?;
            // Before the log is read: the last line of one that ends may say why.
            let ended = self.ended()?;
            let log = self.log_since_start();
            match (read(&log), ended) {
                (Start::Ready, _) => return Ok(true),
                (Start::PortTaken, _) => return Ok(false),
                (Start::UnderWay, Some(_)) => self.check()?,
                (Start::UnderWay, None) => {}
            }
            if begun.elapsed() > PATIENCE {
                bail!(
                    "{} wasn't ready after {} s; its log:\n{log}",
                    self.name,
                    PATIENCE.as_secs()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fails if the server has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => bail!("{} has ended ({status}); its log:\n{}", self.name, self.log()),
        }
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        self.past.clone() + &self.log_since_start()
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        match &mut self.process {
            Some(process) => process.ended(),
            None => Ok(None),
        }
    }

    fn log_since_start(&self) -> String {
        self.logs
            .iter()
            .map(|name| fs::read(self.data.path().join(name)).unwrap_or_default())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .collect()
    }
}

/// Reads the configuration `template` and puts the values in for the words between at signs; a word that is left is a
/// mistake in it. Lines that begin with `comment` are left alone.
pub(crate) fn fill(template: &Path, comment: &str, values: &[(&str, String)]) -> Result<String> {
    let text = fs::read_to_string(template).with_context(|| format!("cannot read {}", template.display()))?;
    fill_text(text, comment, values)
}

fn fill_text(mut text: String, comment: &str, values: &[(&str, String)]) -> Result<String> {
    for (word, value) in values {
        if value.contains(['"', '\\', '\n']) {
            bail!("{value} can't stand in a server's configuration");
        }
        text = text.replace(&format!("@{word}@"), value);
    }
    if let Some(line) = text
        .lines()
        .find(|line| !line.trim_start().starts_with(comment) && line.matches('@').count() > 1)
    {
        bail!("nothing is known to fill in here: {line}");
    }
    Ok(text)
}

/// A path as a value for [`fill`].
pub(crate) fn path(path: &Path) -> Result<String> {
    Ok(path.to_str().context("a path isn't UTF-8")?.to_owned())
}

/// Fails unless the host-meta of `localhost` on `port` leads a page to `link`.
pub(crate) fn check_host_meta(name: &str, port: u16, link: &str) -> Result<()> {
    let answer = get(port, "/.well-known/host-meta").with_context(|| format!("{name} doesn't answer for host-meta"))?;
    let lower = answer.to_ascii_lowercase();
    if !answer.contains(link) || !lower.contains("access-control-allow-origin: *") {
        bail!("{name}'s host-meta doesn't lead a page to {link}:\n{answer}");
    }
    Ok(())
}

fn get(port: u16, path: &str) -> Result<String> {
    request(port, "GET", path, "")
}

/// Posts JSON to a server of ours, and says what comes of it; an answer other than success is an error.
pub(crate) fn post(port: u16, path: &str, body: &serde_json::Value) -> Result<String> {
    let answer = request(port, "POST", path, &body.to_string())?;
    match answer.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => {
            let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
            Ok(body.unwrap_or_default().trim().to_owned())
        }
        _ => bail!("POST {path} was answered by:\n{answer}"),
    }
}

/// One plain request, and its answer as text. The peer is our own child, on loopback.
fn request(port: u16, method: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filled(text: &str, values: &[(&str, &str)]) -> Result<String> {
        let values: Vec<_> = values
            .iter()
            .map(|(word, value)| (*word, (*value).to_owned()))
            .collect();
        fill_text(text.to_owned(), "--", &values)
    }

    #[test]
    fn a_configuration_is_filled_in() {
        let text = "-- @words@\ndata = \"@DATA@\"\nhttp_ports = { @HTTP_PORT@ }";
        assert_eq!(
            filled(text, &[("DATA", "/d"), ("HTTP_PORT", "7")]).unwrap(),
            "-- @words@\ndata = \"/d\"\nhttp_ports = { 7 }"
        );
        assert!(filled("c2s_ports = { @C2S_PORT@ }", &[]).is_err());
        assert!(filled("@DATA@", &[("DATA", "/a\"b")]).is_err());
    }
}
