//! RFC 7395 (October 2014), an XMPP subprotocol for WebSocket: what one WebSocket message means.
//!
//! A message holds exactly one element with all its namespaces (§3.3). `<open/>` and `<close/>` stand where TCP has
//! the stream's tags; everything else is what it is on TCP. What the draft of 2013 had in their place is the matter of
//! `draft00.rs` alone. The manual's [table](crate::manual::rfc7395) says which test holds which clause.
//!
//! Left out: the refusal of stanzas whose names have a prefix, which RFC 6120 §4.8.5 advises; in a document of its own
//! a prefix changes nothing.

use super::draft00;
use super::features::Features;
use super::ns;
use super::stream_error::StreamError;
use crate::jid::Jid;
use crate::xml::{Element, Limits, ReadError, read};

/// The WebSocket subprotocol that both sides must name (§3.1).
pub const SUBPROTOCOL: &str = "xmpp";

/// How the stream is put into WebSocket messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Framing {
    /// RFC 7395.
    #[default]
    Rfc7395,
    /// draft-ietf-xmpp-websocket-00: the stream's own tags, each as a message.
    Draft00,
}

/// What a server can send.
#[derive(Debug)]
pub enum Incoming {
    /// The server's stream header (§3.4).
    Open(Open),
    /// The server ends the stream (§3.6).
    Close {
        /// Where it wants the client to go instead (§3.6.1), as it wrote it.
        see_other_uri: Option<String>,
    },
    /// The stream has failed (§3.5).
    Error(StreamError),
    /// What the server offers at this point (RFC 6120 §4.3.2).
    Features(Features),
    /// White space: a sign of life in the draft of 2013, a fault in RFC 7395 (§3.8).
    Nothing,
    /// Anything else: a stanza, or a step of a negotiation.
    Element(Element),
}

/// A server's stream header.
///
/// The version is all that a client has to look at. A `from` may differ from the domain that was asked for, or be
/// missing (RFC 6120 §4.7.1): who the server is, TLS and SASL say (§13.5). An `id` means nothing to a client (§4.7.3).
/// The language (§4.7.4) is that of the server's own texts, and each frame names its own (RFC 7395 §3.3.3).
#[derive(Debug)]
pub struct Open {
    /// `1.0`, or something newer.
    pub version: Option<String>,
}

impl Open {
    /// Whether the server speaks XMPP 1.0 or something newer.
    pub fn is_xmpp(&self) -> bool {
        // RFC 6120 §4.7.5: no version is 0.9, leading zeros don't count, and the minor version changes nothing.
        let major = self.version.as_deref().and_then(|version| version.split('.').next());
        major.is_some_and(|major| {
            major.bytes().all(|digit| digit.is_ascii_digit()) && major.bytes().any(|digit| digit != b'0')
        })
    }
}

/// The client's stream header, to be sent first and after authentication again (§3.4, §3.7). Whose client it is (`from`)
/// is said where nobody can listen (RFC 6120 §4.7.1).
pub fn open(domain: &str, from: Option<&Jid>, lang: Option<&str>) -> Element {
    Element::new("open", ns::FRAMING)
        .with_attr("to", domain)
        .with_opt_attr("from", from.map(Jid::as_str))
        .with_attr("version", "1.0")
        .with_opt_attr("xml:lang", lang)
}

/// The end of the stream (§3.6).
pub fn close() -> Element {
    Element::new("close", ns::FRAMING)
}

/// The WebSocket message for a frame of ours.
pub fn wire(framing: Framing, frame: String) -> String {
    match framing {
        Framing::Rfc7395 => frame,
        Framing::Draft00 => draft00::outgoing(frame),
    }
}

/// Reads one WebSocket message, whatever the framing.
///
/// # Errors
/// As those of [`incoming`].
pub fn incoming_as(framing: Framing, message: &str, limits: &Limits) -> Result<Incoming, ReadError> {
    match framing {
        Framing::Rfc7395 => incoming(message, limits),
        Framing::Draft00 => draft00::incoming(message, limits),
    }
}

/// Reads one WebSocket message.
///
/// # Errors
/// Whatever is no single, complete and permitted XML element (§3.3.3), and what is in a namespace that has no place in
/// a client's stream (§3.3.2).
pub fn incoming(frame: &str, limits: &Limits) -> Result<Incoming, ReadError> {
    meaning(match (read(frame, limits), with_prefix(frame)) {
        (Err(_), Some(frame)) => read(&frame, limits)?,
        (read, _) => read?,
    })
}

pub(super) fn meaning(element: Element) -> Result<Incoming, ReadError> {
    Ok(match (element.name(), element.ns()) {
        ("open", ns::FRAMING) => Incoming::Open(header(&element)),
        ("close", ns::FRAMING) => Incoming::Close {
            see_other_uri: element.attr("see-other-uri").map(str::to_owned),
        },
        // §3.3.2: the receiver MUST close the stream; RFC 6120 §4.8.3 says the same of stanzas.
        ("open" | "close", _) | (_, ns::SERVER) => return Err(ReadError::Namespace),
        ("error", ns::STREAM) => Incoming::Error(StreamError::read(&element)),
        ("features", ns::STREAM) => Incoming::Features(Features::read(&element)),
        _ => Incoming::Element(element),
    })
}

pub(super) fn header(element: &Element) -> Open {
    Open {
        version: element.attr("version").map(str::to_owned),
    }
}

/// Whether a frame that cannot be read was meant as a stanza, and so may be another user's making. A stream's own elements
/// are the server's.
pub fn is_stanza(frame: &str) -> bool {
    let name = first(frame).and_then(|(name, _)| name.rsplit(':').next());
    matches!(name, Some("message" | "presence" | "iq"))
}

/// The name in the first tag of a message, and what follows it. White space and an XML declaration may come before.
pub(super) fn first(message: &str) -> Option<(&str, &str)> {
    let mut text = message.trim_start_matches(is_space);
    if let Some(declaration) = text.strip_prefix("<?xml") {
        text = declaration.split_once("?>")?.1.trim_start_matches(is_space);
    }
    let text = text.strip_prefix('<')?;
    text.split_at_checked(text.find(|c| is_space(c) || c == '>' || c == '/')?)
}

/// White space of XML (XML 1.0 §2.3).
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Prosody (0.12 and 13) doesn't declare the prefix in its last words to a session that another one took the place of.
/// By §3.3.3 that is no frame; but read as one it would say "conflict", after which nobody should come again by itself.
fn with_prefix(frame: &str) -> Option<String> {
    let rest = frame.strip_prefix("<stream:error>")?;
    Some(["<stream:error xmlns:stream='", ns::STREAM, "'>", rest].concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
