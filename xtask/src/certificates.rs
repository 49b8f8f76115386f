//! A certificate authority that lives as long as a run, the certificate that the test servers show, and homes for browsers
//! that do and don't trust it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process;

/// The names that the servers are called by.
const NAMES: &str = "DNS:localhost, DNS:prosody.example, DNS:sasl2.prosody.example, DNS:ejabberd.example";
/// What the certificates are for: the authority's, and the servers'.
const EXTENSIONS: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = stanzawire test run
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
";

/// An authority, and one certificate by it. Its folder goes with it.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes keys and certificates, all new.
    pub(crate) fn make() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("stanzawire-certificates-").tempdir()?;
        let authority = Self { folder };
        let config = format!("{EXTENSIONS}subjectAltName = {NAMES}\n");
        fs::write(authority.file("openssl.cnf"), config)?;
        let new_key = "req -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        authority.openssl(&format!(
            "{new_key} -x509 -extensions authority -days 7 -keyout ca.key -out ca.pem"
        ))?;
        authority.openssl(&format!("{new_key} -keyout server.key -out server.csr"))?;
        authority.openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 7 -extfile openssl.cnf -extensions server \
             -out server.pem",
        )?;
        // ejabberd takes a certificate and its key from one file.
        let both = fs::read(authority.file("server.pem")).and_then(|mut pem| {
            pem.extend(fs::read(authority.file("server.key"))?);
            Ok(pem)
        })?;
        fs::write(authority.bundle(), both)?;
        Ok(authority)
    }

    /// The authority's own certificate.
    pub(crate) fn root(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The certificate for `localhost` and the names of the tests.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.file("server.pem")
    }

    /// Its key.
    pub(crate) fn key(&self) -> PathBuf {
        self.file("server.key")
    }

    /// Both in one file.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.file("bundle.pem")
    }

    /// A home directory in which Chromium finds the authority among those that its user trusts.
    pub(crate) fn trusting_home(&self) -> Result<PathBuf> {
        let home = self.doubting_home("trusting")?;
        let store = home.join(".pki/nssdb");
        fs::create_dir_all(&store)?;
        // Where other versions look for it.
        fs::create_dir_all(home.join(".local/share"))?;
        std::os::unix::fs::symlink("../../.pki", home.join(".local/share/pki"))?;
        let store = format!("sql:{}", store.display());
        let program = process::find("certutil").context("certutil isn't on PATH: run `cargo xtask setup`")?;
        let certutil =
            |args: &[&str]| process::output(Command::new(&program).args(["-d", &store]).args(args)).map(drop);
        certutil(&["-N", "--empty-password"])?;
        certutil(&[
            "-A",
            "-t",
            "C,,",
            "-n",
            "stanzawire test run",
            "-i",
            &self.root().to_string_lossy(),
        ])?;
        Ok(home)
    }

    /// A home directory without anything in it.
    pub(crate) fn doubting_home(&self, name: &str) -> Result<PathBuf> {
        let home = self.file(name);
        fs::create_dir(&home)?;
        Ok(home)
    }

    fn openssl(&self, args: &str) -> Result<()> {
        let mut command = Command::new("openssl");
        command.current_dir(self.folder.path()).args(args.split_whitespace());
        process::output(&mut command).map(drop)
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_by_the_authority_and_for_its_names() {
        if process::find("openssl").is_none() {
            return;
        }
        let authority = Authority::make().unwrap();
        let verify = |name: &str| {
            let mut command = Command::new("openssl");
            command.arg("verify").arg("-CAfile").arg(authority.root());
            command.args(["-purpose", "sslserver", "-verify_hostname", name]);
            process::output(command.arg(authority.certificate())).is_ok()
        };
        assert!(verify("localhost") && verify("prosody.example") && verify("ejabberd.example"));
        assert!(!verify("example.org"));
    }
}
