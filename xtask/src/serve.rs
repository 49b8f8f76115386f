//! A small web server for the chat page and the tests: static files and a few documents, on loopback.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tiny_http::{Method, Request, Server};

use crate::ports;

/// What is served. Of two prefixes that fit, the first one listed wins.
#[derive(Debug, Default)]
pub(crate) struct Site {
    folders: Vec<(&'static str, PathBuf)>,
    documents: Vec<(&'static str, String)>,
}

impl Site {
    /// Serves the files of `folder` below `prefix`, which begins and ends with a slash.
    pub(crate) fn folder(mut self, prefix: &'static str, folder: impl Into<PathBuf>) -> Self {
        self.folders.push((prefix, folder.into()));
        self
    }

    /// Serves `content` at `path`.
    pub(crate) fn document(mut self, path: &'static str, content: String) -> Self {
        self.documents.push((path, content));
        self
    }

    /// Starts to serve on `port` of loopback, 0 for any, until the guard is dropped.
    pub(crate) fn start(self, port: u16) -> Result<Serving> {
        let server = Server::http(("127.0.0.1", port)).map_err(|error| anyhow::anyhow!(error));
        let server = Arc::new(server.context("cannot start the web server")?);
        let port = server
            .server_addr()
            .to_ip()
            .context("the web server has no port")?
            .port();
        let site = Arc::new(self);
        // A browser opens up to six connections to a host.
        let threads = (0..6)
            .map(|_| {
                let (server, site) = (Arc::clone(&server), Arc::clone(&site));
                std::thread::spawn(move || {
                    while let Ok(request) = server.recv() {
                        site.answer(request);
                    }
                })
            })
            .collect();
        Ok(Serving {
            server,
            threads,
            url: format!("http://localhost:{port}/"),
        })
    }

    /// Starts on the port that `name` had last time, where that is free, so that an open page stays valid.
    pub(crate) fn start_remembered(self, root: &Path, name: &str) -> Result<Serving> {
        let port = ports::remembered(root, name)?;
        ports::remember(root, name, port)?;
        self.start(port)
    }

    fn answer(&self, request: Request) {
        let found = match request.method() {
            Method::Get | Method::Head => self.find(request.url()),
            _ => None,
        };
        let (status, kind, content) = match found {
            Some((kind, content)) => (200, kind, content),
            None => (404, "text/plain; charset=utf-8", b"not found\n".to_vec()),
        };
        // Written here, so that the connection can be closed with it: tiny_http gives each that is open a thread, and where two are
        // opened in one moment the second may wait until another one is closed, which with a browser takes minutes.
        let status = match status {
            200 => "200 OK",
            _ => "404 Not Found",
        };
        let mut answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
            content.len()
        )
        .into_bytes();
        if *request.method() != Method::Head {
            answer.extend(content);
        }
        // A browser that has gone away is no concern of ours.
        let mut connection = request.into_writer();
        let _ = connection.write_all(&answer).and_then(|()| connection.flush());
    }

    fn find(&self, url: &str) -> Option<(&'static str, Vec<u8>)> {
        let path = url.split(['?', '#']).next()?;
        if let Some((_, content)) = self.documents.iter().find(|(at, _)| *at == path) {
            return Some((mime(Path::new(path)), content.clone().into_bytes()));
        }
        let (folder, rest) = self
            .folders
            .iter()
            .find_map(|(prefix, folder)| Some((folder, path.strip_prefix(prefix)?)))?;
        let name = if rest.is_empty() || rest.ends_with('/') {
            format!("{rest}index.html")
        } else {
            rest.to_owned()
        };
        // The files have plain names: whatever is escaped, hidden or climbs up isn't one of them.
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['%', '\\']);
        if !name.split('/').all(plain) {
            return None;
        }
        let file = folder.join(name);
        Some((mime(&file), fs::read(&file).ok()?))
    }
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|kind| kind.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// A running server.
pub(crate) struct Serving {
    server: Arc<Server>,
    threads: Vec<JoinHandle<()>>,
    url: String,
}

impl Serving {
    /// Where it is, with a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        for _ in &self.threads {
            self.server.unblock();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn site() -> (tempfile::TempDir, Site) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("www")).unwrap();
        fs::write(folder.path().join("www/index.html"), "page").unwrap();
        fs::write(folder.path().join("www/app.js"), "code").unwrap();
        fs::write(folder.path().join("secret.js"), "no").unwrap();
        let site = Site::default()
            .folder("/", folder.path().join("www"))
            .document("/demo.json", "{}".to_owned());
        (folder, site)
    }

    #[test]
    fn files_and_documents_have_their_types() {
        let (_folder, site) = site();
        assert_eq!(site.find("/").unwrap(), ("text/html; charset=utf-8", b"page".to_vec()));
        assert_eq!(
            site.find("/app.js?v=1").unwrap(),
            ("text/javascript; charset=utf-8", b"code".to_vec())
        );
        assert_eq!(site.find("/demo.json").unwrap(), ("application/json", b"{}".to_vec()));
        assert_eq!(mime(Path::new("a_bg.wasm")), "application/wasm");
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let (_folder, site) = site();
        for url in [
            "/../secret.js",
            "/%2e%2e/secret.js",
            "//secret.js",
            "/./app.js",
            "/missing.js",
        ] {
            assert_eq!(site.find(url), None, "{url}");
        }
    }
}
