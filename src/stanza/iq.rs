//! Answers to iqs, RFC 6120 §8.2.3: every request gets exactly one, and nothing answers an answer.

use super::StanzaError;
use crate::stream::ns;
use crate::xml::Element;

/// Whether this is a request, which must be answered, and whether a set.
pub fn request(iq: &Element) -> Option<bool> {
    match (iq.is("iq", ns::CLIENT), iq.attr("type")) {
        (true, Some("get")) => Some(false),
        (true, Some("set")) => Some(true),
        _ => None,
    }
}

/// The result that answers a request.
pub fn result(request: &Element, payload: Option<Element>) -> Element {
    answer(request, "result").with_opt_child(payload)
}

/// The error that answers a request, with a type and condition of RFC 6120 §8.3.
pub fn error(request: &Element, kind: &'static str, condition: &'static str) -> Element {
    answer(request, "error").with_child(StanzaError::element(kind, condition))
}

fn answer(request: &Element, kind: &'static str) -> Element {
    Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_opt_attr("id", request.attr("id"))
        .with_opt_attr("to", request.attr("from"))
}
