//! Packages of Debian and Ubuntu, by apt.
//!
//! Prosody and ejabberd come from `<codename>-backports` where the release's own are older than 13 and 24.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{process, sources};

/// Ours to write and to remove.
const BACKPORTS: &str = "/etc/apt/sources.list.d/stanzawire-backports.sources";
/// Says to the packages' scripts whether they may start their services.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// How this user becomes root for apt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Already,
    Sudo,
}

/// apt on this machine, usable.
#[derive(Debug)]
pub(crate) struct Apt {
    root: Root,
    updated: bool,
}

/// What `/etc/os-release` says.
#[derive(Debug)]
pub(crate) struct Release {
    id: String,
    codename: String,
}

impl Release {
    /// Of this machine.
    pub(crate) fn read() -> Self {
        Self::parse(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    /// Of the text of such a file.
    pub(crate) fn parse(text: &str) -> Self {
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.trim_matches('"').to_owned())
                .unwrap_or_default()
        };
        Self {
            id: value("ID"),
            codename: value("VERSION_CODENAME"),
        }
    }

    /// Whether the browser's package is a real one: Ubuntu's only points at a snap.
    pub(crate) fn has_chromium(&self) -> bool {
        self.is_debian()
    }

    /// Whether the system is Debian, which has backports.
    pub(crate) fn is_debian(&self) -> bool {
        self.id == "debian"
    }

    /// Whether the system is Ubuntu.
    pub(crate) fn is_ubuntu(&self) -> bool {
        self.id == "ubuntu"
    }
}

impl Apt {
    /// apt if this user may use it without being asked for a password.
    pub(crate) fn usable() -> Option<Self> {
        process::find("apt-get")?;
        let root = if rustix::process::geteuid().is_root() {
            Root::Already
        } else {
            process::find("sudo")?;
            process::output(Command::new("sudo").args(["-n", "true"])).ok()?;
            Root::Sudo
        };
        Some(Self { root, updated: false })
    }

    /// Installs `packages`, and starts no service of theirs.
    pub(crate) fn install(&mut self, packages: &[&str]) -> Result<()> {
        self.update()?;
        self.install_from(None, packages)
    }

    /// Installs Prosody, and leaves its service off, now and after a restart: whoever only wants the program gets no server.
    pub(crate) fn install_prosody(&mut self, release: &Release) -> Result<()> {
        self.install_newest(release, &["prosody", "prosody-modules"], 13)?;
        self.disable(&["prosody"], &[])
    }

    /// Installs ejabberd, and leaves its service off; so too Erlang's port mapper, if it came along.
    pub(crate) fn install_ejabberd(&mut self, release: &Release) -> Result<()> {
        let mapper: &[&str] = if process::find("epmd").is_some() {
            &[]
        } else {
            &["epmd.service", "epmd.socket"]
        };
        self.install_newest(release, &["ejabberd"], 24)?;
        self.disable(&["ejabberd"], mapper)
    }

    /// Installs what gives Prosody and ejabberd SQLite. ejabberd's comes from where ejabberd is.
    pub(crate) fn install_sqlite(&mut self, release: &Release) -> Result<()> {
        self.install(&["lua-dbi-sqlite3"])?;
        self.install_newest(release, &["erlang-p1-sqlite3"], 2)
    }

    /// Services with a script, and units of systemd without one.
    fn disable(&self, services: &[&str], units: &[&str]) -> Result<()> {
        if process::find("update-rc.d").is_some() {
            for service in services {
                self.command("update-rc.d", &[service, "disable"])?;
            }
        }
        if process::find("systemctl").is_some() && !units.is_empty() {
            let mut args = vec!["disable", "--quiet"];
            args.extend(units);
            self.command("systemctl", &args)?;
        }
        Ok(())
    }

