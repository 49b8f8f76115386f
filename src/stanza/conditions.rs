//! Stanza errors, RFC 6120 §8.3.

use crate::error::{Code, Error, Phase};
use crate::stream::ns;
use crate::xml::Element;

/// What an `<error/>` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StanzaError {
    /// What to do about it: `auth`, `cancel`, `continue`, `modify` or `wait` (§8.3.2).
    pub kind: String,
    /// The defined condition (§8.3.3); `undefined-condition` where there is none.
    pub condition: String,
    /// The text for people.
    pub text: Option<String>,
    /// What an application says beside the condition (§8.3.4).
    pub specific: Option<Element>,
}

impl Default for StanzaError {
    fn default() -> Self {
        StanzaError {
            kind: "cancel".to_owned(),
            condition: "undefined-condition".to_owned(),
            text: None,
            specific: None,
        }
    }
}

impl StanzaError {
    /// The error of a stanza of type `error`; `None` for any other.
    pub fn of(stanza: &Element) -> Option<StanzaError> {
        if stanza.attr("type") != Some("error") {
            return None;
        }
        let mut error = StanzaError::default();
        if let Some(element) = stanza.child("error", stanza.ns()) {
            if let Some(kind) = element.attr("type") {
                error.kind = kind.to_owned();
            }
            let condition = element
                .children()
                .find(|child| child.ns() == ns::STANZA_ERRORS && child.name() != "text");
            if let Some(condition) = condition {
                error.condition = condition.name().to_owned();
            }
            error.text = element.child_text("text", ns::STANZA_ERRORS);
            error.specific = element
                .children()
                .find(|child| child.ns() != ns::STANZA_ERRORS)
                .cloned();
        }
        Some(error)
    }

    /// The `<error/>` with a defined condition that answers a request.
    pub fn element(kind: &'static str, condition: &'static str) -> Element {
        Element::new("error", ns::CLIENT)
            .with_attr("type", kind)
            .with_child(Element::new(condition, ns::STANZA_ERRORS))
    }

    /// As the app sees it: `what` happened, and the condition behind it.
    pub fn into_error(self, what: &str) -> Error {
        Error::new(
            Code::StanzaError,
            Phase::Stanza,
            what.to_owned() + " (" + &self.condition + ")",
        )
        // §8.3.2: "retry after waiting".
        .with_retryable(self.kind == "wait")
        .with_condition(self.condition)
        .with_text(self.text)
        .with_specific(self.specific)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rfc6120_8_3_2_error_syntax() {
        let iq = Element::new("iq", ns::CLIENT).with_attr("type", "error").with_child(
            Element::new("error", ns::CLIENT)
                .with_attr("type", "wait")
                .with_child(Element::new("text", ns::STANZA_ERRORS).with_text("Come back later"))
                .with_child(Element::new("resource-constraint", ns::STANZA_ERRORS))
                .with_child(Element::new("retry", "urn:xmpp:http:upload:0")),
        );
        let error = StanzaError::of(&iq).unwrap().into_error("refused");
        assert_eq!(error.condition(), Some("resource-constraint"));
        assert!(error.specific().unwrap().is("retry", "urn:xmpp:http:upload:0"));
        assert_eq!(error.text(), Some("Come back later"));
        assert!(error.retryable());
    }

    #[test]
    fn rfc6120_8_3_an_error_without_an_error_is_undefined() {
        let iq = Element::new("iq", ns::CLIENT).with_attr("type", "error");
        assert_eq!(StanzaError::of(&iq).unwrap().condition, "undefined-condition");
        assert_eq!(StanzaError::of(&Element::new("iq", ns::CLIENT)), None);
    }
}
