//! By what a script moves something here: paths over HTTP on loopback, one after the other.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use tiny_http::{Response, Server};

/// An open ear. Dropping it ends it.
pub(crate) struct Control {
    server: Arc<Server>,
    url: String,
}

impl Control {
    /// Opens it. Who listens calls [`Ear::serve`].
    pub(crate) fn open() -> Result<(Self, Ear)> {
        let server = Server::http((Ipv4Addr::LOCALHOST, 0)).map_err(|error| anyhow::anyhow!(error))?;
        let port = server.server_addr().to_ip().context("the control has no port")?.port();
        let server = Arc::new(server);
        let control = Self {
            server: Arc::clone(&server),
            url: format!("http://127.0.0.1:{port}"),
        };
        Ok((control, Ear(server)))
    }

    /// The same, with a thread of its own that answers.
    pub(crate) fn start(mut answer: impl FnMut(&str) -> Result<String> + Send + 'static) -> Result<Self> {
        let (control, ear) = Self::open()?;
        thread::spawn(move || ear.serve(&mut answer));
        Ok(control)
    }

    /// Where a script asks.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

/// What hears.
pub(crate) struct Ear(Arc<Server>);

impl Ear {
    /// Answers each path that is asked for until the control is dropped; an error is a status of 500, with its text.
    pub(crate) fn serve(&self, answer: &mut dyn FnMut(&str) -> Result<String>) {
        while let Ok(request) = self.0.recv() {
            let (status, text) = match answer(request.url()) {
                Ok(text) => (200, text),
                Err(error) => (500, format!("{error:#}")),
            };
            let _ = request.respond(Response::from_string(text).with_status_code(status));
        }
    }
}