    /// Version `wanted` of the first package or a later one, from the release or its backports, else, with a note, what the
    /// release has.
    fn install_newest(&mut self, release: &Release, packages: &[&str], wanted: u32) -> Result<()> {
        let name = packages.first().copied().unwrap_or_default();
        self.update()?;
        if !release.is_debian() || major(&candidate(name)?).is_some_and(|major| major >= wanted) {
            return self.install_from(None, packages);
        }
        let suite = format!("{}-backports", release.codename);
        match self.add_backports(&release.codename, &suite) {
            Ok(()) => match self.install_from(Some(&suite), packages) {
                Ok(()) => return Ok(()),
                Err(error) if process::check_interrupt().is_err() => return Err(error),
                Err(error) => eprintln!("  note: {error:#}"),
            },
            Err(error) => eprintln!("  note: {error:#}"),
        }
        eprintln!("  note: {suite} can't be had here; the release's own {name} is taken, which can less");
        if Path::new(BACKPORTS).exists() {
            self.command("rm", &["-f", BACKPORTS])?;
            self.updated = false;
            self.update()?;
        }
        self.install_from(None, packages)
    }

    fn update(&mut self) -> Result<()> {
        if !self.updated {
            self.apt_get(&["update", "-qq"])?;
            self.updated = true;
        }
        Ok(())
    }

    fn install_from(&self, suite: Option<&str>, packages: &[&str]) -> Result<()> {
        let quiet = self.keep_services_down()?;
        let mut args = vec!["install", "-y", "-qq", "--no-install-recommends"];
        if let Some(suite) = suite {
            args.extend(["-t", suite]);
        }
        args.extend(packages);
        let done = self.apt_get(&args);
        drop(quiet);
        done
    }

    fn apt_get(&self, args: &[&str]) -> Result<()> {
        let mut all = vec![
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
        ];
        all.extend(["-o", "Dpkg::Use-Pty=0"]);
        all.extend(args);
        self.command("env", &all)
    }

    fn command(&self, program: &str, args: &[&str]) -> Result<()> {
        process::run_to_the_end(self.as_root(program).args(args))
    }

    fn as_root(&self, program: &str) -> Command {
        match self.root {
            Root::Already => Command::new(program),
            Root::Sudo => {
                let mut command = Command::new("sudo");
                command.args(["-n", program]);
                command
            }
        }
    }

    /// Makes the backports suite known, unless it is.
    fn add_backports(&mut self, codename: &str, suite: &str) -> Result<()> {
        let entries = sources::entries()?;
        if entries.iter().any(|entry| entry.has_suite(suite)) {
            return Ok(());
        }
        let Some(entry) = entries.iter().find(|entry| entry.has_suite(codename)) else {
            bail!("no apt source for {codename} to derive {suite} from");
        };
        self.write(BACKPORTS, "644", &entry.as_backports(suite))?;
        self.apt_get(&["update", "-qq"])
            .with_context(|| format!("{suite} can't be read"))
    }

    /// Forbids the services of new packages to start, until the guard is dropped. A policy that is there already stays.
    fn keep_services_down(&self) -> Result<Option<Policy>> {
        if Path::new(POLICY).exists() {
            return Ok(None);
        }
        // 101: "action not allowed", the one answer that the packages' scripts take without an error.
        self.write(POLICY, "755", "#!/bin/sh\nexit 101\n")?;
        Ok(Some(Policy(self.root)))
    }

    fn write(&self, path: &str, mode: &str, text: &str) -> Result<()> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(text.as_bytes())?;
        self.command("install", &["-m", mode, &file.path().to_string_lossy(), path])
    }
}

/// Removes our policy file again.
#[derive(Debug)]
struct Policy(Root);

impl Drop for Policy {
    fn drop(&mut self) {
        let apt = Apt {
            root: self.0,
            updated: false,
        };
        // Past the check for a signal: the file must go in any case.
        if let Err(error) = apt.as_root("rm").args(["-f", POLICY]).status() {
            eprintln!("  {POLICY} is left behind: {error}");
        }
    }
}

/// The version of a package that apt would install now.
fn candidate(package: &str) -> Result<String> {
    let policy = process::output(Command::new("apt-cache").env("LC_ALL", "C").args(["policy", package]))?;
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"));
    Ok(version.unwrap_or_default().trim().to_owned())
}

/// The first number of a version, which in Debian may stand behind an epoch.
pub(crate) fn major(version: &str) -> Option<u32> {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version.get(..end)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(major("0.12.3-1+deb12u1"), Some(0));
        assert_eq!(major("1:13.0.1-1~bpo12+1"), Some(13));
        assert_eq!(major("(none)"), None);
    }

    #[test]
    fn release() {
        let release = Release::parse("NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=debian\n");
        assert!(release.has_chromium() && release.codename == "bookworm");
    }
}
