//! Stream features, RFC 6120 §4.3.2 (March 2011): what the server offers at this point of the negotiation, with the types of
//! channel binding (XEP-0440 1.0.0, 2025-12-08) and the limits (XEP-0478 0.2.0, 2024-08-02) that it announces.

use super::ns;
use crate::sasl::{Mechanism, Offer};
use crate::xml::Element;

/// What this library makes use of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// The SASL mechanisms (RFC 6120 §6.3.3) and the types of channel binding (XEP-0440). None: authentication is not
    /// offered.
    pub offer: Option<Offer>,
    /// The same by the other profile of SASL (XEP-0388 §2.1), with what can be had along with the authentication.
    pub sasl2: Option<(Offer, Inline)>,
    /// What the server takes at this point (XEP-0478).
    pub limits: StreamLimits,
    /// Resource binding (RFC 6120 §7.4).
    pub bind: bool,
    /// Stream management (XEP-0198 §3).
    pub sm: bool,
    /// Client state indication (XEP-0352 §4.1).
    pub csi: bool,
    /// The session of RFC 3921 §3 is required: offered, and not marked optional.
    pub session: bool,
    /// The server says by its capabilities (XEP-0115 §6.3) that it is Prosody. It (0.12 and 13) reads a new stream's header
    /// with the old stream's parser where the two come in one read: nobody is to send it both in one breath.
    pub prosody: bool,
    /// The server numbers the versions of rosters (RFC 6121 §2.6.1).
    pub roster_ver: bool,
}

impl Features {
    /// Reads a `<stream:features/>`; what is unknown is skipped.
    pub fn read(element: &Element) -> Features {
        Features {
            offer: element.child("mechanisms", ns::SASL).map(|list| Offer {
                mechanisms: mechanisms(list, ns::SASL),
                bindings: bindings(element),
            }),
            sasl2: element.child("authentication", ns::SASL2).map(|list| {
                let offer = Offer {
                    mechanisms: mechanisms(list, ns::SASL2),
                    bindings: bindings(element),
                };
                (offer, Inline::read(list))
            }),
            limits: StreamLimits::read(element),
            bind: element.child("bind", ns::BIND).is_some(),
            sm: element.child("sm", ns::SM).is_some(),
            csi: element.child("csi", ns::CSI).is_some(),
            session: element
                .child("session", ns::SESSION)
                .is_some_and(|session| session.child("optional", ns::SESSION).is_none()),
            prosody: element
                .child("c", ns::CAPS)
                .is_some_and(|caps| caps.attr("node") == Some("http://prosody.im")),
            roster_ver: element.child("ver", ns::ROSTER_VER).is_some(),
        }
    }
}

/// What can be had along with an authentication (XEP-0388 §2.1), as far as this library makes use of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inline {
    /// A resource, and the features that can be enabled with it (Bind 2: XEP-0386 1.1.0, §2.1).
    pub bind: Option<Vec<String>>,
    /// The session before (XEP-0198).
    pub resume: bool,
    /// A token for the next time, or in place of credentials: by which mechanisms, the strongest first (XEP-0484 §3.1).
    pub tokens: Vec<Mechanism>,
}

impl Inline {
    fn read(authentication: &Element) -> Inline {
        let Some(inline) = authentication.child("inline", ns::SASL2) else {
            return Inline::default();
        };
        let enabled = |bind: &Element| {
            let list = bind.child("inline", ns::BIND2);
            let features = list.into_iter().flat_map(Element::children);
            features
                .filter(|feature| feature.is("feature", ns::BIND2))
                .filter_map(|feature| feature.attr("var").map(str::to_owned))
                .collect()
        };
        Inline {
            bind: inline.child("bind", ns::BIND2).map(enabled),
            resume: inline.child("sm", ns::SM).is_some(),
            tokens: inline
                .child("fast", ns::FAST)
                .map(|fast| Mechanism::for_tokens(&mechanisms(fast, ns::FAST)))
                .unwrap_or_default(),
        }
    }
}

/// The names in a list of mechanisms.
fn mechanisms(list: &Element, xmlns: &str) -> Vec<String> {
    let names = list.children().filter(|child| child.is("mechanism", xmlns));
    names.map(|child| child.text().trim().to_owned()).collect()
}

