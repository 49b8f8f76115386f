//! Stream features, RFC 6120 §4.3.2: what the server offers at this point of the negotiation.

use super::ns;
use crate::xml::Element;

/// What this library makes use of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// The SASL mechanisms offered, in the server's order (RFC 6120 §6.3.3). None: authentication is not offered.
    pub mechanisms: Option<Vec<String>>,
    /// Resource binding (RFC 6120 §7.4).
    pub bind: bool,
    /// The session of RFC 3921 §3 is required: offered, and not marked optional.
    pub session: bool,
}

impl Features {
    /// Reads a `<stream:features/>`; what is unknown is skipped.
    pub fn read(element: &Element) -> Features {
        Features {
            mechanisms: element.child("mechanisms", ns::SASL).map(|list| {
                list.children()
                    .filter(|child| child.is("mechanism", ns::SASL))
                    .map(|child| child.text().trim().to_owned())
                    .collect()
            }),
            bind: element.child("bind", ns::BIND).is_some(),
            session: element
                .child("session", ns::SESSION)
                .is_some_and(|session| session.child("optional", ns::SESSION).is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6120_6_4_1_mechanisms() {
        let element = Element::new("features", ns::STREAM).with_child(
            Element::new("mechanisms", ns::SASL)
                .with_child(Element::new("mechanism", ns::SASL).with_text("EXTERNAL"))
                .with_child(Element::new("mechanism", "urn:other").with_text("NOT-SASL"))
                .with_child(Element::new("mechanism", ns::SASL).with_text("\n SCRAM-SHA-1 ")),
        );
        let features = Features::read(&element);
        assert_eq!(
            features.mechanisms.as_deref(),
            Some(["EXTERNAL".to_owned(), "SCRAM-SHA-1".to_owned()].as_slice())
        );
        assert!(!features.bind);
    }

    #[test]
    fn rfc3921_3_session_optional_is_not_asked() {
        let required = Element::new("session", ns::SESSION);
        let optional = required.clone().with_child(Element::new("optional", ns::SESSION));
        let features = |session| Features::read(&Element::new("features", ns::STREAM).with_child(session));
        assert!(features(required).session);
        assert!(!features(optional).session);
    }
}
