//! draft-ietf-xmpp-websocket-00 (5 September 2013): the framing before `<open/>` and `<close/>`, in two translations, so that
//! nothing else has to know of it.
//!
//! The stream's own tags are messages: its header is a start tag alone (§3.3), its end an end tag alone (§3.5). What is
//! sent in between has a message of its own (§3.6) and leans on the header's declarations: it is read within a header
//! that has them. A header together with a stream error and the end is one whole document (§3.4).
//!
//! Left out: declarations of a header beyond the content namespace and the stream's, since no stanza may lean on them
//! (RFC 6120 §4.8.5); several elements in a message, which the draft forbids though some servers of its time sent
//! them; the TXT record of §4, which no browser can ask for; white space of ours as a sign of life (§3.8).

use super::framing::{Incoming, first, header, is_space, meaning};
use super::ns;
use super::stream_error::StreamError;
use crate::xml::{Bound, Limits, ReadError, is_ncname, read};

/// The message for a frame of ours.
pub(super) fn outgoing(frame: String) -> String {
    if let Some(attributes) = attributes(&frame, "<open xmlns=\"").and_then(|rest| rest.strip_suffix("/>")) {
        let start = "<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"";
        return [start, ns::STREAM, "\"", attributes, ">"].concat();
    }
    match attributes(&frame, "<close xmlns=\"") {
        Some(_) => "</stream:stream>".to_owned(),
        None => frame,
    }
}

/// What follows the namespace, where the frame is a header as it is written here.
fn attributes<'a>(frame: &'a str, start: &str) -> Option<&'a str> {
    frame.strip_prefix(start)?.strip_prefix(ns::FRAMING)?.strip_prefix('"')
}

/// What a message of the server's means.
pub(super) fn incoming(message: &str, limits: &Limits) -> Result<Incoming, ReadError> {
    // Before anything of it is copied.
    if message.len() > limits.bytes {
        return Err(ReadError::TooLarge(Bound::Bytes));
    }
    let message = message.trim_matches(is_space);
    if message.is_empty() {
        return Ok(Incoming::Nothing);
    }
    let end = message.strip_prefix("</").and_then(|rest| rest.strip_suffix('>'));
    if let Some((_, "stream")) = end.and_then(|name| qualified(name.trim_end_matches(is_space))) {
        return Ok(Incoming::Close { see_other_uri: None });
    }
    let Some((name, rest)) = first(message) else {
        return Err(ReadError::NotWellFormed);
    };
    match qualified(name) {
        Some((_, "stream")) => stream(name, message, limits),
        Some((prefix, local)) => {
            let text = message.get(message.len().saturating_sub(rest.len() + name.len() + 1)..);
            within(prefix, local, text.unwrap_or_default(), limits)
        }
        // What is banned rather than broken is called by its name.
        None => read(message, limits).and_then(meaning),
    }
}

/// A header, or a whole stream that is none but for its error.
fn stream(name: &str, message: &str, limits: &Limits) -> Result<Incoming, ReadError> {
    let element = read(message, limits).or_else(|_| read(&[message, "</", name, ">"].concat(), limits))?;
    if element.ns() != ns::STREAM {
        return Err(ReadError::Namespace);
    }
    Ok(match element.child("error", ns::STREAM) {
        Some(error) => Incoming::Error(StreamError::read(error)),
        None if element.nodes().is_empty() => Incoming::Open(header(&element)),
        None => Incoming::Element(element),
    })
}

/// An element that leans on a header: on one with the usual prefix, with none (RFC 6120 §4.8.2), or with the element's.
fn within(prefix: &str, local: &str, text: &str, limits: &Limits) -> Result<Incoming, ReadError> {
    let its = match local {
        "features" | "error" => ns::STREAM,
        _ => ns::CLIENT,
    };
    let default = if prefix.is_empty() { its } else { ns::CLIENT };
    let start = ["<stream xmlns='", default, "' xmlns:stream='", ns::STREAM, "'"].concat();
    let own = match (prefix, local) {
        ("" | "stream", _) => String::new(),
        (_, "features" | "error" | "message" | "presence" | "iq") => [" xmlns:", prefix, "='", its, "'"].concat(),
        _ => String::new(),
    };
    let limits = Limits {
        bytes: limits.bytes.saturating_mul(2),
        depth: limits.depth.saturating_add(1),
        ..*limits
    };
    let around = read(&[&start, &own, ">", text, "</stream>"].concat(), &limits)?;
    // §3.6: one a message.
    meaning(around.into_only().ok_or(ReadError::TwoRoots)?)
}

/// A name's prefix, perhaps empty, and its local part.
fn qualified(name: &str) -> Option<(&str, &str)> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    ((prefix.is_empty() || is_ncname(prefix)) && is_ncname(local)).then_some((prefix, local))
}
