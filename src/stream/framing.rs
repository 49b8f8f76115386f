//! RFC 7395 (October 2014), an XMPP subprotocol for WebSocket: what one WebSocket message means.
//!
//! A message holds exactly one element with all its namespaces (§3.3). `<open/>` and `<close/>` stand where TCP has
//! the stream's tags; everything else is what it is on TCP.
//!
//! Left out for now: following `see-other-uri` on a `<close/>` (§3.6.1), which is taken as any other end.

use super::features::Features;
use super::ns;
use super::stream_error::StreamError;
use crate::xml::{Element, Limits, ReadError, read};

/// The WebSocket subprotocol that both sides must name (§3.1).
pub const SUBPROTOCOL: &str = "xmpp";

/// What a server can send.
#[derive(Debug)]
pub enum Incoming {
    /// The server's stream header (§3.4).
    Open(Open),
    /// The server ends the stream (§3.6).
    Close,
    /// The stream has failed (§3.5).
    Error(StreamError),
    /// What the server offers at this point (RFC 6120 §4.3.2).
    Features(Features),
    /// Anything else: a stanza, or a step of a negotiation.
    Element(Element),
}

/// A server's stream header.
#[derive(Debug)]
pub struct Open {
    /// `1.0`, or something newer.
    pub version: Option<String>,
}

/// The client's stream header, to be sent first and after authentication again (§3.4, §3.7).
pub fn open(domain: &str, lang: Option<&str>) -> Element {
    Element::new("open", ns::FRAMING)
        .with_attr("to", domain)
        .with_attr("version", "1.0")
        .with_opt_attr("xml:lang", lang)
}

/// The end of the stream (§3.6).
pub fn close() -> Element {
    Element::new("close", ns::FRAMING)
}

/// Reads one WebSocket message.
///
/// # Errors
/// Whatever is no single, complete and permitted XML element (§3.3.3).
pub fn incoming(frame: &str, limits: &Limits) -> Result<Incoming, ReadError> {
    let element = match (read(frame, limits), with_prefix(frame)) {
        (Err(_), Some(frame)) => read(&frame, limits)?,
        (read, _) => read?,
    };
    Ok(match (element.name(), element.ns()) {
        ("open", ns::FRAMING) => Incoming::Open(Open {
            version: element.attr("version").map(str::to_owned),
        }),
        ("close", ns::FRAMING) => Incoming::Close,
        ("error", ns::STREAM) => Incoming::Error(StreamError::read(&element)),
        ("features", ns::STREAM) => Incoming::Features(Features::read(&element)),
        _ => Incoming::Element(element),
    })
}

/// Whether a frame that cannot be read was meant as a stanza, and so may be another user's making. A stream's own elements
/// are the server's.
pub fn is_stanza(frame: &str) -> bool {
    ["<message", "<presence", "<iq"]
        .iter()
        .any(|tag| frame.starts_with(tag))
}

/// Prosody (0.12 and 13) doesn't declare the prefix in its last words to a session that another one took the place of.
/// By §3.3.3 that is no frame; but read as one it would say "conflict", after which nobody should come again by itself.
fn with_prefix(frame: &str) -> Option<String> {
    let rest = frame.strip_prefix("<stream:error>")?;
    Some(["<stream:error xmlns:stream='", ns::STREAM, "'>", rest].concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn parse(frame: &str) -> Incoming {
        incoming(frame, &Limits::default()).unwrap()
    }

    #[test]
    fn rfc7395_3_3_2_message_is_a_document_of_its_own() {
        let frame = r#"<message xmlns="jabber:client" xml:lang="en">
            <body>Every WebSocket message is parsable by itself.</body>
          </message>"#;
        let Incoming::Element(message) = parse(frame) else {
            panic!("an element")
        };
        assert!(message.is("message", ns::CLIENT));
        assert_eq!(message.attr("xml:lang"), Some("en"));
        assert_eq!(
            message.child_text("body", ns::CLIENT).as_deref(),
            Some("Every WebSocket message is parsable by itself.")
        );
    }

    #[test]
    fn rfc7395_3_4_stream_initiation() {
        let frame = r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="example.com"
            id="++TR84Sm6A3hnt3Q065SnAbbk3Y=" xml:lang="en" version="1.0" />"#;
        let Incoming::Open(open) = parse(frame) else {
            panic!("an open")
        };
        assert_eq!(open.version.as_deref(), Some("1.0"));
    }

    #[test]
    fn rfc7395_3_4_our_header() {
        assert_eq!(
            crate::xml::write(&open("example.com", None)).unwrap(),
            r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="example.com" version="1.0"/>"#
        );
    }

    #[test]
    fn rfc7395_3_4_1_error_after_open() {
        let frame = r#"<stream:error xmlns:stream="http://etherx.jabber.org/streams">
            <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"#;
        let Incoming::Error(error) = parse(frame) else {
            panic!("an error")
        };
        assert_eq!(error.condition, "host-unknown");
    }

    #[test]
    fn prosodys_undeclared_error_is_read() {
        let frame = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
                     <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced by new connection</text></stream:error>";
        let Incoming::Error(error) = parse(frame) else {
            panic!("an error")
        };
        assert_eq!(error.condition, "conflict");
        assert_eq!(error.text.as_deref(), Some("Replaced by new connection"));
        for frame in [
            "<stream:error>",
            "<stream:errors/>",
            "<stream:features/>",
            "<stream:error></a>",
        ] {
            assert!(incoming(frame, &Limits::default()).is_err(), "{frame}");
        }
    }

    #[test]
    fn rfc7395_3_6_closing() {
        for frame in [
            r#"<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />"#,
            r#"<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" see-other-uri="wss://otherendpoint.example/xmpp-bind" />"#,
        ] {
            assert!(matches!(parse(frame), Incoming::Close));
        }
        assert_eq!(
            crate::xml::write(&close()).unwrap(),
            r#"<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>"#
        );
    }

    #[test]
    fn rfc7395_3_3_3_rejects_two_elements_in_a_frame() {
        assert!(incoming("<a xmlns='x'/><b xmlns='x'/>", &Limits::default()).is_err());
    }

    #[test]
    fn rfc7395_3_8_rejects_whitespace_keepalive() {
        assert!(incoming(" ", &Limits::default()).is_err());
    }
}
