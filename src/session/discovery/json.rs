//! Host-meta in JSON: a JRD, RFC 6415 appendix A.

use super::{Endpoint, Source, WEBSOCKET, endpoints, problem};
use crate::error::{Code, Error};
use crate::json::Json;

/// Reads the endpoints out of a JRD, in its order.
///
/// # Errors
/// `discovery-parse` for what is no JRD, `discovery-no-link` where it names no WebSocket, `insecure` where it names
/// only unencrypted ones. The message lacks its subject: the document.
pub fn read(document: &str, allow_insecure: bool) -> Result<Vec<Endpoint>, Error> {
    // RFC 8259 §8.1: a byte order mark should not be there, and may be passed over.
    let root = Json::parse(document.trim_start_matches('\u{feff}'));
    let root = root.ok_or_else(|| problem(Code::DiscoveryParse, "cannot be read: it is no JSON"))?;
    let links = match root.get("links") {
        None if root.is_object() => Vec::new(),
        links => links
            .and_then(|links| links.items())
            .ok_or_else(|| problem(Code::DiscoveryParse, "is JSON, but no JRD"))?,
    };
    let addresses = links
        .iter()
        .filter(|link| text(link, "rel").is_some_and(|rel| rel == WEBSOCKET))
        .filter_map(|link| text(link, "href"));
    endpoints(addresses, Source::Json, allow_insecure)
}

fn text(link: &Json, name: &str) -> Option<String> {
    link.get(name)?.text()
}
