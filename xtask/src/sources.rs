//! apt's list of sources.
//!
//! The backports suite is on the host that the machine's apt already asks, so its address and key are read from the
//! Debian entry that is there. Both formats of sources.list(5) are known; options but the key are left out.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// One entry of apt's list of sources.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    uri: String,
    suites: Vec<String>,
    /// A key file, or a key itself over several lines, as it stands behind the colon.
    signed_by: Option<String>,
}

impl Entry {
    /// Whether packages of `suite` come from here.
    pub(crate) fn has_suite(&self, suite: &str) -> bool {
        self.suites.iter().any(|one| one == suite)
    }

    /// The deb822 text of an entry for another suite, from the same host and under the same key.
    pub(crate) fn as_backports(&self, suite: &str) -> String {
        let mut text = format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n", self.uri);
        if let Some(key) = &self.signed_by {
            text.push_str("Signed-By:");
            text.push_str(key);
            text.push('\n');
        }
        text
    }
}

/// The entries of this machine.
pub(crate) fn entries() -> Result<Vec<Entry>> {
    let mut files = vec![Path::new("/etc/apt/sources.list").to_owned()];
    let folder = Path::new("/etc/apt/sources.list.d");
    if folder.is_dir() {
        for file in fs::read_dir(folder).context("cannot read apt's sources")? {
            files.push(file?.path());
        }
    }
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|name| name.to_str()) {
            Some("sources") => entries.extend(parse_deb822(&text)),
            Some("list") => entries.extend(text.lines().filter_map(parse_one_line)),
            _ => {}
        }
    }
    Ok(entries)
}

/// sources.list(5), "DEB822-STYLE FORMAT".
fn parse_deb822(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for stanza in text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .split(|line| line.trim().is_empty())
    {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in stanza {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim_end().to_owned()));
            }
        }
        let field = |key: &str| {
            fields
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let words = |key| field(key).unwrap_or_default().split_whitespace();
        let (on, binary) = (
            field("enabled").map(str::trim) != Some("no"),
            words("types").any(|word| word == "deb"),
        );
        if let (true, true, Some(uri)) = (on, binary, words("uris").next()) {
            entries.push(Entry {
                uri: uri.to_owned(),
                suites: words("suites").map(str::to_owned).collect(),
                signed_by: field("signed-by").map(str::to_owned),
            });
        }
    }
    entries
}

/// sources.list(5), "ONE-LINE-STYLE FORMAT": `deb [ option=value ] uri suite component…`.
fn parse_one_line(line: &str) -> Option<Entry> {
    let line = line.split('#').next()?.trim().strip_prefix("deb")?;
    if !line.starts_with([' ', '\t']) {
        return None;
    }
    let line = line.trim_start();
    let (options, rest) = match line.strip_prefix('[') {
        Some(line) => line.split_once(']')?,
        None => ("", line),
    };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    let key = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="));
    Some(Entry {
        uri: uri.to_owned(),
        suites: vec![suite.to_owned()],
        signed_by: key.map(|key| format!(" {key}")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const SOURCES: &str = "\
Types: deb
# http://snapshot.example/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm-backports

Enabled: no
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports

types: deb
uris: http://mirror.example/debian-security
suites: bookworm-security
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQIN
";

    #[test]
    fn deb822_gives_the_binary_entries_that_are_on() {
        let entries = parse_deb822(SOURCES);
        assert_eq!(entries.len(), 2);
        assert!(entries[0].has_suite("bookworm") && !entries[0].has_suite("bookworm-backports"));
        assert_eq!(
            entries[1].signed_by.as_deref(),
            Some("\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQIN")
        );
    }

    #[test]
    fn backports_come_from_the_same_host_with_the_same_key() {
        let expected = "\
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";
        assert_eq!(parse_deb822(SOURCES)[0].as_backports("bookworm-backports"), expected);
        let line = "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main";
        assert_eq!(
            parse_one_line(line).unwrap().as_backports("bookworm-backports"),
            expected
        );
    }

    #[test]
    fn one_line_entries() {
        assert_eq!(parse_one_line("# deb http://mirror.example/debian bookworm main"), None);
        assert_eq!(
            parse_one_line("deb-src http://mirror.example/debian bookworm main"),
            None
        );
        let entry = parse_one_line("deb http://mirror.example/debian bookworm main contrib # here").unwrap();
        assert_eq!(
            (entry.uri.as_str(), entry.signed_by),
            ("http://mirror.example/debian", None)
        );
    }
}