/// The limits that a server announces, XEP-0478 §3.1. They hold from these features to the next (§4): before authentication
/// they may be tighter. None of them is 0, which nobody could keep to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamLimits {
    /// The most bytes of one element at the stream's first level, a stanza for example.
    pub max_bytes: Option<u32>,
    /// After how many seconds without a word of ours the server may end the stream, or ask whether we are there.
    pub idle_seconds: Option<u32>,
}

impl StreamLimits {
    fn read(features: &Element) -> StreamLimits {
        // Both are xs:unsignedInt. What isn't announces nothing.
        let number = |name| {
            features
                .child("limits", ns::LIMITS)
                .and_then(|limits| limits.child_text(name, ns::LIMITS))
                .and_then(|text| text.trim().parse().ok())
                .filter(|number| *number != 0)
        };
        StreamLimits {
            max_bytes: number("max-bytes"),
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::xml::{Limits, read};

    fn features(children: &str) -> Features {
        let frame = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>".to_owned()
            + children
            + "</stream:features>";
        Features::read(&read(&frame, &Limits::default()).unwrap())
    }

    #[test]
    fn rfc6120_6_4_1_mechanisms() {
        let features = features(
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism>\
             <mechanism xmlns='urn:other'>NOT-SASL</mechanism><mechanism>\n SCRAM-SHA-1 </mechanism></mechanisms>",
        );
        let offer = features.offer.unwrap();
        assert_eq!(offer.mechanisms, ["EXTERNAL", "SCRAM-SHA-1"]);
        assert_eq!(offer.bindings, None);
        assert!(!features.bind);
    }

    #[test]
    fn rfc6120_6_3_3_without_a_list_there_is_no_offer() {
        assert_eq!(features("").offer, None);
        // Not even where types of channel binding are announced.
        let types =
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='x'/></sasl-channel-binding>";
        assert_eq!(features(types).offer, None);
        let empty = features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        assert_eq!(empty.offer, Some(Offer::default()));
    }

    /// The example of XEP-0440 §2, with what doesn't belong there.
    #[test]
    fn xep0440_2_types_of_channel_binding() {
        let bindings = |list: &str| {
            features(&(list.to_owned() + "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"))
                .offer
                .unwrap()
                .bindings
        };
        let types = bindings(
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-server-end-point'/>\
             <channel-binding/><other type='x'/><channel-binding xmlns='urn:other' type='y'/>\
             <channel-binding type='tls-exporter'/></sasl-channel-binding>",
        );
        assert_eq!(types.unwrap(), ["tls-server-end-point", "tls-exporter"]);
        assert_eq!(
            bindings("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/>"),
            Some(Vec::new())
        );
        assert_eq!(bindings("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:1'/>"), None);
    }

    #[test]
    fn xep0478_3_1_limits() {
        let limits = |children: &str| {
            let limits = features(&format!("<limits xmlns='urn:xmpp:stream-limits:0'>{children}</limits>")).limits;
            (limits.max_bytes, limits.idle_seconds)
        };
        let both = "<max-bytes>10000</max-bytes><idle-seconds>1800</idle-seconds>";
        assert_eq!(limits(both), (Some(10_000), Some(1_800)));
        assert_eq!(limits(""), (None, None));
        assert_eq!(limits("<idle-seconds> 60\n</idle-seconds>"), (None, Some(60)));
        assert_eq!(limits("<max-bytes>4294967295</max-bytes>"), (Some(u32::MAX), None));
        // Nothing at all, and what is no number.
        for bytes in [
            "0",
            "00",
            "",
            "-1",
            "ten",
            "1e4",
            "10000.0",
            "0x10",
            "4294967296",
            "1 000",
            "१०",
        ] {
            assert_eq!(
                limits(&format!("<max-bytes>{bytes}</max-bytes>")),
                (None, None),
                "{bytes}"
            );
        }
        assert_eq!(limits("<idle-seconds>0</idle-seconds>"), (None, None));
        assert_eq!(limits("<max-bytes xmlns='urn:other'>1</max-bytes>"), (None, None));
        assert_eq!(
            features("<limits xmlns='urn:other'><max-bytes>1</max-bytes></limits>")
                .limits
                .max_bytes,
            None
        );
        assert_eq!(features("").limits, StreamLimits::default());
    }

    #[test]
    fn rfc3921_3_session_optional_is_not_asked() {
        let session = |children: &str| {
            features(&format!(
                "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'>{children}</session>"
            ))
            .session
        };
        assert!(session(""));
        assert!(!session("<optional/>"));
    }
}
