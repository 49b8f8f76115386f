//! What is shown of frames: all but credentials. That is what SASL carries, passwords that are registered (XEP-0077), and what is
//! written into fields of forms that aren't to be read over a shoulder (XEP-0004 §3.3).

use crate::stream::ns;
use crate::xml::{self, Element, Limits, Node};

const REDACTED: &str = "[redacted]";

/// What a frame must say for there to be credentials in it.
const TELLING: [&str; 5] = [ns::SASL, ns::SASL2, ns::REGISTER, "text-private", "password"];

/// What is to be shown in a frame's place; none where it has no credentials.
pub(super) fn shown(frame: &str, limits: &Limits) -> Option<String> {
    // Only frames that may have some are read for this.
    let telling = TELLING.iter().any(|word| frame.contains(word));
    // A reference to a character may stand in a namespace as well.
    if !telling && !frame.contains("&#") {
        return None;
    }
    match xml::read(frame, limits) {
        Ok(element) => redacted(&element).and_then(|shown| xml::write(&shown).ok()),
        // Whatever it is: what it holds may be good for a login. Features hold nothing of the kind.
        Err(_) if telling && !frame.trim_start().starts_with("<stream:") => Some(REDACTED.to_owned()),
        Err(_) => None,
    }
}

/// The element without its credentials, where it has any. What the server says of SCRAM is as good as a proof to those who
/// try passwords: its signature can be checked against each.
pub(super) fn redacted(element: &Element) -> Option<Element> {
    let credentials = match element.ns() {
        ns::SASL => matches!(element.name(), "auth" | "response" | "challenge" | "success"),
        ns::SASL2 => true,
        _ => has_secrets(element),
    };
    credentials.then(|| without_secrets(element, false))
}

/// Whether a password stands in it, or somewhere below.
fn has_secrets(element: &Element) -> bool {
    is_password(element) || is_private(element) || element.children().any(has_secrets)
}

/// Of a registration, by elements of its own.
fn is_password(element: &Element) -> bool {
    element.is("password", ns::REGISTER) || element.is("key", ns::REGISTER)
}

/// Of a form: what is submitted needs no type (XEP-0004 §3.2), and is known by its name then.
fn is_private(element: &Element) -> bool {
    element.is("field", ns::FORMS)
        && (element.attr("type") == Some("text-private")
            || element.attr("var").is_some_and(|var| var.contains("password")))
}

/// In the namespaces of authentication, what text says is a secret but for names; of a token, the attribute of that name.
fn without_secrets(element: &Element, private: bool) -> Element {
    const PUBLIC: [&str; 4] = ["authorization-identifier", "software", "task", "text"];
    let private = private || is_private(element);
    let mut shown = Element::new(element.name().to_owned(), element.namespace().clone());
    for (name, value) in element.attrs() {
        let secret = element.ns() == ns::FAST && name == "token";
        shown.set_attr(name.to_owned(), if secret { REDACTED } else { value });
    }
    let secret = matches!(element.ns(), ns::SASL | ns::SASL2) && !PUBLIC.contains(&element.name())
        || is_password(element)
        || private && element.is("value", ns::FORMS);
    for node in element.nodes() {
        match node {
            Node::Element(child) => shown.push(Node::Element(without_secrets(child, private))),
            Node::Text(text) if secret && !text.trim().is_empty() => shown = shown.with_text(REDACTED),
            Node::Text(text) => shown = shown.with_text(text.as_str()),
        }
    }
    shown
}
