//! draft-ietf-xmpp-websocket-00 (5 September 2013): the framing before `<open/>` and `<close/>`, as two translations
//! between its messages and RFC 7395's frames, so that nothing else has to know of it.
//!
//! The stream's own tags are messages: its header is a start tag alone (§3.3), its end an end tag alone (§3.5). What is
//! sent in between has a message of its own (§3.6) and leans on the header's declarations: it is given those that it
//! lacks. A header together with a stream error and the end is one whole document (§3.4).
//!
//! Left out: declarations of a header beyond the content namespace and the stream's, since no stanza may lean on them
//! (RFC 6120 §4.8.5); several elements in a message, which the draft forbids though some servers of its time sent
//! them; the TXT record of §4, which no browser can ask for; white space of ours as a sign of life (§3.8).

use super::framing::{first, is_space};
use super::ns;
use crate::xml::is_ncname;
use std::borrow::Cow;

/// The end of the stream as a frame.
const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

/// The message for a frame of ours.
pub(super) fn outgoing(frame: String) -> String {
    if let Some(attributes) = header(&frame, "<open xmlns=\"").and_then(|rest| rest.strip_suffix("/>")) {
        let start = "<stream:stream xmlns=\"jabber:client\" xmlns:stream=\"";
        return [start, ns::STREAM, "\"", attributes, ">"].concat();
    }
    match header(&frame, "<close xmlns=\"") {
        Some(_) => "</stream:stream>".to_owned(),
        None => frame,
    }
}

/// What follows its namespace, where the frame is a header as it is written here.
fn header<'a>(frame: &'a str, start: &str) -> Option<&'a str> {
    frame.strip_prefix(start)?.strip_prefix(ns::FRAMING)?.strip_prefix('"')
}

/// The frame for a message of the server's. A header becomes an element without children. What is no message of the
/// draft's stays as it is, since the parser alone decides what is well-formed.
pub(super) fn incoming(message: &str) -> Cow<'_, str> {
    let message = message.trim_matches(is_space);
    let end = message.strip_prefix("</").and_then(|rest| rest.strip_suffix('>'));
    if let Some((_, "stream")) = end.and_then(|name| qualified(name.trim_end_matches(is_space))) {
        return Cow::Borrowed(CLOSE);
    }
    let Some(tag) = Tag::read(message) else {
        return Cow::Borrowed(message);
    };
    if tag.name == "stream" {
        return match message.strip_suffix('>') {
            Some(start) if tag.rest.is_empty() && !tag.empty => Cow::Owned(start.to_owned() + "/>"),
            _ => Cow::Borrowed(message),
        };
    }
    let streams = matches!(tag.name, "features" | "error");
    let mut declarations = String::new();
    if !tag.default {
        let default = if streams && tag.prefix.is_empty() {
            ns::STREAM
        } else {
            ns::CLIENT
        };
        declare(&mut declarations, "", default);
    }
    if !tag.declared && (streams || matches!(tag.name, "message" | "presence" | "iq")) {
        declare(
            &mut declarations,
            tag.prefix,
            if streams { ns::STREAM } else { ns::CLIENT },
        );
    }
    match message.split_at_checked(message.len().saturating_sub(tag.inside.len())) {
        Some((start, inside)) if !declarations.is_empty() => Cow::Owned([start, &declarations, inside].concat()),
        _ => Cow::Borrowed(message),
    }
}

fn declare(out: &mut String, prefix: &str, ns: &str) {
    let colon = if prefix.is_empty() { "" } else { ":" };
    for piece in [" xmlns", colon, prefix, "='", ns, "'"] {
        out.push_str(piece);
    }
}

/// The start tag that a message begins with.
struct Tag<'a> {
    /// Empty for none.
    prefix: &'a str,
    name: &'a str,
    /// What follows the name.
    inside: &'a str,
    /// What follows the tag.
    rest: &'a str,
    /// Whether the element ends with the tag.
    empty: bool,
    /// Whether it declares the default namespace.
    default: bool,
    /// Whether it declares its own prefix, or has none.
    declared: bool,
}

impl<'a> Tag<'a> {
    /// Reads it as far as it matters here, in one pass over the tag.
    fn read(message: &'a str) -> Option<Tag<'a>> {
        let (name, inside) = first(message)?;
        let (prefix, name) = qualified(name)?;
        let (mut default, mut declared) = (false, prefix.is_empty());
        let mut rest = inside;
        loop {
            rest = rest.trim_start_matches(is_space);
            let empty = rest.starts_with("/>");
            if let Some(rest) = rest.strip_prefix(if empty { "/>" } else { ">" }) {
                return Some(Tag {
                    prefix,
                    name,
                    inside,
                    rest,
                    empty,
                    default,
                    declared,
                });
            }
            let (attribute, value) = rest.split_once('=')?;
            match attribute.trim_end_matches(is_space).strip_prefix("xmlns") {
                Some("") => default = true,
                Some(other) if other.strip_prefix(':') == Some(prefix) => declared = true,
                _ => {}
            }
            let value = value.trim_start_matches(is_space);
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            (_, rest) = value.strip_prefix(quote)?.split_once(quote)?;
        }
    }
}

/// A name's prefix, perhaps empty, and its local part.
fn qualified(name: &str) -> Option<(&str, &str)> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    ((prefix.is_empty() || is_ncname(prefix)) && is_ncname(local)).then_some((prefix, local))
}
