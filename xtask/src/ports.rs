//! Ports of loopback for what is started here.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A port of loopback that nobody has right now.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// As many of them, no two the same.
pub(crate) fn several<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        *port = listener.local_addr()?.port();
        // Held until all are chosen.
        listeners.push(listener);
    }
    Ok(ports)
}

/// The port that served `name` last time, if it is free again: an open page stays valid, and what was compiled with it.
pub(crate) fn remembered(root: &Path, name: &str) -> Result<u16> {
    let last = fs::read_to_string(file(root, name))
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match last {
        Some(port) if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() => Ok(port),
        _ => free(),
    }
}

/// Keeps the port of `name` for the next time.
pub(crate) fn remember(root: &Path, name: &str, port: u16) -> Result<()> {
    let path = file(root, name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, port.to_string()).with_context(|| format!("cannot write {}", path.display()))
}

fn file(root: &Path, name: &str) -> PathBuf {
    root.join("target/xtask").join(format!("{name}.port"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_isnt_remembered() {
        let root = tempfile::tempdir().unwrap();
        // Whatever else runs here may take the port in between, and hardly each time.
        let comes_back = (0..20).any(|_| {
            let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = taken.local_addr().unwrap().port();
            remember(root.path(), "x", port).unwrap();
            assert_ne!(remembered(root.path(), "x").unwrap(), port);
            drop(taken);
            remembered(root.path(), "x").unwrap() == port
        });
        assert!(comes_back);
    }
}
