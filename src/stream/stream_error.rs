//! Stream errors, RFC 6120 §4.9: fatal, and each with a condition.

use super::ns;
use crate::error::{Code, Error, Phase};
use crate::xml::Element;
use std::borrow::Cow;

/// What a `<stream:error/>` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamError {
    /// The defined condition (§4.9.3); `undefined-condition` where there is none.
    pub condition: String,
    /// The text for people.
    pub text: Option<String>,
}

impl StreamError {
    /// Reads the error; one without a condition is `undefined-condition`.
    pub fn read(element: &Element) -> StreamError {
        let condition = element
            .children()
            .find(|child| child.ns() == ns::STREAM_ERRORS && child.name() != "text")
            .map_or("undefined-condition", Element::name);
        StreamError {
            condition: condition.to_owned(),
            text: element.child_text("text", ns::STREAM_ERRORS),
        }
    }

    /// The error to send when the server's own frames cannot be accepted.
    pub fn element(condition: &'static str) -> Element {
        Element::new("error", ns::STREAM).with_child(Element::new(condition, ns::STREAM_ERRORS))
    }

    /// As the app sees it, happening in `phase`.
    pub fn into_error(self, phase: Phase) -> Error {
        let (code, retryable) = match self.condition.as_str() {
            // §4.9.3.3: "resource conflict"; coming back would only throw the other session out.
            "conflict" => (Code::Conflict, false),
            // Transient by their definitions in §4.9.3, or the fault of one connection alone.
            "connection-timeout"
            | "internal-server-error"
            | "remote-connection-failed"
            | "reset"
            | "resource-constraint"
            | "system-shutdown"
            | "undefined-condition"
            | "see-other-host" => (Code::StreamError, true),
            _ => (Code::StreamError, false),
        };
        let message: Cow<'static, str> = match self.condition.as_str() {
            "conflict" => "another session took this one's place".into(),
            "host-unknown" => "the server does not serve this domain".into(),
            "not-authorized" => "the server ended the session: not authorized".into(),
            "policy-violation" => "the server ended the session: something went against its policy".into(),
            "system-shutdown" => "the server is shutting down".into(),
            condition => ("the server ended the stream: ".to_owned() + condition).into(),
        };
        Error::new(code, phase, message)
            .with_retryable(retryable)
            .with_condition(self.condition)
            .with_text(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6120_4_9_2_condition_and_text() {
        let element = Element::new("error", ns::STREAM)
            .with_child(Element::new("text", ns::STREAM_ERRORS).with_text("Too slow"))
            .with_child(Element::new("policy-violation", ns::STREAM_ERRORS))
            .with_child(Element::new("custom", "urn:example:own"));
        let error = StreamError::read(&element).into_error(Phase::Session);
        assert_eq!(error.code(), Code::StreamError);
        assert_eq!(error.condition(), Some("policy-violation"));
        assert_eq!(error.text(), Some("Too slow"));
        assert!(!error.retryable());
    }

    #[test]
    fn rfc6120_4_9_3_21_without_a_condition_it_is_undefined() {
        let error = StreamError::read(&Element::new("error", ns::STREAM)).into_error(Phase::Stream);
        assert_eq!(error.condition(), Some("undefined-condition"));
        assert!(error.retryable());
    }
}
