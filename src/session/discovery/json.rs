//! Host-meta in JSON: a JRD, RFC 6415 appendix A.

use super::{Endpoint, Named, Source, WEBSOCKET, problem};
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
    let mut named = Named::new(Source::Json, allow_insecure);
    let no_jrd = || problem(Code::DiscoveryParse, "is JSON, but no JRD");
    let Some(links) = root.get("links") else {
        // It may have none at all.
        return if root.is_object() { named.end() } else { Err(no_jrd()) };
    };
    for link in links.items().ok_or_else(no_jrd)? {
        let text = |name| link.get(name).and_then(|value| value.text());
        if text("rel").is_some_and(|rel| rel == WEBSOCKET)
            && let Some(address) = text("href")
        {
            named.add(&address);
        }
    }
    named.end()
}
