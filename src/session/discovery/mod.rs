//! Finding the endpoint: host-meta (RFC 6415, RFC 7395 §4, XEP-0156 1.4.0), and which URLs may be used at all.
//!
//! `lookup` asks for both documents at once, `xrd` and `json` read them, `url` says what may come of it.
//!
//! Left out: the TCP methods that the same documents may name, and BOSH (XEP-0206).

mod json;
mod lookup;
mod url;
mod xrd;

pub use json::read as read_json;
pub use url::{Endpoint, check_http, host_meta_url};
pub use xrd::read as read_xrd;

pub(super) use lookup::Lookup;

use crate::error::{Code, Error, Phase};

/// More than any host-meta needs, in bytes.
pub const MAX_HOST_META: usize = 64 * 1024;

/// How many endpoints of one domain are tried: what a stranger writes must not have a page call the whole world.
pub const MAX_ENDPOINTS: usize = 10;

/// XEP-0156 §2.1: the relation of a link to a WebSocket.
const WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";

/// Where an endpoint comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The app named it.
    Url,
    /// The domain's host-meta in XML (RFC 6415 §2).
    Xrd,
    /// The domain's host-meta in JSON (RFC 6415 §3).
    Json,
}

impl Source {
    /// The source as JavaScript sees it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Url => "url",
            Source::Xrd => "xrd",
            Source::Json => "json",
        }
    }
}

/// The endpoints that a document names, in its order.
struct Named {
    source: Source,
    allow_insecure: bool,
    endpoints: Vec<Endpoint>,
    refused: bool,
}

impl Named {
    fn new(source: Source, allow_insecure: bool) -> Named {
        Named {
            source,
            allow_insecure,
            endpoints: Vec::new(),
            refused: false,
        }
    }

    /// Takes the next address. An unencrypted one is passed over unless it is on loopback (RFC 7395 §4: what host-meta says
    /// is only as safe as the way it came), and what is no address of a WebSocket in any case.
    fn add(&mut self, address: &str) {
        match Endpoint::of(address.trim(), self.source, self.allow_insecure) {
            Ok(new) => {
                let known = self.endpoints.iter().any(|endpoint| endpoint.url == new.url);
                if !known && self.endpoints.len() < MAX_ENDPOINTS {
                    self.endpoints.push(new);
                }
            }
            Err(error) => self.refused |= error.code() == Code::Insecure,
        }
    }

    /// At least one endpoint, or why there is none.
    fn end(self) -> Result<Vec<Endpoint>, Error> {
        if !self.endpoints.is_empty() {
            return Ok(self.endpoints);
        }
        Err(if self.refused {
            problem(Code::Insecure, "names only unencrypted WebSocket endpoints (ws:)")
        } else {
            problem(Code::DiscoveryNoLink, "names no WebSocket endpoint")
        })
    }
}

/// What is wrong with one document. Its message lacks the subject, which is the document's name.
fn problem(code: Code, said: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(code, Phase::Discovery, said)
}
