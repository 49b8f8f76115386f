//! Stream features, RFC 6120 §4.3.2: what the server offers at this point of the negotiation.

use super::ns;
use crate::sasl::Offer;
use crate::xml::Element;

/// What this library makes use of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// The SASL mechanisms (RFC 6120 §6.3.3) and the types of channel binding (XEP-0440). None: authentication is not
    /// offered.
    pub offer: Option<Offer>,
    /// What the server takes at this point (XEP-0478).
    pub limits: StreamLimits,
    /// Resource binding (RFC 6120 §7.4).
    pub bind: bool,
    /// The session of RFC 3921 §3 is required: offered, and not marked optional.
    pub session: bool,
}

impl Features {
    /// Reads a `<stream:features/>`; what is unknown is skipped.
    pub fn read(element: &Element) -> Features {
        Features {
            offer: element.child("mechanisms", ns::SASL).map(|list| Offer {
                mechanisms: list
                    .children()
                    .filter(|child| child.is("mechanism", ns::SASL))
                    .map(|child| child.text().trim().to_owned())
                    .collect(),
                bindings: bindings(element),
            }),
            limits: StreamLimits::read(element),
            bind: element.child("bind", ns::BIND).is_some(),
            session: element
                .child("session", ns::SESSION)
                .is_some_and(|session| session.child("optional", ns::SESSION).is_none()),
        }
    }
}

/// The limits that a server announces, XEP-0478 (0.2.0, 2024-08-02). They hold until it announces others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamLimits {
    /// The most bytes of one element at the stream's first level, a stanza for example. Never 0.
    pub max_bytes: Option<u32>,
    /// After how many seconds without a word of ours the server may end the stream, or ask whether we are there.
    pub idle_seconds: Option<u32>,
}

impl StreamLimits {
    fn read(features: &Element) -> StreamLimits {
        // Both are xs:unsignedInt. What isn't announces nothing: a limit that can't be read can't be kept.
        let number = |name| {
            features
                .child("limits", ns::LIMITS)
                .and_then(|limits| limits.child_text(name, ns::LIMITS))
                .and_then(|text| text.trim().parse().ok())
        };
        StreamLimits {
            // Under none at all nothing could be said, not even that.
            max_bytes: number("max-bytes").filter(|bytes| *bytes != 0),
            idle_seconds: number("idle-seconds"),
        }
    }
}

/// XEP-0440 §2. Both forms of SASL share the one element beside them.
fn bindings(features: &Element) -> Option<Vec<String>> {
    features.child("sasl-channel-binding", ns::CHANNEL_BINDING).map(|list| {
        list.children()
            .filter(|child| child.is("channel-binding", ns::CHANNEL_BINDING))
            .filter_map(|child| child.attr("type").map(str::to_owned))
            .collect()
    })
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
        assert_eq!(features.offer.unwrap().mechanisms, ["EXTERNAL", "SCRAM-SHA-1"]);
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
