//! Child processes that never outlive the command.
//!
//! Each child leads a process group of its own. The group is stopped by its id: when the guard is dropped (the end, an
//! error, a panic), and by the handler of Ctrl-C and SIGTERM. Where `setpriv` is at hand a server also asks the kernel to
//! be killed with us, which covers `kill -9`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// How long a group may take to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
static WAKE: Mutex<Option<mpsc::Sender<()>>> = Mutex::new(None);

/// The error of a command that Ctrl-C or SIGTERM ended.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Installs the handler: the first signal stops the children and lets the main thread unwind, so that every guard runs.
/// The second one kills and leaves at once.
pub(crate) fn handle_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        let again = INTERRUPTED.swap(true, Ordering::SeqCst);
        let signal = if again { Signal::KILL } else { Signal::TERM };
        for group in lock(&GROUPS).iter() {
            let _ = kill_process_group(*group, signal);
        }
        if again {
            std::process::exit(130);
        }
        if let Some(wake) = lock(&WAKE).as_ref() {
            let _ = wake.send(());
        }
    })
    .context("cannot install the signal handler")
}

/// Fails once Ctrl-C or SIGTERM has come.
pub(crate) fn check_interrupt() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!(Interrupted);
    }
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM, no longer than `time`; whether it has come.
pub(crate) fn interrupted_within(time: Duration) -> bool {
    let (sender, receiver) = mpsc::channel();
    *lock(&WAKE) = Some(sender);
    if !INTERRUPTED.load(Ordering::SeqCst) {
        let _ = receiver.recv_timeout(time);
    }
    INTERRUPTED.load(Ordering::SeqCst)
}

/// A running child and its group, stopped when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    pid: Pid,
}

impl Group {
    /// Starts `command`, without stdin, at the head of a new process group.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        check_interrupt()?;
        command.stdin(Stdio::null()).process_group(0);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", shown(command)))?;
        let pid = Pid::from_child(&child);
        lock(&GROUPS).push(pid);
        let group = Self { child, pid };
        // A signal between the first check and the registration found no group to stop.
        check_interrupt()?;
        Ok(group)
    }

    /// Starts a server, which the kernel kills if this process is killed outright. Call it from the main thread: the
    /// kernel's rule is about the parent thread.
    pub(crate) fn spawn_server(program: &Path, args: &[&OsStr], set: impl FnOnce(&mut Command)) -> Result<Self> {
        const WRAPPER: [&str; 3] = ["--pdeathsig", "KILL", "--"];
        // The setpriv of busybox hasn't got the option.
        let wraps = output(Command::new("setpriv").args(WRAPPER).arg("true")).is_ok();
        let mut command = Command::new(if wraps { Path::new("setpriv") } else { program });
        if wraps {
            command.args(WRAPPER).arg(program);
        }
        command.args(args);
        set(&mut command);
        Self::spawn(&mut command)
    }

    /// Waits for the child's own end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait().context("cannot wait for a child")?;
        check_interrupt()?;
        Ok(status)
    }

    /// Ends the group at once, as a crash would.
    pub(crate) fn kill(self) {
        let _ = kill_process_group(self.pid, Signal::KILL);
        // The rest is the guard's.
        drop(self);
    }

    /// The exit status if the child has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot ask for a child's status")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let asked = Instant::now();
        let _ = kill_process_group(self.pid, Signal::TERM);
        // Until the leader is reaped its id can't be taken by a stranger, so the last wait comes at the very end.
        while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(10));
        }
        while test_kill_process_group(self.pid).is_ok() && asked.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = self.child.wait();
        lock(&GROUPS).retain(|pid| *pid != self.pid);
    }
}

/// Starts what belongs to the user and stays when we end.
pub(crate) fn detach(command: &mut Command) -> Result<()> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    Ok(())
}

/// Runs `command` to its end with its output passed through; an exit status other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = Group::spawn(command)?.wait()?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs `command` to its end whatever signal comes meanwhile (a package manager cut off half-way leaves a broken system),
/// and reports the signal afterwards.
pub(crate) fn run_to_the_end(command: &mut Command) -> Result<()> {
    check_interrupt()?;
    command.stdin(Stdio::null()).process_group(0);
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    check_interrupt()?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs `command` and gives what it wrote to stdout; its stderr is part of the error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    check_interrupt()?;
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    check_interrupt()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({}): {}", shown(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command`, passes its output on as it comes and shows each line of it to `on_line`.
pub(crate) fn stream(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<ExitStatus> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let (sender, lines) = mpsc::channel();
    if let Some(out) = group.child.stdout.take() {
        forward(out, std::io::stdout(), sender.clone());
    }
    if let Some(err) = group.child.stderr.take() {
        forward(err, std::io::stderr(), sender.clone());
    }
    drop(sender);
    for line in lines {
        on_line(&line);
    }
    group.wait()
}

fn forward(from: impl Read + Send + 'static, mut to: impl Write + Send + 'static, lines: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(from.read_until(b'\n', &mut line), Ok(1..)) {
            let _ = to.write_all(&line).and_then(|()| to.flush());
            let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    });
}

/// The first program of that name on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| is_executable(candidate))
}

/// Whether `path` is a file that somebody may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// A command as a person would type it, for messages.
pub(crate) fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_group_takes_its_grandchildren_along() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command).unwrap();
        let mut line = String::new();
        BufReader::new(group.child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let grandchild = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
        assert!(rustix::process::test_kill_process(grandchild).is_ok());
        let pid = group.pid;
        drop(group);
        assert!(test_kill_process_group(pid).is_err(), "a process of the group is left");
    }

    #[test]
    fn stream_sees_both_outputs() {
        let mut lines = Vec::new();
        let status = stream(
            Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]),
            |line| {
                lines.push(line.to_owned());
            },
        )
        .unwrap();
        lines.sort();
        assert_eq!(
            (lines, status.code()),
            (vec!["one".to_owned(), "two".to_owned()], Some(3))
        );
    }
}
