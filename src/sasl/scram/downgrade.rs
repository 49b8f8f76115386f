//! SASL SCRAM Downgrade Protection: XEP-0474 (0.5.0, 2025-10-25). The server's first message carries a hash of the
//! mechanisms and channel-binding types that it offered. The message is signed by both sides, so who changed the offer on
//! its way here would have to change the hash as well, and can't.

#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ScramError;
use super::wire::extensions;
use crate::sasl::{Hash, Offer};

/// Whether the offer that arrived here can be the one that the server made.
///
/// A plain comparison, since nothing in it is secret: the offer went over the wire, and so did its hash, made without a
/// key. What an attacker could learn from how long it takes is what he has sent himself.
pub(super) fn check(hash: Hash, server_first: &str, offer: &Offer, required: bool) -> Result<(), ScramError> {
    let mut given = extensions(server_first, b'h').peekable();
    if given.peek().is_none() {
        // XEP-0474 §7, the new rule 6: a server that lists types, but neither ours nor the one that all must have, may
        // do so where the hash vouches for the list. Without one it's an attack (XEP-0440 §3).
        let suspect = |types: &Vec<String>| types.iter().all(|name| name != "tls-server-end-point");
        return match &offer.bindings {
            Some(types) if required && suspect(types) => Err(ScramError::OfferChanged),
            _ => Ok(()),
        };
    }
    // RFC 5802 has no word on an attribute that comes twice: one that is wrong is reason enough.
    let expected = value(hash, offer);
    if given.all(|value| value == expected) {
        Ok(())
    } else {
        Err(ScramError::OfferChanged)
    }
}

/// The attribute's value for this offer, as the server should have it (§6.1).
fn value(hash: Hash, offer: &Offer) -> String {
    let mut list = sorted(&offer.mechanisms);
    if let Some(bindings) = &offer.bindings {
        list.push('\x1f');
        list.push_str(&sorted(bindings));
    }
    STANDARD.encode(hash.digest(list.as_bytes()).as_bytes())
}

/// By the collation "i;octet" (RFC 4790 §9.3), which is Rust's own order of strings.
fn sorted(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.join("\x1e")
}
